package cloudblob

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"gocloud.dev/gcerrors"

	"github.com/dataexport/dataexport"
)

// fail describes what went wrong with a key. If ctx is done, that is why, and the error is its cause.
func fail(ctx context.Context, operation, key string, err error) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	err = withoutQuery(err)
	switch {
	case gcerrors.Code(err) == gcerrors.NotFound:
		return fmt.Errorf("cloudblob: %s %q: %w: %w", operation, key, dataexport.ErrNotFound, err)
	case unavailable(err):
		return fmt.Errorf("cloudblob: %s %q: %w: %w", operation, key, dataexport.ErrUnavailable, err)
	}
	return fmt.Errorf("cloudblob: %s %q: %w", operation, key, err)
}

// unavailable reports whether the storage is overloaded, ill or not to be reached, so that a later try may succeed.
func unavailable(err error) bool {
	switch gcerrors.Code(err) {
	case gcerrors.ResourceExhausted, gcerrors.DeadlineExceeded:
		return true
	}
	if status, ok := httpStatus(err); ok {
		return status == http.StatusTooManyRequests || status == http.StatusRequestTimeout || status >= http.StatusInternalServerError
	}
	return errors.Is(err, context.DeadlineExceeded) || errors.Is(err, io.ErrUnexpectedEOF) || disconnected(err)
}

// disconnected reports whether the network has failed. It asks for the types, since syscall.Errno is a net.Error too,
// whatever went wrong with a file.
func disconnected(err error) bool {
	var operation *net.OpError
	var name *net.DNSError
	var request *url.Error
	return errors.As(err, &operation) || errors.As(err, &name) || errors.As(err, &request)
}

// httpStatus returns what the storage has answered. The clients of S3 and of Google have methods for it.
func httpStatus(err error) (status int, ok bool) {
	var s3 interface{ HTTPStatusCode() int }
	if errors.As(err, &s3) && s3.HTTPStatusCode() > 0 {
		return s3.HTTPStatusCode(), true
	}
	var google interface{ HTTPCode() int }
	if errors.As(err, &google) && google.HTTPCode() > 0 {
		return google.HTTPCode(), true
	}
	return 0, false
}

// withoutQuery takes the query out of the URL that an error of net/http names: with some storage it has a signature.
func withoutQuery(err error) error {
	var failure *url.Error
	if !errors.As(err, &failure) {
		return err
	}
	bare, _, found := strings.Cut(failure.URL, "?")
	if !found {
		return err
	}
	text := strings.ReplaceAll(err.Error(), strconv.Quote(failure.URL), strconv.Quote(bare))
	return &redacted{text: strings.ReplaceAll(text, failure.URL, bare), err: err}
}

// A redacted error has another text than the one that it wraps.
type redacted struct {
	text string
	err  error
}

func (e *redacted) Error() string { return e.text }
func (e *redacted) Unwrap() error { return e.err }
