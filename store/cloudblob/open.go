package cloudblob

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"time"

	"gocloud.dev/blob"
	"gocloud.dev/gcerrors"

	"github.com/dataexport/dataexport"
)

// errReplaced says that an object is no longer the one that was opened.
var errReplaced = errors.New("it was put anew since it was opened; open it again")

// Open opens a blob as dataexport.BlobStore says, with one request. The content is asked for when it is read: with one
// request to the end of the blob, and another one each time that Read goes on at another place than where it stopped. The
// context is that of all these requests, so that it must not end before the reading does.
//
// A blob that is deleted can be read on as far as one request goes. Of a blob that is put anew no byte is mixed with those
// of the old one: reading fails, by the ETag with s3storage, else by the size and the time of the last change.
func (s *Store) Open(ctx context.Context, key string) (dataexport.Blob, error) {
	if err := check(ctx, key); err != nil {
		return nil, err
	}
	attributes, err := s.bucket.Attributes(ctx, key)
	if err != nil {
		return nil, fail(ctx, "open", key, err)
	}
	object := object{size: attributes.Size, modTime: attributes.ModTime, etag: attributes.ETag}
	return &reader{ctx: ctx, store: s, key: key, object: object}, nil
}

// An object is what tells an object from another one of the same key.
type object struct {
	size    int64
	modTime time.Time
	etag    string // empty if it is not known
}

// same reports whether two objects of a key are one, as far as that can be told.
func (o object) same(other object) bool {
	tagged := o.etag != "" && other.etag != ""
	return o.size == other.size && o.modTime.Equal(other.modTime) && (!tagged || o.etag == other.etag)
}

// A reader is an open blob.
type reader struct {
	ctx    context.Context // of Open
	store  *Store
	key    string
	object object
	// bound says that something of the object was given out, so that no other one may take its place.
	bound bool

	offset   int64        // where the next Read begins
	body     *blob.Reader // or nil
	position int64        // where body is
	closed   bool
}

// Size returns the size of the blob in bytes.
func (r *reader) Size() int64 {
	r.bound = true
	return r.object.size
}

// Read reads from the blob.
func (r *reader) Read(p []byte) (int, error) {
	switch {
	case r.closed:
		return 0, fmt.Errorf("cloudblob: read %q after it was closed: %w", r.key, fs.ErrClosed)
	case len(p) == 0:
		return 0, nil
	case r.offset >= r.object.size:
		return 0, io.EOF
	}
	if err := r.request(); err != nil {
		return 0, r.fail(err)
	}
	n, err := r.body.Read(p)
	r.offset += int64(n)
	r.position = r.offset
	switch {
	case err == nil:
		return n, nil
	case r.offset == r.object.size:
		return n, io.EOF // whatever else there is to say: all of it was read
	case errors.Is(err, io.EOF):
		err = io.ErrUnexpectedEOF
	}
	r.discard()
	return n, r.fail(err)
}

// request asks for the content from the offset on, unless the body is there already.
func (r *reader) request() error {
	if r.body != nil && r.position == r.offset {
		return nil
	}
	r.discard()
	body, err := r.store.bucket.NewRangeReader(r.ctx, r.key, r.offset, -1, &blob.ReaderOptions{BeforeRead: r.beforeRead})
	if err != nil {
		return err
	}
	found := object{size: body.Size(), modTime: body.ModTime()}
	if r.store.options.Storage != nil {
		found.etag = r.store.options.Storage.ETag(body.As)
	}
	if r.bound && !found.same(r.object) {
		return errors.Join(errReplaced, body.Close())
	}
	r.object, r.bound = found, true
	r.body, r.position = body, r.offset
	return nil
}

func (r *reader) beforeRead(as func(any) bool) error {
	if r.store.options.Storage == nil || r.object.etag == "" || !r.bound {
		return nil
	}
	return r.store.options.Storage.BeforeRead(as, r.object.etag)
}

func (r *reader) fail(err error) error {
	if gcerrors.Code(err) == gcerrors.FailedPrecondition {
		err = fmt.Errorf("%w: %w", errReplaced, err)
	}
	return fail(r.ctx, "read", r.key, err)
}

// discard ends the request that is under way.
func (r *reader) discard() {
	if r.body != nil {
		_ = r.body.Close() // what matters is what was read
		r.body = nil
	}
}

// Seek sets where the next Read begins. It sends nothing.
func (r *reader) Seek(offset int64, whence int) (int64, error) {
	r.bound = true
	switch {
	case r.closed:
		return 0, fmt.Errorf("cloudblob: seek in %q after it was closed: %w", r.key, fs.ErrClosed)
	case whence == io.SeekCurrent:
		offset += r.offset
	case whence == io.SeekEnd:
		offset += r.object.size
	case whence != io.SeekStart:
		return 0, fmt.Errorf("cloudblob: %w: seek in %q: whence is %d", dataexport.ErrInvalid, r.key, whence)
	}
	if offset < 0 {
		return 0, fmt.Errorf("cloudblob: %w: seek in %q to before its first byte", dataexport.ErrInvalid, r.key)
	}
	r.offset = offset
	return offset, nil
}

// Close closes the blob.
func (r *reader) Close() error {
	r.discard()
	r.closed = true
	return nil
}
