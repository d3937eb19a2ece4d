package rendertest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/dataexport/dataexport"
)

// doc returns the document that all checks render.
func (s *subject) doc() *dataexport.Doc {
	return &dataexport.Doc{Info: s.dataset.info, Time: time.Date(2026, 1, 15, 10, 30, 0, 123_000_000, time.UTC)}
}

// render writes a whole document of count records in each list, and returns the first error.
func (s *subject) render(w io.Writer, doc *dataexport.Doc, count int) (err error) {
	encoder, err := s.renderer.Open(context.Background(), w, doc)
	if err != nil {
		return err
	}
	defer func() {
		if closeErr := encoder.Close(); err == nil && closeErr != nil {
			err = fmt.Errorf("Close: %w", closeErr)
		}
	}()
	summary, err := s.renderRows(encoder, doc, count, func(e dataexport.Encoder, row dataexport.Row) error { return e.Row(row) })
	if err != nil {
		return err
	}
	return encoder.Finish(summary)
}

// renderRows begins each collection and gives each row to the function give.
func (s *subject) renderRows(
	encoder dataexport.Encoder, doc *dataexport.Doc, count int, give func(dataexport.Encoder, dataexport.Row) error,
) (dataexport.Summary, error) {
	summary := dataexport.Summary{Counts: make([]int64, len(doc.Info.Collections))}
	for i := range doc.Info.Collections {
		collection := &doc.Info.Collections[i]
		if err := encoder.Begin(collection); err != nil {
			return summary, err
		}
		n := count
		if collection.Single {
			n = 1
		} else {
			summary.Records += int64(n)
		}
		summary.Counts[i] = int64(n)
		for number := range n {
			if err := give(encoder, s.dataset.row(i, number)); err != nil {
				return summary, err
			}
		}
	}
	return summary, nil
}

// document renders count records in each list.
func (s *subject) document(count int) ([]byte, error) {
	var out bytes.Buffer
	err := s.render(&out, s.doc(), count)
	return out.Bytes(), err
}

// expectCounts reads a document back.
func (s *subject) expectCounts(document []byte, count int) error {
	if s.options.Count == nil {
		return fmt.Errorf("%w: Options.Count is nil", errSkip)
	}
	counts, err := s.options.Count(document, s.dataset.info)
	if err != nil {
		return fmt.Errorf("the document cannot be read: %w", err)
	}
	for i, c := range s.dataset.info.Collections {
		want := int64(count)
		if c.Single {
			want = 1
		}
		if len(counts) != len(s.dataset.info.Collections) || counts[i] != want {
			return fmt.Errorf("the reader counted %v; collection %s has %d records", counts, c.Name, want)
		}
	}
	return nil
}

// errDisk is the error of writers that fail.
var errDisk = errors.New("the disk is full")

// A recorder is a writer that knows when it is written to. It has a method Close, which no encoder may call.
type recorder struct {
	limit  int // the number of bytes after which writing fails; negative for none
	size   int
	writes int
	failed bool
	abuse  error // the first thing done with it that is not allowed
	closed bool  // the encoder has been closed
}

func (w *recorder) Write(p []byte) (int, error) {
	switch {
	case w.abuse != nil:
	case w.closed:
		w.abuse = errors.New("the encoder writes while it is closed or after that")
	case w.failed:
		w.abuse = errors.New("the encoder writes again after the writer has failed")
	}
	w.writes++
	if w.limit >= 0 && w.size+len(p) > w.limit {
		w.failed = true
		n := w.limit - w.size
		w.size = w.limit
		return n, errDisk
	}
	w.size += len(p)
	return len(p), nil
}

func (w *recorder) Close() error {
	w.abuse = errors.New("the encoder closes the writer")
	return nil
}
