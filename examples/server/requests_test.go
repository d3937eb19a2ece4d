package main

import (
	"context"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// A pipeListener accepts connections that need no network, whose time a test can turn.
type pipeListener struct {
	connections chan net.Conn
	closed      context.Context
	closeIt     context.CancelFunc
}

func newPipeListener(ctx context.Context) *pipeListener {
	l := &pipeListener{connections: make(chan net.Conn)}
	l.closed, l.closeIt = context.WithCancel(ctx)
	return l
}

func (l *pipeListener) Accept() (net.Conn, error) {
	select {
	case c := <-l.connections:
		return c, nil
	case <-l.closed.Done():
		return nil, net.ErrClosed
	}
}

func (l *pipeListener) Close() error   { l.closeIt(); return nil }
func (l *pipeListener) Addr() net.Addr { return &net.UnixAddr{Name: "pipe"} }

// request sends a request on a connection of its own, and returns what comes back until that ends.
func (l *pipeListener) request(t *testing.T, text string) <-chan string {
	client, server := net.Pipe()
	l.connections <- server
	answer := make(chan string, 1)
	go func() {
		_, err := io.WriteString(client, text)
		assert.NoError(t, err)
		all, _ := io.ReadAll(client)
		answer <- string(all)
	}()
	return answer
}

// TestStoppingWaitsForRequests has a request that goes on working after its client was cut off.
func TestStoppingWaitsForRequests(t *testing.T) {
	for name, c := range map[string]struct {
		takes  time.Duration // how long the request takes in all
		answer string
		stops  time.Duration
		log    string
	}{
		"short":       {takes: 3 * time.Second, answer: "HTTP/1.1 204 No Content", stops: 3 * time.Second},
		"cut off":     {takes: 12 * time.Second, stops: 12 * time.Second, log: "cut off"},
		"without end": {takes: time.Hour, stops: shutdownTimeout + cleanupTimeout, log: "still under way"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var log strings.Builder
				front := newFront(slog.New(slog.DiscardHandler))
				done := make(chan struct{})
				front.open(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
					defer close(done)
					time.Sleep(c.takes) // in the bubble's time, and whatever its context says
					w.WriteHeader(http.StatusNoContent)
				}))
				ctx, stop := context.WithCancel(t.Context())
				listener, ended := newPipeListener(t.Context()), make(chan error)
				go func() { ended <- answer(ctx, front, listener, slog.New(slog.NewTextHandler(&log, nil))) }()
				got := listener.request(t, "DELETE /v1/exports/1 HTTP/1.1\r\nHost: h\r\n\r\n")
				synctest.Wait()
				begun := time.Now()
				stop()
				require.NoError(t, <-ended)
				// http.Server looks for its last connection every half second at the most.
				assert.InDelta(t, c.stops.Seconds(), time.Since(begun).Seconds(), 1)
				assert.Contains(t, log.String(), c.log)
				if c.log == "" {
					assert.NotContains(t, log.String(), "level=WARN")
				}
				if c.answer == "" {
					assert.Empty(t, <-got)
				} else {
					assert.Contains(t, <-got, c.answer)
				}
				<-done
			})
		})
	}
}

// TestLateRequestsAreNotAnswered has a request begin that the server has read before it was closed.
func TestLateRequestsAreNotAnswered(t *testing.T) {
	t.Parallel()
	var running requests
	handler := running.counted(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("it is answered") }))
	require.NoError(t, running.close(t.Context()))
	assert.PanicsWithValue(t, http.ErrAbortHandler, func() { handler.ServeHTTP(nil, nil) })
}
