package compressblob

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"sync"

	"github.com/dataexport/dataexport"
)

const (
	noChunk = -1
	noPlace = -1
)

// A blob decodes a stored file while it is read, a chunk at a time.
type blob struct {
	key      string
	stored   dataexport.Blob
	index    *index
	decoders *sync.Pool

	position int64 // of the next Read, in the content
	chunk    int   // the one that content has, or noChunk
	content  []byte
	encoded  []byte
	place    int64 // where the stored file is read next, or noPlace if that is not known
	closed   bool
}

// An encodedBlob is a blob that clients can be sent as it is stored.
type encodedBlob struct{ *blob }

var _ dataexport.EncodedBlob = (*encodedBlob)(nil)

// Encoded returns the stored file, which is one gzip member from its first byte to its last.
func (b *encodedBlob) Encoded() (string, dataexport.Blob) { return string(Gzip), b.stored }

// Size returns the size of the content in bytes.
func (b *blob) Size() int64 { return b.index.size }

// Seek sets where the next Read begins. It reads nothing.
func (b *blob) Seek(offset int64, whence int) (int64, error) {
	if b.closed {
		return 0, b.errClosed()
	}
	switch whence {
	case io.SeekStart:
	case io.SeekCurrent:
		offset += b.position
	case io.SeekEnd:
		offset += b.index.size
	default:
		return 0, fmt.Errorf("compressblob: seek in %q: %w: whence is %d", b.key, dataexport.ErrInvalid, whence)
	}
	if offset < 0 {
		return 0, fmt.Errorf("compressblob: seek in %q: %w: to %d bytes before the begin", b.key, dataexport.ErrInvalid, -offset)
	}
	b.position = offset
	return offset, nil
}

// Read reads from the chunk that the position is in. What it returns has been verified.
func (b *blob) Read(p []byte) (int, error) {
	if b.closed {
		return 0, b.errClosed()
	}
	if len(p) == 0 {
		return 0, nil
	}
	if b.position >= b.index.size {
		return 0, io.EOF
	}
	i := int(b.position / int64(b.index.chunkSize))
	if err := b.load(i); err != nil {
		return 0, fmt.Errorf("compressblob: read %q: %w", b.key, err)
	}
	n := copy(p, b.content[b.position-int64(i)*int64(b.index.chunkSize):])
	b.position += int64(n)
	return n, nil
}

// load reads and decodes a chunk, unless it is the one that is there.
func (b *blob) load(i int) error {
	if b.chunk == i {
		return nil
	}
	b.chunk = noChunk
	offset, stored := b.index.stored(i)
	b.encoded = sized(b.encoded, stored)
	if err := b.readStored(offset); err != nil {
		return err
	}
	b.content = sized(b.content, b.index.length(i))
	d := b.decoders.Get().(decoder)
	defer b.decoders.Put(d)
	if err := d.decode(b.content, b.encoded, b.index.checks[i]); err != nil {
		return damaged("chunk %d, at byte %d: %w", i, offset, err)
	}
	b.chunk = i
	return nil
}

// readStored fills encoded. It seeks only if the last chunk that was read is not the one before: in some stores each Seek is
// a new request.
func (b *blob) readStored(offset int64) error {
	var err error
	if b.place == offset {
		if _, err = io.ReadFull(b.stored, b.encoded); errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
			err = damaged("it ends before byte %d", offset+int64(len(b.encoded)))
		}
	} else {
		err = readAt(b.stored, b.encoded, offset)
	}
	if err != nil {
		b.place = noPlace
		return err
	}
	b.place = offset + int64(len(b.encoded))
	return nil
}

// sized returns a slice of n bytes, the one that is given if it is large enough.
func sized(p []byte, n int) []byte {
	if cap(p) < n {
		return make([]byte, n)
	}
	return p[:n]
}

func (b *blob) errClosed() error {
	return fmt.Errorf("compressblob: %q: %w", b.key, fs.ErrClosed)
}

// Close closes the stored file.
func (b *blob) Close() error {
	b.closed = true
	b.content, b.encoded, b.chunk = nil, nil, noChunk
	return b.stored.Close()
}
