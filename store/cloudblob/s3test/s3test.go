// Package s3test starts servers that speak the protocol of Amazon S3, for tests: gofakes3 within the process (Start), and
// versitygw as a process of its own (StartGateway), a full server that checks signatures, checksums and expiry.
//
//	server := s3test.Start(t)
//	bucket := server.OpenBucket(t)           // in this process
//	command.Env = append(os.Environ(), server.Environ()...)
//	command.Args = append(command.Args, server.URL())  // in another one: blob.OpenBucket
//
// A server listens on 127.0.0.1, has one empty bucket, and ends with its test.
package s3test

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/johannesboyne/gofakes3"
	"github.com/johannesboyne/gofakes3/backend/s3mem"
	"gocloud.dev/blob"
	"gocloud.dev/blob/s3blob"
)

const (
	bucketName = "exports"
	region     = "us-east-1"
	accessKey  = "s3test-access-key"
	secretKey  = "s3test-secret-key"
)

// A Server is one that runs.
type Server struct {
	Endpoint  string // for example "http://127.0.0.1:41234"
	Bucket    string // the name of a bucket that is there and empty
	Region    string
	AccessKey string
	SecretKey string
}

// Start starts gofakes3 in this process. It keeps objects in memory, and it looks neither at signatures nor at expiry.
func Start(tb testing.TB) *Server {
	tb.Helper()
	backend := s3mem.New()
	if err := backend.CreateBucket(bucketName); err != nil {
		tb.Fatalf("s3test: create the bucket: %v", err)
	}
	server := httptest.NewServer(gofakes3.New(backend).Server())
	tb.Cleanup(server.Close)
	return newServer(server.URL)
}

func newServer(endpoint string) *Server {
	return &Server{Endpoint: endpoint, Bucket: bucketName, Region: region, AccessKey: accessKey, SecretKey: secretKey}
}

// URL returns the URL of the bucket as blob.OpenBucket of gocloud.dev takes it, with its driver s3blob imported. The
// credentials are not in it but in Environ.
func (s *Server) URL() string {
	query := url.Values{"endpoint": {s.Endpoint}, "region": {s.Region}, "use_path_style": {"true"}}
	return "s3://" + s.Bucket + "?" + query.Encode()
}

// Environ returns the variables from which the AWS SDK of a process takes its credentials, as os.Environ returns them.
func (s *Server) Environ() []string {
	var environ []string
	for name, value := range s.variables() {
		environ = append(environ, name+"="+value)
	}
	return environ
}

// Setenv puts the variables of Environ into the environment of this process for as long as the test runs.
func (s *Server) Setenv(tb testing.TB) {
	tb.Helper()
	for name, value := range s.variables() {
		tb.Setenv(name, value)
	}
}

func (s *Server) variables() map[string]string {
	return map[string]string{
		"AWS_ACCESS_KEY_ID":         s.AccessKey,
		"AWS_SECRET_ACCESS_KEY":     s.SecretKey,
		"AWS_EC2_METADATA_DISABLED": "true", // the SDK must not look for other credentials in the network
	}
}

// Client returns a client of the server that sends its requests through transport. It tries again as often as the client of
// the SDK does by default, but hardly waits in between.
func (s *Server) Client(transport http.RoundTripper) *s3.Client {
	return s3.New(s3.Options{
		BaseEndpoint: aws.String(s.Endpoint),
		Region:       s.Region,
		Credentials:  credentials.NewStaticCredentialsProvider(s.AccessKey, s.SecretKey, ""),
		UsePathStyle: true,
		HTTPClient:   &http.Client{Transport: transport},
		Retryer:      retry.NewStandard(func(o *retry.StandardOptions) { o.MaxBackoff = time.Millisecond }),
	})
}

// OpenBucket opens the bucket until the end of the test.
func (s *Server) OpenBucket(tb testing.TB) *blob.Bucket {
	tb.Helper()
	return s.OpenBucketThrough(tb, func(next http.RoundTripper) http.RoundTripper { return next })
}

// OpenBucketThrough is OpenBucket with a transport that wrap makes of the one that reaches the server: to count requests,
// to delay them, or to answer in the place of the server.
func (s *Server) OpenBucketThrough(tb testing.TB, wrap func(http.RoundTripper) http.RoundTripper) *blob.Bucket {
	tb.Helper()
	bucket, err := s3blob.OpenBucket(tb.Context(), s.Client(wrap(newTransport(tb))), s.Bucket, nil)
	if err != nil {
		tb.Fatalf("s3test: open the bucket: %v", err)
	}
	tb.Cleanup(func() { _ = bucket.Close() }) // a test that has put a prefix before it has closed it by that
	return bucket
}

// newTransport returns a transport that leaves no connection behind.
func newTransport(tb testing.TB) *http.Transport {
	transport := &http.Transport{}
	tb.Cleanup(transport.CloseIdleConnections)
	return transport
}
