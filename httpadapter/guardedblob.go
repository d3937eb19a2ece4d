package httpadapter

import (
	"errors"
	"io"
	"os"
	"sync"

	"github.com/dataexport/dataexport"
)

// A guardedBlob remembers what went wrong while a blob was read, which http.ServeContent keeps to itself. It can be closed
// while it is read: for an answer of several ranges ServeContent reads in a goroutine that may outlast it.
type guardedBlob struct {
	mu     sync.Mutex
	blob   dataexport.Blob
	closed bool
	err    error // the first of reading or seeking
}

// content returns what http.ServeContent is given: the file itself where the blob is one, so that the kernel can send it.
func (b *guardedBlob) content() io.ReadSeeker {
	if holder, ok := b.blob.(interface{ File() *os.File }); ok {
		if file := holder.File(); file != nil {
			return file
		}
	}
	return b
}

// Read reads from the blob.
func (b *guardedBlob) Read(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.closed {
		return 0, os.ErrClosed
	}
	n, err := b.blob.Read(p)
	b.remember(err)
	return n, err
}

// Seek moves in the blob.
func (b *guardedBlob) Seek(offset int64, whence int) (int64, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.closed {
		return 0, os.ErrClosed
	}
	position, err := b.blob.Seek(offset, whence)
	b.remember(err)
	return position, err
}

func (b *guardedBlob) remember(err error) {
	if err != nil && !errors.Is(err, io.EOF) && b.err == nil {
		b.err = err
	}
}

// Close closes the blob.
func (b *guardedBlob) Close() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.closed = true
	return b.blob.Close()
}

// fault returns what went wrong, or nil.
func (b *guardedBlob) fault() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.err
}
