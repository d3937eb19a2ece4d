package httpadapter

import (
	"errors"
	"log/slog"
	"net/http"
	"os"
	"time"
)

// streamPiece is how many bytes are sent under one deadline. It is small, so that a slow client is not taken for one that
// has stopped: at the default of 30 s it must take 1.1 kB/s.
const streamPiece = 32 << 10

// A streamWriter sends an export whose length is not known in advance, each piece of it within a time.
type streamWriter struct {
	exchange   *exchange
	controller *http.ResponseController
	timeout    time.Duration // of a piece; negative for none
	begun      bool
	err        error // the first of sending
}

func newStreamWriter(x *exchange, timeout time.Duration) *streamWriter {
	return &streamWriter{exchange: x, controller: http.NewResponseController(x.w), timeout: timeout}
}

// begin sends the headers.
func (w *streamWriter) begin() error {
	w.begun = true
	return w.within(func() error {
		w.exchange.w.WriteHeader(http.StatusOK)
		return w.flush()
	})
}

// Write sends.
func (w *streamWriter) Write(p []byte) (written int, err error) {
	for len(p) > 0 {
		piece := p[:min(len(p), streamPiece)]
		n := 0
		err := w.within(func() (err error) {
			n, err = w.exchange.w.Write(piece)
			return err
		})
		written += n
		if err != nil {
			return written, err
		}
		p = p[len(piece):]
	}
	return written, nil
}

// end sends what buffers of the server still hold. The deadline stays for what the server sends after the handler.
func (w *streamWriter) end() error {
	w.setDeadline(w.timeout)
	w.remember(w.flush())
	return w.err
}

// within sends under a deadline. It is taken away afterwards, since it must not run out while the source has nothing to
// send: for HTTP/2 it would end the stream.
func (w *streamWriter) within(send func() error) error {
	w.setDeadline(w.timeout)
	w.remember(send())
	if w.err == nil {
		w.setDeadline(-1)
	}
	return w.err
}

func (w *streamWriter) remember(err error) {
	if w.err == nil {
		w.err = err
	}
}

// flush sends what is buffered, where the http.ResponseWriter can.
func (w *streamWriter) flush() error {
	if err := w.controller.Flush(); !errors.Is(err, http.ErrNotSupported) {
		return err
	}
	return nil
}

// setDeadline sets the time within which sending must be done; a negative one is none.
func (w *streamWriter) setDeadline(timeout time.Duration) {
	var deadline time.Time
	if timeout >= 0 {
		deadline = time.Now().Add(timeout)
	}
	if err := w.controller.SetWriteDeadline(deadline); err != nil && timeout >= 0 && w.timeout >= 0 {
		w.timeout = -1 // and this is said once
		w.exchange.log(slog.LevelWarn, "a client that stalls cannot be cut off, since the http.ResponseWriter has no deadline; "+
			"does middleware wrap it without a method Unwrap?", err)
	}
}

// stalled reports whether the client was too slow.
func (w *streamWriter) stalled() bool { return errors.Is(w.err, os.ErrDeadlineExceeded) }

// abort breaks the connection, the one way left to say that this is not the whole export. The deadline in the past keeps
// the server from ending the answer properly if middleware recovers from the panic.
func (w *streamWriter) abort() {
	_ = w.controller.SetWriteDeadline(time.Unix(1, 0)) // the panic does the same, without middleware
	panic(http.ErrAbortHandler)
}
