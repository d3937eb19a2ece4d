package cloudblob

import (
	"context"
	"fmt"
	"io"
	"iter"
	"time"

	"gocloud.dev/blob"
	"gocloud.dev/gcerrors"

	"github.com/dataexport/dataexport"
)

// DefaultPartSize is the size of the parts in which an object is sent. A multipart upload of S3 has 10,000 parts at most,
// so that a file may have 107 GiB.
const DefaultPartSize = 11 << 20

// MinPartSize is the smallest part that S3 takes but for the last one of an object.
const MinPartSize = 5 << 20

// cleanupTimeout bounds what is done for a Put that has failed, which goes on when its context is done.
const cleanupTimeout = 15 * time.Second

// Options say how a Store works. The zero value is good for every storage but S3.
type Options struct {
	// Storage does what gocloud.dev/blob has no means for. It may be nil. For S3 use s3storage.New.
	Storage Storage

	// PartSize is how many bytes a driver of gocloud.dev collects before it sends them; default DefaultPartSize. What is less
	// than MinPartSize counts as that. A Storage has a setting of its own.
	PartSize int

	// BeforeSign, if set, is called by SignURL with the As function of blob.SignedURLOptions.BeforeSign, to put the headers
	// of the answer into the request that is signed. Without it the storage answers with the Content-Type and
	// Content-Disposition that Put has given the object. s3storage does this by itself. For Google Cloud Storage:
	//
	//	var options *storage.SignedURLOptions
	//	if as(&options) {
	//		options.QueryParameters = url.Values{"response-content-type": {o.ContentType}, "response-content-disposition": {o.ContentDisposition}}
	//	}
	//
	// and for Azure:
	//
	//	var values *sas.BlobSignatureValues
	//	if as(&values) {
	//		values.ContentType, values.ContentDisposition = o.ContentType, o.ContentDisposition
	//	}
	BeforeSign func(as func(any) bool, o dataexport.SignedURLOptions) error
}

// A Storage does what one kind of storage can and gocloud.dev/blob has no means for. The errors of its methods are those
// of the client of the storage. All methods are safe for concurrent use.
type Storage interface {
	// NewUpload prepares to write an object. The options have the headers that it gets and its metadata.
	NewUpload(ctx context.Context, key string, o *blob.WriterOptions) (Upload, error)

	// Unfinished yields the uploads that are under way or were abandoned, of all keys that begin with the prefix, in
	// ascending order. An error is the last that it yields.
	Unfinished(ctx context.Context, prefix string) iter.Seq2[dataexport.BlobInfo, error]

	// AbortUnfinished ends the uploads of a key and removes what they have sent.
	AbortUnfinished(ctx context.Context, key string) error

	// BeforeRead is called with the As function of blob.ReaderOptions.BeforeRead, to have the storage answer only if the
	// object still has this ETag, which is not empty.
	BeforeRead(as func(any) bool, etag string) error

	// ETag returns the ETag of an object that is being read, given the As function of its blob.Reader.
	ETag(as func(any) bool) string

	// BeforeSign is Options.BeforeSign.
	BeforeSign(as func(any) bool, o dataexport.SignedURLOptions) error
}

// An Upload is an object that is being written, by one goroutine at a time. The context is that of Storage.NewUpload.
type Upload interface {
	io.Writer

	// Commit makes the object of what was written. After an error it may be there or not.
	Commit() error

	// Abort removes what was sent, and whatever it can of it when the context is done. After Commit has returned nil it
	// does nothing.
	Abort() error
}

// A Store is a dataexport.BlobStore in a bucket, and a dataexport.URLSigner where the storage can sign. Its methods are
// safe for concurrent use, also by several processes.
type Store struct {
	bucket  *blob.Bucket
	options Options
}

var (
	_ dataexport.BlobStore         = (*Store)(nil)
	_ dataexport.UnfinishedDeleter = (*Store)(nil)
	_ dataexport.URLSigner         = (*Store)(nil)
)

// New returns a store in a bucket. The bucket remains the caller's, who closes it when the store is no longer used.
func New(bucket *blob.Bucket, o Options) *Store {
	if o.PartSize == 0 {
		o.PartSize = DefaultPartSize
	}
	o.PartSize = max(o.PartSize, MinPartSize)
	return &Store{bucket: bucket, options: o}
}

// Delete removes a blob as dataexport.BlobStore says. A Put of the key that is under way fails or stores its blob after
// that; with s3storage it fails, unless it has not sent anything yet.
func (s *Store) Delete(ctx context.Context, key string) error {
	if err := check(ctx, key); err != nil {
		return err
	}
	// The uploads first: one that is completed before it can be aborted is an object that the second step removes.
	if err := s.DeleteUnfinished(ctx, key); err != nil {
		return err
	}
	if err := s.bucket.Delete(ctx, key); err != nil && gcerrors.Code(err) != gcerrors.NotFound {
		return fail(ctx, "delete", key, err)
	}
	return nil
}

// DeleteUnfinished removes uploads as dataexport.UnfinishedDeleter says, if there is a Storage that knows of any.
func (s *Store) DeleteUnfinished(ctx context.Context, key string) error {
	if err := check(ctx, key); err != nil {
		return err
	}
	if s.options.Storage == nil {
		return nil
	}
	if err := s.options.Storage.AbortUnfinished(ctx, key); err != nil {
		return fail(ctx, "abort the uploads of", key, err)
	}
	return nil
}

// check is what each method that has a key begins with.
func check(ctx context.Context, key string) error {
	if !dataexport.ValidBlobKey(key) {
		return fmt.Errorf("cloudblob: %w: the key %.250q is not what dataexport.ValidBlobKey asks for", dataexport.ErrInvalid, key)
	}
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return nil
}
