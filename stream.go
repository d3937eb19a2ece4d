package dataexport

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"
)

// A StreamRequest asks for an export that goes straight to its reader.
type StreamRequest struct {
	Scope   Scope
	Dataset string // empty for the default
	Format  string // empty for the default

	// Begin is called once, when it is certain that there is something to send, and returns where to. That is when the
	// first collection is complete, which of an archive is the account, or when the first 256 KiB are rendered, whichever
	// comes first. An error of it ends the stream, and is returned. It may be called on another goroutine, as the writer
	// may, but never while the writer is in use, and not after Stream has returned.
	Begin func(StreamHead) (io.Writer, error)
}

// A StreamHead describes an export that is about to be sent.
type StreamHead struct {
	Dataset string
	Format  Format
	Time    time.Time // the time of the document, UTC, in whole milliseconds
}

// Stream exports at once, without a job; nothing is stored. It obeys Limits.Records and Limits.Bytes, and refuses what
// Create would refuse: with a *ValidationError, or with ErrUnavailable while the service stops. It returns ErrNotFound if
// the dataset says that the scope has nothing, such as no account.
//
// An error before Begin was called is one about which the reader can be told in place of the export. After that the reader
// has a part of the document, and must learn that it is not the whole, for example by a connection that breaks. The writer
// gets pieces of up to 256 KiB; when it fails, the context of the source is cancelled.
func (s *Service) Stream(ctx context.Context, r StreamRequest) (Summary, error) {
	if s.stopping.Load() {
		return Summary{}, fmt.Errorf("%w: the service is stopping", ErrUnavailable)
	}
	if err := r.Scope.validate(); err != nil {
		return Summary{}, err
	}
	info, renderer, err := s.check(&CreateRequest{Scope: r.Scope, Dataset: r.Dataset, Format: r.Format})
	if err != nil {
		return Summary{}, err
	}
	dataset, _ := s.config.dataset(info.Name) // check has found it
	head := StreamHead{Dataset: info.Name, Format: renderer.Format(), Time: time.Now().UTC().Truncate(time.Millisecond)}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	w := &streamWriter{begin: func() (io.Writer, error) { return r.Begin(head) }, fail: cancel}
	e := &export{
		dataset: dataset, info: info, renderer: renderer,
		query:        Query{Scope: r.Scope},
		documentTime: head.Time,
		limits:       s.config.Limits,
		ready:        w.start,
	}
	summary, err := e.run(ctx, w)
	if cause := context.Cause(ctx); err != nil && cause != nil && !errors.Is(err, cause) {
		err = fmt.Errorf("%w: %w", cause, err) // a source that is stopped knows only that
	}
	return summary, err
}

// A streamWriter gets its writer when it is needed first.
type streamWriter struct {
	begin func() (io.Writer, error)
	fail  context.CancelCauseFunc
	once  sync.Once
	w     io.Writer
	err   error // of begin
}

// start calls begin if nobody has. It is called where the document is rendered and where it is written, whoever is first.
func (w *streamWriter) start() error {
	w.once.Do(func() {
		w.err = errors.New("dataexport: Begin panicked") // unless it returns
		target, err := w.begin()
		if w.w, w.err = target, err; err != nil {
			w.fail(err)
		}
	})
	return w.err
}

// Write writes, and stops the source if that fails: it may be waiting for something, and would not learn of it.
func (w *streamWriter) Write(p []byte) (int, error) {
	if err := w.start(); err != nil {
		return 0, err
	}
	n, err := w.w.Write(p)
	if err != nil {
		w.fail(err)
	}
	return n, err
}
