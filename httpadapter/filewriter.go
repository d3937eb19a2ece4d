package httpadapter

import (
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strconv"
	"strings"
	"syscall"
)

// A fileWriter stands between http.ServeContent and the client. It counts what is sent, and holds back the errors that
// ServeContent would answer as plain text.
type fileWriter struct {
	http.ResponseWriter
	promised int64 // Content-Length
	written  int64
	err      error // of sending; from ReadFrom maybe of reading
	sending  bool  // err is of sending for certain
	refused  int   // the status that was held back
	text     strings.Builder
}

// WriteHeader holds back errors.
func (w *fileWriter) WriteHeader(status int) {
	if status >= http.StatusBadRequest {
		w.refused = status
		return
	}
	if status != http.StatusNotModified {
		w.promised = contentLength(w.Header())
	}
	w.ResponseWriter.WriteHeader(status)
}

// Write sends, or keeps the text of an error.
func (w *fileWriter) Write(p []byte) (int, error) {
	if w.refused != 0 {
		w.text.Write(p)
		return len(p), nil
	}
	n, err := w.ResponseWriter.Write(p)
	w.written += int64(n)
	if err != nil {
		w.err, w.sending = err, true
	}
	return n, err
}

// ReadFrom lets the kernel copy the file (sendfile) where the connection can.
func (w *fileWriter) ReadFrom(r io.Reader) (int64, error) {
	to, ok := w.ResponseWriter.(io.ReaderFrom)
	if !ok || w.refused != 0 {
		return io.Copy(struct{ io.Writer }{w}, r)
	}
	n, err := to.ReadFrom(r)
	w.written += n
	if err != nil {
		w.err = err
	}
	return n, err
}

// refusal is the error that was held back.
func (w *fileWriter) refusal(fault error) error {
	switch {
	case fault != nil:
		return fmt.Errorf("httpadapter: reading the file: %w", fault)
	case w.refused == http.StatusRequestedRangeNotSatisfiable:
		return errRange
	case w.refused == http.StatusPreconditionFailed:
		return errPreconditionFailed
	}
	return fmt.Errorf("httpadapter: http.ServeContent answered %d: %s", w.refused, strings.TrimSpace(w.text.String()))
}

// clientFault reports whether the file broke off because the client did not take it.
func (w *fileWriter) clientFault() bool {
	if w.sending {
		return true
	}
	// sendfile reports a disk that cannot be read as an error of the connection, too.
	var network *net.OpError
	return errors.As(w.err, &network) && !errors.Is(w.err, syscall.EIO) || errors.Is(w.err, os.ErrDeadlineExceeded)
}

// contentLength returns what the header promises, or 0.
func contentLength(h http.Header) int64 {
	n, err := strconv.ParseInt(h.Get("Content-Length"), 10, 64)
	if err != nil {
		return 0
	}
	return n
}
