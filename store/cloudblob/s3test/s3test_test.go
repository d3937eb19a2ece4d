package s3test_test

import (
	"net/http"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
	"gocloud.dev/blob"

	"github.com/dataexport/dataexport/store/cloudblob/s3test"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestServers(t *testing.T) {
	for name, start := range map[string]func(testing.TB) *s3test.Server{"gofakes3": s3test.Start, "versitygw": s3test.StartGateway} {
		t.Run(name, func(t *testing.T) {
			server := start(t)
			assert.Empty(t, server.Objects(t))
			assert.Empty(t, server.Uploads(t))

			bucket := server.OpenBucket(t)
			require.NoError(t, bucket.WriteAll(t.Context(), "job/1", []byte("content"), nil))
			content, err := bucket.ReadAll(t.Context(), "job/1")
			require.NoError(t, err)
			assert.Equal(t, "content", string(content))
			assert.Equal(t, []string{"job/1"}, server.Objects(t))

			transport := &http.Transport{}
			defer transport.CloseIdleConnections()
			_, err = server.Client(transport).CreateMultipartUpload(t.Context(), &s3.CreateMultipartUploadInput{
				Bucket: aws.String(server.Bucket), Key: aws.String("job/2"),
			})
			require.NoError(t, err)
			assert.Equal(t, []string{"job/2"}, server.Uploads(t))
		})
	}
}

// A process finds the bucket by its URL and its credentials in the environment.
func TestURL(t *testing.T) {
	server := s3test.Start(t)
	server.Setenv(t)
	assert.Len(t, server.Environ(), 3)
	bucket, err := blob.OpenBucket(t.Context(), server.URL())
	require.NoError(t, err)
	defer func() { assert.NoError(t, bucket.Close()) }()
	require.NoError(t, bucket.WriteAll(t.Context(), "job/1", []byte("content"), nil))
	assert.Equal(t, []string{"job/1"}, server.Objects(t))
	http.DefaultClient.CloseIdleConnections()
}

// The gateway is no fake: it refuses what is signed with another key.
func TestGatewayChecksSignatures(t *testing.T) {
	server := s3test.StartGateway(t)
	server.SecretKey = "another-secret"
	bucket := server.OpenBucket(t)
	require.Error(t, bucket.WriteAll(t.Context(), "job/1", []byte("content"), nil))
}
