package s3storage

import (
	"context"
	"iter"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
)

// An unfinished upload is one that S3 has the parts of.
type unfinished struct {
	name  string // of its object
	id    string
	begun time.Time
}

// uploads yields the unfinished uploads of all keys that begin with a prefix, in ascending order, page by page.
func (s *Storage) uploads(ctx context.Context, prefix string) iter.Seq2[unfinished, error] {
	return func(yield func(unfinished, error) bool) {
		_, name, err := s.locate(ctx, prefix)
		if err != nil {
			yield(unfinished{}, err)
			return
		}
		pages := s3.NewListMultipartUploadsPaginator(s.client, &s3.ListMultipartUploadsInput{Bucket: aws.String(s.name), Prefix: aws.String(name)})
		for pages.HasMorePages() {
			page, err := pages.NextPage(ctx)
			if noSuchUpload(err) {
				return // gofakes3 says so of a bucket that has never had an upload
			}
			if err != nil {
				yield(unfinished{}, err)
				return
			}
			for _, u := range page.Uploads {
				if !yield(unfinished{name: aws.ToString(u.Key), id: aws.ToString(u.UploadId), begun: aws.ToTime(u.Initiated).UTC()}, nil) {
					return
				}
			}
		}
	}
}
