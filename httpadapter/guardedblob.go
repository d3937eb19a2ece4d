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
	blob   dataexport.Blob
	stored dataexport.Blob // what is sent in place of blob if that is encoded and the client wants it so; else nil

	mu     sync.Mutex
	closed bool
	err    error // the first of reading or seeking
}

// sent returns what is sent.
func (b *guardedBlob) sent() dataexport.Blob {
	if b.stored != nil {
		return b.stored
	}
	return b.blob
}

// size returns how long that is, in bytes.
func (b *guardedBlob) size() int64 { return b.sent().Size() }

// content returns what http.ServeContent is given: the file itself where the blob is one, so that the kernel can send it.
func (b *guardedBlob) content() io.ReadSeeker {
	if holder, ok := b.sent().(interface{ File() *os.File }); ok {
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
	n, err := b.sent().Read(p)
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
	position, err := b.sent().Seek(offset, whence)
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
