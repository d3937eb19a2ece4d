package cloudblob

import (
	"context"
	"errors"
	"io"
	"iter"
	"strings"

	"gocloud.dev/blob"

	"github.com/dataexport/dataexport"
)

// List yields the blobs as dataexport.BlobStore says. It reads them page by page, with one request for about a thousand. With
// s3storage it yields the uploads too that are not completed, with the size 0 and the time when they began, since S3 tells
// nothing else without a request for each. Of one key the blob comes before the unfinished ones. Objects whose names are
// not keys are passed over.
func (s *Store) List(ctx context.Context, prefix string) iter.Seq2[dataexport.BlobInfo, error] {
	return func(yield func(dataexport.BlobInfo, error) bool) {
		err := s.list(ctx, prefix, yield)
		if err != nil && !errors.Is(err, errStopped) {
			yield(dataexport.BlobInfo{}, fail(ctx, "list", prefix, err))
		}
	}
}

// errStopped says that the caller of List wants no more.
var errStopped = errors.New("cloudblob: the loop over List was left")

func (s *Store) list(ctx context.Context, prefix string, yield func(dataexport.BlobInfo, error) bool) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if !beginsKeys(prefix) {
		return nil // and the storage need not be asked what it makes of such a prefix
	}
	next, stop := iter.Pull2(s.unfinished(ctx, prefix))
	defer stop()
	upload, err, more := next()
	// uploadsBefore yields the uploads that come before the blob with the key; all of them if there is none.
	uploadsBefore := func(key string) error {
		for ; more && err == nil && (key == "" || upload.Key < key); upload, err, more = next() {
			if ctx.Err() != nil {
				return context.Cause(ctx)
			}
			if !yield(upload, nil) {
				return errStopped
			}
		}
		return err
	}
	for info, err := range s.objects(ctx, prefix) {
		if err != nil {
			return err
		}
		if err := uploadsBefore(info.Key); err != nil {
			return err
		}
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		if !yield(info, nil) {
			return errStopped
		}
	}
	return uploadsBefore("")
}

// beginsKeys reports whether there can be a key that begins with the prefix.
func beginsKeys(prefix string) bool {
	return dataexport.ValidBlobKey(prefix) || dataexport.ValidBlobKey(prefix+"x")
}

func (s *Store) objects(ctx context.Context, prefix string) iter.Seq2[dataexport.BlobInfo, error] {
	return func(yield func(dataexport.BlobInfo, error) bool) {
		objects := s.bucket.List(&blob.ListOptions{Prefix: prefix})
		for {
			object, err := objects.Next(ctx)
			if errors.Is(err, io.EOF) {
				return
			}
			if err != nil {
				yield(dataexport.BlobInfo{}, err)
				return
			}
			if object.IsDir || !isKey(object.Key, prefix) {
				continue
			}
			if !yield(dataexport.BlobInfo{Key: object.Key, Size: object.Size, ModTime: object.ModTime.UTC()}, nil) {
				return
			}
		}
	}
}

func (s *Store) unfinished(ctx context.Context, prefix string) iter.Seq2[dataexport.BlobInfo, error] {
	return func(yield func(dataexport.BlobInfo, error) bool) {
		if s.options.Storage == nil {
			return
		}
		for info, err := range s.options.Storage.Unfinished(ctx, prefix) {
			if err == nil && !isKey(info.Key, prefix) {
				continue
			}
			info.Unfinished = true
			if !yield(info, err) {
				return
			}
		}
	}
}

func isKey(name, prefix string) bool {
	return strings.HasPrefix(name, prefix) && dataexport.ValidBlobKey(name)
}
