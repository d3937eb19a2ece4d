package cloudblob

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strings"
	"sync"

	"gocloud.dev/blob"
	"gocloud.dev/gcerrors"

	"github.com/dataexport/dataexport"
)

// uploadMetadata names the metadata by which an object says which Put has made it.
const uploadMetadata = "upload"

// Put stores a blob as dataexport.BlobStore says. The object gets the media type of the format, and headers by which a
// browser saves it as a file and nobody caches it.
//
// If the answer to the very last request is lost, Put looks whether the object is there: if it is, all is well, or if ctx is
// done it is removed again. If Put cannot even look, it returns an error although the blob may be there, and
// dataexport.Runner.SweepOrphans removes it later.
func (s *Store) Put(ctx context.Context, key string, f dataexport.Format, write func(io.Writer) error) error {
	if err := check(ctx, key); err != nil {
		return err
	}
	uploading, cancel := context.WithCancel(ctx)
	defer cancel()
	id := rand.Text()
	upload, err := s.newUpload(uploading, cancel, key, s.writerOptions(f, id))
	if err != nil {
		return fail(ctx, "put", key, err)
	}
	w := &writer{ctx: uploading, cancel: cancel, key: key, upload: upload}
	defer w.abort() // also when write panics
	if err := write(w); err != nil {
		return err
	}
	err = w.commit()
	if w.doubtful {
		w.abort() // what is not committed yet never will be
		return s.settle(ctx, key, id, w.size, err)
	}
	return err
}

func (s *Store) writerOptions(f dataexport.Format, id string) *blob.WriterOptions {
	return &blob.WriterOptions{
		BufferSize:                  s.options.PartSize,
		MaxConcurrency:              1,
		ContentType:                 contentType(f),
		DisableContentTypeDetection: true, // it would hold back the first bytes
		ContentDisposition:          contentDisposition(f),
		CacheControl:                "private, no-store",
		Metadata:                    map[string]string{uploadMetadata: id},
	}
}

func contentType(f dataexport.Format) string {
	switch {
	case f.MediaType == "":
		return "application/octet-stream"
	case strings.HasPrefix(f.MediaType, "text/"):
		return f.MediaType + "; charset=utf-8"
	}
	return f.MediaType
}

// contentDisposition has nothing of the user's in it: a signed URL says what the file is called.
func contentDisposition(f dataexport.Format) string {
	name := "export"
	if f.Extension != "" && dataexport.ValidBlobKey(f.Extension) && !strings.Contains(f.Extension, "/") {
		name += "." + f.Extension
	}
	return `attachment; filename="` + name + `"`
}

// settle finds out what has become of an object whose commit has failed.
func (s *Store) settle(ctx context.Context, key, id string, size int64, cause error) error {
	looking, cancel := context.WithTimeout(context.WithoutCancel(ctx), cleanupTimeout)
	defer cancel()
	attributes, err := s.bucket.Attributes(looking, key)
	if err != nil || attributes.Metadata[uploadMetadata] != id || attributes.Size != size {
		return cause
	}
	if ctx.Err() == nil {
		return nil
	}
	if err := s.bucket.Delete(looking, key); err != nil && gcerrors.Code(err) != gcerrors.NotFound {
		return errors.Join(cause, fail(looking, "remove what was put as", key, err))
	}
	return cause
}

// A writer is what write is given. A mutex guards it, since write may leave a goroutine behind that still writes.
type writer struct {
	ctx    context.Context // of the Put, which the writer does not outlive
	cancel context.CancelFunc
	key    string

	mu       sync.Mutex
	upload   Upload
	size     int64 // bytes written
	err      error // the first error of Write
	closed   bool
	done     bool // committed or aborted
	doubtful bool // it is not known whether the object was made
}

// Write adds to the object. It fails once the context is done, so that a cancelled export stops.
func (w *writer) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	switch {
	case w.closed:
		return 0, fmt.Errorf("cloudblob: write to %q after the end of its Put: %w", w.key, fs.ErrClosed)
	case w.err != nil:
		return 0, w.err
	case w.ctx.Err() != nil:
		w.err = context.Cause(w.ctx)
		return 0, w.err
	}
	n, err := w.upload.Write(p)
	w.size += int64(n)
	if err != nil {
		w.err = fail(w.ctx, "put", w.key, err)
	}
	return n, w.err
}

// commit makes the object, unless a Write has failed and its error was not passed on.
func (w *writer) commit() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.closed = true
	switch {
	case w.err != nil:
		return w.err
	case w.ctx.Err() != nil:
		return context.Cause(w.ctx)
	}
	if err := w.upload.Commit(); err != nil {
		w.doubtful = true
		return fail(w.ctx, "put", w.key, err)
	}
	w.done = true
	return nil
}

// abort removes what was sent, unless it has become the object. What cannot be removed is for the sweep.
func (w *writer) abort() {
	if w.done {
		return
	}
	w.cancel() // frees a Write that waits in another goroutine
	w.mu.Lock()
	defer w.mu.Unlock()
	w.closed, w.done = true, true
	_ = w.upload.Abort()
}
