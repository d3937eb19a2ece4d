package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"strings"
	"time"

	"gocloud.dev/blob"
	_ "gocloud.dev/blob/fileblob" // file://
	_ "gocloud.dev/blob/memblob"  // mem://
	_ "gocloud.dev/blob/s3blob"   // s3://; bucket_gcs.go and bucket_azure.go have the others
	"gocloud.dev/gcerrors"

	"github.com/dataexport/dataexport/store/cloudblob"
	"github.com/dataexport/dataexport/store/cloudblob/s3storage"
)

// bucketTimeout is how long a bucket may take to answer when the server starts.
const bucketTimeout = 10 * time.Second

// openBucket opens a bucket of gocloud.dev/blob. One that is not there, or not ours, is an error; one that does not answer
// may do so later.
func openBucket(ctx context.Context, text string, log *slog.Logger) (*files, error) {
	parsed, err := url.Parse(text)
	if err != nil {
		return nil, errors.New("-blobs is no URL; its form is SCHEME://BUCKET?OPTION=VALUE, such as s3://exports?region=eu-central-1")
	}
	if !blob.DefaultURLMux().ValidBucketScheme(parsed.Scheme) {
		return nil, fmt.Errorf("-blobs: this program has no storage %s://, but %s; with go build -tags gcs,azure it has gs:// and azblob:// too",
			parsed.Scheme, strings.Join(blob.DefaultURLMux().BucketSchemes(), ", "))
	}
	bucket, err := blob.OpenBucket(ctx, text)
	if err != nil {
		return nil, fmt.Errorf("-blobs: %w", err)
	}
	name := parsed.Scheme + "://" + parsed.Host
	if err := checkBucket(ctx, bucket, name, log); err != nil {
		return nil, errors.Join(err, bucket.Close())
	}
	options := cloudblob.Options{}
	if parsed.Scheme == "s3" {
		if options.Storage, err = s3storage.New(bucket, s3storage.Options{}); err != nil {
			return nil, errors.Join(fmt.Errorf("-blobs: %w", err), bucket.Close())
		}
	}
	return &files{
		name:  name,
		store: cloudblob.New(bucket, options),
		ready: func(ctx context.Context) error {
			// A request for one object costs less than a list. There is none of this name.
			_, err := bucket.Exists(ctx, "readyz")
			return err
		},
		close: bucket.Close,
	}, nil
}

func checkBucket(ctx context.Context, bucket *blob.Bucket, name string, log *slog.Logger) error {
	ctx, cancel := context.WithTimeout(ctx, bucketTimeout)
	defer cancel()
	found, err := bucket.IsAccessible(ctx)
	switch {
	case err == nil && !found:
		return fmt.Errorf("-blobs: there is no bucket %s", name)
	case gcerrors.Code(err) == gcerrors.PermissionDenied:
		return fmt.Errorf("-blobs: the bucket %s lets us not in: %w", name, err)
	case err != nil && ctx.Err() == nil || errors.Is(ctx.Err(), context.DeadlineExceeded):
		log.Warn("the bucket does not answer; exports wait until it does", slog.String("bucket", name), slog.Any("error", err))
	}
	return nil
}
