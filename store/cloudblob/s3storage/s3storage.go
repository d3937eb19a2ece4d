// Package s3storage does for cloudblob what Amazon S3, and what speaks its protocol, can and gocloud.dev/blob has no means
// for: it aborts the multipart uploads of exports that fail, finds those that a killed process has left, and gives signed
// URLs the headers of their answers. It is a package of its own so that hosts with other storage do without the AWS SDK.
//
// It also writes the objects itself, in the way that the driver of the bucket would: with its encryption and the checksums of
// its client. The transfer manager of the SDK, which the driver uses, cannot abort an upload once its context is done, and
// holds three times as much memory.
package s3storage

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/feature/s3/transfermanager"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/smithy-go"
	"gocloud.dev/blob"

	"github.com/dataexport/dataexport"
	"github.com/dataexport/dataexport/store/cloudblob"
)

// cleanupTimeout bounds a request that must be made although the context is done.
const cleanupTimeout = 15 * time.Second

// maxParts is how many parts S3 takes of one upload.
const maxParts = 10_000

// Options say how objects are written.
type Options struct {
	// PartSize is how many bytes are collected and sent at a time, all of which are held in memory; default
	// cloudblob.DefaultPartSize, at least cloudblob.MinPartSize. A file has 10,000 parts at most: one that grows beyond that is a
	// dataexport.ErrLimitExceeded. All parts but the last have the same size, as some storage demands (Cloudflare R2).
	PartSize int
}

// A Storage is a cloudblob.Storage. Its methods are safe for concurrent use.
type Storage struct {
	bucket   *blob.Bucket
	client   *s3.Client
	name     string // of the bucket
	prefix   string // of the names of all its objects: blob.PrefixedBucket
	partSize int
	maxParts int
}

var _ cloudblob.Storage = (*Storage)(nil)

// New returns what cloudblob.Options.Storage is to be for the bucket, which gocloud.dev/blob/s3blob has opened, with a
// prefix or without. Of another bucket it returns an error that is errors.ErrUnsupported. It sends nothing.
func New(bucket *blob.Bucket, o Options) (*Storage, error) {
	if bucket == nil {
		return nil, fmt.Errorf("s3storage: %w: the bucket is nil; open one with blob.OpenBucket", dataexport.ErrInvalid)
	}
	if o.PartSize == 0 {
		o.PartSize = cloudblob.DefaultPartSize
	}
	if o.PartSize < cloudblob.MinPartSize {
		return nil, fmt.Errorf("s3storage: %w: Options.PartSize is %d bytes; it must be %d or more", dataexport.ErrInvalid, o.PartSize, cloudblob.MinPartSize)
	}
	s := &Storage{bucket: bucket, partSize: o.PartSize, maxParts: maxParts}
	if !bucket.As(&s.client) {
		return nil, fmt.Errorf("s3storage: the bucket is not one of gocloud.dev/blob/s3blob: %w", errors.ErrUnsupported)
	}
	var err error
	s.name, s.prefix, err = s.locate(context.Background(), "")
	return s, err
}

// errLocated keeps a request that was built from being sent.
var errLocated = errors.New("s3storage: nothing is to be sent")

// locate returns the name of the bucket, and what the names of the objects begin with whose keys begin with a prefix. They
// differ by the prefix of a blob.PrefixedBucket and by what the driver escapes, and only the driver knows them. It is asked
// to list them, and stopped before it sends anything.
func (s *Storage) locate(ctx context.Context, prefix string) (bucket, name string, err error) {
	located := false
	_, _, err = s.bucket.ListPage(ctx, blob.FirstPageToken, 1, &blob.ListOptions{Prefix: prefix, BeforeList: func(as func(any) bool) error {
		var input *s3.ListObjectsV2Input
		var legacy *s3.ListObjectsInput
		switch {
		case as(&input):
			bucket, name, located = aws.ToString(input.Bucket), aws.ToString(input.Prefix), true
		case as(&legacy):
			bucket, name, located = aws.ToString(legacy.Bucket), aws.ToString(legacy.Prefix), true
		}
		return errLocated
	}})
	if !located {
		return "", "", fmt.Errorf("s3storage: the driver of the bucket does not say how it lists objects: %w", err)
	}
	return bucket, name, nil
}

// NewUpload prepares an upload as cloudblob.Storage says.
func (s *Storage) NewUpload(ctx context.Context, key string, o *blob.WriterOptions) (cloudblob.Upload, error) {
	var input *transfermanager.UploadObjectInput
	options := *o
	options.DisableContentTypeDetection = true // or else the driver is not asked before there is something to look at
	options.BeforeWrite = func(as func(any) bool) error {
		as(&input)
		return errLocated
	}
	if _, err := s.bucket.NewWriter(ctx, key, &options); input == nil {
		return nil, fmt.Errorf("s3storage: the driver of the bucket does not say how it writes objects: %w", err)
	}
	return &upload{ctx: ctx, storage: s, input: input}, nil
}

// Unfinished yields the multipart uploads as cloudblob.Storage says.
func (s *Storage) Unfinished(ctx context.Context, prefix string) iter.Seq2[dataexport.BlobInfo, error] {
	return func(yield func(dataexport.BlobInfo, error) bool) {
		for upload, err := range s.uploads(ctx, prefix) {
			if err != nil {
				yield(dataexport.BlobInfo{}, err)
				return
			}
			info := dataexport.BlobInfo{Key: s.key(upload.name), ModTime: upload.begun, Unfinished: true}
			if !yield(info, nil) {
				return
			}
		}
	}
}

// AbortUnfinished aborts the multipart uploads of a key as cloudblob.Storage says.
func (s *Storage) AbortUnfinished(ctx context.Context, key string) error {
	for upload, err := range s.uploads(ctx, key) {
		if err != nil {
			return err
		}
		if s.key(upload.name) != key {
			continue // the key is the beginning of another
		}
		if err := s.abort(ctx, upload.name, upload.id); err != nil {
			return err
		}
	}
	return nil
}

// abort ends one upload. S3 does not mind if it has ended.
func (s *Storage) abort(ctx context.Context, name, id string) error {
	_, err := s.client.AbortMultipartUpload(ctx, &s3.AbortMultipartUploadInput{
		Bucket: aws.String(s.name), Key: aws.String(name), UploadId: aws.String(id),
	})
	if noSuchUpload(err) {
		return nil
	}
	return err
}

// noSuchUpload reports whether a multipart upload is not there, or no longer.
func noSuchUpload(err error) bool {
	var failure smithy.APIError
	return errors.As(err, &failure) && failure.ErrorCode() == "NoSuchUpload"
}

// key returns the key of an object. It undoes the only escape that the driver applies to keys: that of the '/' in "../".
func (s *Storage) key(name string) string {
	return strings.ReplaceAll(strings.TrimPrefix(name, s.prefix), "__0x2f__", "/")
}

// BeforeRead has S3 answer only if the object still has the ETag.
func (s *Storage) BeforeRead(as func(any) bool, etag string) error {
	var input *s3.GetObjectInput
	if as(&input) {
		input.IfMatch = aws.String(etag)
	}
	return nil
}

// ETag returns the ETag of an object that is being read.
func (s *Storage) ETag(as func(any) bool) string {
	var output s3.GetObjectOutput
	as(&output)
	return aws.ToString(output.ETag)
}

// BeforeSign puts the headers of the answer into the request that is signed.
func (s *Storage) BeforeSign(as func(any) bool, o dataexport.SignedURLOptions) error {
	var input *s3.GetObjectInput
	if !as(&input) {
		return nil
	}
	if o.ContentType != "" {
		input.ResponseContentType = aws.String(o.ContentType)
	}
	if o.ContentDisposition != "" {
		input.ResponseContentDisposition = aws.String(o.ContentDisposition)
	}
	return nil
}
