package program

import (
	"context"
	"errors"
	"io"

	"github.com/dataexport/dataexport"
)

// ExportUnhashed is an export whose bytes go past the engine: it checks every row but hashes nothing, and a goroutine writes.
func ExportUnhashed(ctx context.Context, w io.Writer, d dataexport.Dataset, r dataexport.Renderer, q dataexport.Query) (int64, error) {
	b := &writeBehind{filled: make(chan []byte, 3), free: make(chan []byte, 3), done: make(chan error, 1)}
	for range cap(b.free) {
		b.free <- make([]byte, 0, 256<<10)
	}
	go b.drain(w)
	_, err := dataexport.Export(ctx, io.Discard, d, past{r, b}, q)
	b.flush()
	close(b.filled)
	return b.bytes, errors.Join(err, <-b.done)
}

// past is a renderer that writes to a target of its own.
type past struct {
	dataexport.Renderer
	target io.Writer
}

func (p past) Open(ctx context.Context, _ io.Writer, doc *dataexport.Doc) (dataexport.Encoder, error) {
	return p.Renderer.Open(ctx, p.target, doc)
}

// writeBehind is a writer whose bytes another goroutine writes.
type writeBehind struct {
	bytes  int64 // written to it
	chunk  []byte
	filled chan []byte
	free   chan []byte
	done   chan error
}

func (b *writeBehind) drain(w io.Writer) {
	var first error
	for chunk := range b.filled {
		if first == nil {
			_, first = w.Write(chunk)
		}
		b.free <- chunk[:0]
	}
	b.done <- first
}

func (b *writeBehind) Write(p []byte) (int, error) {
	written := len(p)
	b.bytes += int64(written)
	for len(p) > 0 {
		if b.chunk == nil {
			b.chunk = <-b.free
		}
		n := min(len(p), cap(b.chunk)-len(b.chunk))
		b.chunk = append(b.chunk, p[:n]...)
		p = p[n:]
		if len(b.chunk) == cap(b.chunk) {
			b.flush()
		}
	}
	return written, nil
}

func (b *writeBehind) flush() {
	if b.chunk != nil {
		b.filled <- b.chunk
		b.chunk = nil
	}
}
