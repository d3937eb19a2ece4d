package cloudblob

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dataexport/dataexport"
)

type statusError int

func (e statusError) Error() string       { return fmt.Sprint("status ", int(e)) }
func (e statusError) HTTPStatusCode() int { return int(e) }

type codeError int

func (e codeError) Error() string { return fmt.Sprint("code ", int(e)) }
func (e codeError) HTTPCode() int { return int(e) }

func TestUnavailable(t *testing.T) {
	for _, c := range []struct {
		err  error
		want bool
	}{
		{statusError(503), true}, {statusError(429), true}, {statusError(500), true}, {statusError(408), true}, {codeError(503), true},
		{statusError(403), false}, {codeError(412), false}, {errors.New("other"), false},
		{&net.OpError{Op: "dial", Err: syscall.ECONNREFUSED}, true}, {&net.DNSError{Err: "no such host"}, true}, {context.DeadlineExceeded, true},
		{&os.PathError{Op: "open", Path: "x", Err: syscall.ENOTDIR}, false},
	} {
		err := fail(t.Context(), "open", "job/1", fmt.Errorf("request: %w", c.err))
		assert.Equal(t, c.want, errors.Is(err, dataexport.ErrUnavailable), "%v", err)
		require.ErrorIs(t, err, c.err)
		require.ErrorContains(t, err, `cloudblob: open "job/1": `)
	}
}

// The text of an error has no query of a URL, in which a signature may be.
func TestWithoutQuery(t *testing.T) {
	err := fmt.Errorf("send: %w", &url.Error{Op: "Put", URL: "https://example.com/c/b?sig=secret&se=1", Err: errors.New("refused")})
	failed := fail(t.Context(), "put", "job/1", err)
	assert.NotContains(t, failed.Error(), "secret")
	assert.Contains(t, failed.Error(), `"https://example.com/c/b": refused`)
	require.ErrorIs(t, failed, err)
	assert.Equal(t, "x", withoutQuery(errors.New("x")).Error())
}

// What ends the context is the error, whatever the storage makes of it.
func TestFailWhenDone(t *testing.T) {
	cause := errors.New("the lease is lost")
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(cause)
	require.ErrorIs(t, fail(ctx, "put", "job/1", context.Canceled), cause)
}
