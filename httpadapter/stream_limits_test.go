package httpadapter_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/dataexport/dataexport"
	"github.com/dataexport/dataexport/httpadapter"
	"github.com/stretchr/testify/require"
)

// HTTP/1.0 knows no chunks: a client could not tell an answer that broke off from one that ended.
func TestStreamRefusesHTTP10(t *testing.T) {
	f := newStreamFixture(t, &accounts{}, nil)
	server := protocols()[0].serve(t, f.handler, nil)
	for _, method := range []string{http.MethodGet, http.MethodHead} {
		connection, err := net.Dial("tcp", server.Listener.Addr().String())
		require.NoError(t, err)
		_, err = fmt.Fprintf(connection, "%s / HTTP/1.0\r\nX-Api-Key: %s\r\n\r\n", method, keyRead)
		require.NoError(t, err)
		answer, err := http.ReadResponse(bufio.NewReader(connection), &http.Request{Method: method})
		require.NoError(t, err)
		require.Equal(t, http.StatusHTTPVersionNotSupported, answer.StatusCode)
		body := readAll(t, answer)
		if method == http.MethodGet {
			require.Contains(t, body, `"HTTP_VERSION_NOT_SUPPORTED"`)
		}
		require.NoError(t, answer.Body.Close())
		require.NoError(t, connection.Close())
	}
	require.Empty(t, f.log.lines(t))
}

func TestStreamsAreCapped(t *testing.T) {
	for name, c := range map[string]struct{ max, most int }{"default": {0, 8}, "one": {1, 1}, "none": {-1, 20}} {
		t.Run(name, func(t *testing.T) {
			started, release := make(chan struct{}, 100), make(chan struct{})
			f := newStreamFixture(t, &accounts{letters: func(ctx context.Context, yield func(dataexport.Row, error) bool) {
				started <- struct{}{}
				<-release
			}}, func(o *httpadapter.StreamOptions) { o.MaxStreams = c.max })
			server := protocols()[0].serve(t, f.handler, nil)
			var answers []*http.Response
			for range c.most {
				answers = append(answers, get(t, server, keyRead))
				receive(t, started, "the stream did not start")
			}
			if c.max >= 0 {
				w := f.do(http.MethodGet, "/")
				requireProblem(t, w, http.StatusTooManyRequests, "TOO_MANY_EXPORTS")
				require.NotEmpty(t, w.Header().Get("Retry-After"))
				require.Equal(t, http.StatusTooManyRequests, f.do(http.MethodHead, "/").Code)
				require.Equal(t, http.StatusUnauthorized, f.do(http.MethodGet, "/", "X-Api-Key", "").Code)
			}
			close(release)
			for _, answer := range answers {
				require.Equal(t, accountText("ann", 0), readAll(t, answer))
			}
			// A client has its answer a moment before the handler has returned.
			require.Eventually(t, func() bool { return f.do(http.MethodGet, "/").Code == http.StatusOK }, time.Minute, time.Millisecond)
		})
	}
}

// A place is free again after any end of a stream.
func TestStreamsLeaveTheirPlaces(t *testing.T) {
	f := newStreamFixture(t, &accounts{}, func(o *httpadapter.StreamOptions) { o.MaxStreams = 1 })
	for range 3 {
		require.Equal(t, http.StatusOK, f.do(http.MethodGet, "/").Code)
		require.Equal(t, http.StatusOK, f.do(http.MethodHead, "/").Code)
		f.accounts.letters = letters(1, io.ErrUnexpectedEOF)
		require.PanicsWithValue(t, http.ErrAbortHandler, func() { f.do(http.MethodGet, "/") })
		f.accounts.letters = letters(1, nil)
		f.accounts.open = dataexport.ErrNotFound
		require.Equal(t, http.StatusNotFound, f.do(http.MethodGet, "/").Code)
		f.accounts.open = nil
	}
}

// endless yields letters until nobody wants them.
func endless(_ context.Context, yield func(dataexport.Row, error) bool) {
	letters(1<<40, nil)(context.Background(), yield)
}

// A client that asks and does not read is cut off, and the view is closed.
func TestAStalledReaderIsCutOff(t *testing.T) {
	for _, p := range protocols() {
		t.Run(p.name, func(t *testing.T) {
			t.Parallel()
			f := newStreamFixture(t, &accounts{letters: endless, closed: make(chan struct{}, 1)}, func(o *httpadapter.StreamOptions) {
				o.WriteTimeout = time.Second
			})
			answer := get(t, p.serve(t, f.handler, nil), keyRead)
			receive(t, f.accounts.closed, "the view was not closed")
			_, err := io.Copy(io.Discard, answer.Body)
			require.Error(t, err)
			// The handler may still be at it when the client knows.
			require.Eventually(t, func() bool { return len(f.log.lines(t)) > 0 }, time.Minute, time.Millisecond)
			require.Len(t, f.log.lines(t), 1)
			require.NotEqual(t, "ERROR", f.log.lines(t)[0].Level)
		})
	}
}

// A client that goes away stops the source, also while that waits for something.
func TestAReaderThatGoesAwayStopsTheSource(t *testing.T) {
	for _, p := range protocols() {
		t.Run(p.name, func(t *testing.T) {
			f := newStreamFixture(t, &accounts{closed: make(chan struct{}, 1), letters: func(ctx context.Context, yield func(dataexport.Row, error) bool) {
				<-ctx.Done()
				yield(nil, ctx.Err())
			}}, nil)
			answer := get(t, p.serve(t, f.handler, nil), keyRead)
			require.NoError(t, answer.Body.Close())
			receive(t, f.accounts.closed, "the view was not closed")
		})
	}
}

// The time for a write does not run while the source is slow, and replaces that of the server for the whole answer.
func TestASlowSourceIsNotCutOff(t *testing.T) {
	const timeout = time.Second / 3
	for _, p := range protocols() {
		t.Run(p.name, func(t *testing.T) {
			t.Parallel()
			f := newStreamFixture(t, &accounts{letters: func(ctx context.Context, yield func(dataexport.Row, error) bool) {
				letters(600, nil)(ctx, yield) // two chunks, and the beginning of a third one
				<-time.After(2 * timeout)
			}}, func(o *httpadapter.StreamOptions) { o.WriteTimeout = time.Minute })
			server := p.serve(t, f.handler, func(s *http.Server) { s.WriteTimeout = timeout })
			require.Equal(t, accountText("ann", 600), readAll(t, get(t, server, keyRead)))

			f = newStreamFixture(t, f.accounts, func(o *httpadapter.StreamOptions) { o.WriteTimeout = timeout })
			require.Equal(t, accountText("ann", 600), readAll(t, get(t, p.serve(t, f.handler, nil), keyRead)))
		})
	}
}

// Where no deadline can be set, the archive is sent all the same, and the log says what is missing.
func TestAResponseWriterWithoutDeadlines(t *testing.T) {
	f := newStreamFixture(t, &accounts{letters: letters(500, nil)}, nil)
	w := httptest.NewRecorder() // which has none
	f.handler.ServeHTTP(w, f.request(http.MethodGet, "/"))
	require.Equal(t, accountText("ann", 500), w.Body.String())
	lines := f.log.lines(t)
	require.Len(t, lines, 1)
	require.Equal(t, "WARN", lines[0].Level)
	require.Contains(t, lines[0].Message, "Unwrap")

	f = newStreamFixture(t, &accounts{}, func(o *httpadapter.StreamOptions) { o.WriteTimeout = -1 })
	require.Equal(t, http.StatusOK, f.do(http.MethodGet, "/").Code)
	require.Empty(t, f.log.lines(t)) // nobody asked for one
}

// A deadlineWriter holds that whatever is sent is sent under a deadline.
type deadlineWriter struct {
	*httptest.ResponseRecorder
	t        *testing.T
	deadline time.Time
	longest  int
}

func (w *deadlineWriter) SetWriteDeadline(deadline time.Time) error {
	w.deadline = deadline
	return nil
}

func (w *deadlineWriter) Write(p []byte) (int, error) {
	require.False(w.t, w.deadline.IsZero(), "a write without a deadline")
	w.longest = max(w.longest, len(p))
	return w.ResponseRecorder.Write(p)
}

func (w *deadlineWriter) FlushError() error {
	require.False(w.t, w.deadline.IsZero(), "a flush without a deadline")
	w.Flush()
	return nil
}

func TestStreamSendsUnderADeadline(t *testing.T) {
	f := newStreamFixture(t, &accounts{}, nil)
	w := &deadlineWriter{ResponseRecorder: httptest.NewRecorder(), t: t}
	f.accounts.letters = func(ctx context.Context, yield func(dataexport.Row, error) bool) {
		require.True(t, w.deadline.IsZero(), "a deadline while nothing is sent")
		letters(500, nil)(ctx, yield)
	}
	f.handler.ServeHTTP(w, f.request(http.MethodGet, "/"))
	require.Equal(t, accountText("ann", 500), w.Body.String())
	require.Equal(t, 32<<10, w.longest)
	require.False(t, w.deadline.IsZero(), "what the server sends at the end has a deadline too")
	require.Empty(t, f.log.lines(t))
}
