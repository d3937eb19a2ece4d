package s3test

import (
	"context"
	"errors"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/smithy-go"
)

// Objects returns the names of the objects in the bucket, in ascending order. It asks the server without a detour through gocloud.dev.
func (s *Server) Objects(tb testing.TB) []string {
	tb.Helper()
	var names []string
	pages := s3.NewListObjectsV2Paginator(s.Client(newTransport(tb)), &s3.ListObjectsV2Input{Bucket: aws.String(s.Bucket)})
	for pages.HasMorePages() {
		page, err := pages.NextPage(context.WithoutCancel(tb.Context()))
		if err != nil {
			tb.Fatalf("s3test: list the objects: %v", err)
		}
		for _, object := range page.Contents {
			names = append(names, aws.ToString(object.Key))
		}
	}
	return names
}

// Uploads returns the names of the objects whose multipart uploads are neither complete nor aborted, one for each upload.
func (s *Server) Uploads(tb testing.TB) []string {
	tb.Helper()
	var names []string
	pages := s3.NewListMultipartUploadsPaginator(s.Client(newTransport(tb)), &s3.ListMultipartUploadsInput{Bucket: aws.String(s.Bucket)})
	for pages.HasMorePages() {
		page, err := pages.NextPage(context.WithoutCancel(tb.Context()))
		var failure smithy.APIError
		if errors.As(err, &failure) && failure.ErrorCode() == "NoSuchUpload" {
			return nil // what gofakes3 says of a bucket that has never had an upload
		}
		if err != nil {
			tb.Fatalf("s3test: list the multipart uploads: %v", err)
		}
		for _, upload := range page.Uploads {
			names = append(names, aws.ToString(upload.Key))
		}
	}
	return names
}
