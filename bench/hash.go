package main

import (
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"

	"github.com/dataexport/dataexport"
	"github.com/dataexport/dataexport/bench/internal/race"
	"github.com/dataexport/dataexport/bench/internal/records"
	"github.com/dataexport/dataexport/render"
)

// runHash measures what the SHA-256 of a file costs: an export against the same one without.
func runHash(ctx context.Context, b *bench) error {
	const withHash, without = "dataexport, engine with SHA-256", "the same without SHA-256"
	list := records.NewHotList(records.Dirty, 200_000)
	data := datasetOf(list)
	file := filepath.Join(b.directory, "hash")
	return b.run(ctx, &race.Race{
		Title: "JSON to a file", Records: list.Len(),
		Ratios: []race.Ratio{{Name: "file/without-sha256", Target: 0.87, Ours: withHash, Theirs: []string{without}}}, // 1 / 1.15
		Sides: []race.Side{
			fileSide(withHash, file, func(ctx context.Context, w io.Writer) (int64, error) { return export(ctx, w, data, render.JSON()) }),
			fileSide(without, file, func(ctx context.Context, w io.Writer) (int64, error) {
				return exportUnhashed(ctx, w, data, render.JSON())
			}),
		},
	}, b.onDisk())
}

// fileSide makes a side of what writes a file.
func fileSide(name, file string, write func(context.Context, io.Writer) (int64, error)) race.Side {
	side := race.InProcess(name, func(ctx context.Context) (int64, error) {
		f, err := os.Create(file)
		if err != nil {
			return 0, err
		}
		n, err := write(ctx, f)
		return n, errors.Join(err, f.Close())
	})
	run := side.Run
	side.Run = func(ctx context.Context) (race.Sample, error) {
		if err := os.Remove(file); err != nil && !errors.Is(err, os.ErrNotExist) {
			return race.Sample{}, err
		}
		return run(ctx)
	}
	return side
}

// exportUnhashed is an export whose bytes go past the engine: it checks every row but hashes nothing, and a goroutine writes.
func exportUnhashed(ctx context.Context, w io.Writer, d dataexport.Dataset, r dataexport.Renderer) (int64, error) {
	b := &writeBehind{filled: make(chan []byte, 3), free: make(chan []byte, 3), done: make(chan error, 1)}
	for range cap(b.free) {
		b.free <- make([]byte, 0, 256<<10)
	}
	go b.drain(w)
	_, err := export(ctx, io.Discard, d, past{r, b})
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
