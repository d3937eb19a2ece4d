package memblob

import (
	"bytes"
	"context"
	"fmt"
	"io/fs"
	"sync"
	"time"

	"github.com/dataexport/dataexport"
)

// An upload is what one Put has written so far.
type upload struct {
	ctx context.Context // of the Put, which the upload does not outlive
	key string

	mu      sync.Mutex // List looks at the size while the Put writes
	content bytes.Buffer
	modTime time.Time // of the last write
	err     error     // the first error that Write returned
	closed  bool
}

// Write adds to the upload. It fails once the context is done, so that a cancelled export stops, and after Put has returned.
func (u *upload) Write(p []byte) (int, error) {
	u.mu.Lock()
	defer u.mu.Unlock()
	switch {
	case u.closed:
		return 0, fmt.Errorf("memblob: write to %q after the end of its Put: %w", u.key, fs.ErrClosed)
	case u.err != nil:
		return 0, u.err
	case u.ctx.Err() != nil:
		u.err = context.Cause(u.ctx)
		return 0, u.err
	}
	u.modTime = now()
	return u.content.Write(p)
}

// finish returns all that was written, unless a write has failed and its error was not passed on.
func (u *upload) finish() ([]byte, error) {
	u.close()
	if u.err != nil {
		return nil, u.err
	}
	return u.content.Bytes(), nil
}

func (u *upload) close() {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.closed = true
}

func (u *upload) info() dataexport.BlobInfo {
	u.mu.Lock()
	defer u.mu.Unlock()
	return dataexport.BlobInfo{Key: u.key, Size: int64(u.content.Len()), ModTime: u.modTime, Unfinished: true}
}
