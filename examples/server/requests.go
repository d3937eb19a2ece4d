package main

import (
	"context"
	"net/http"
	"sync"
)

// requests knows of the requests that are being answered. http.Server forgets those whose connection it has closed, but what
// answers them may still be at work, and needs the store and the files until it is done: after a deletion, for example, it
// removes the file.
type requests struct {
	mu      sync.Mutex
	closed  bool
	running sync.WaitGroup
}

// counted has requests answered by a handler, until closing; those that come later are not answered at all.
func (q *requests) counted(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !q.begin() {
			panic(http.ErrAbortHandler)
		}
		defer q.running.Done()
		next.ServeHTTP(w, r)
	})
}

func (q *requests) begin() bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	if !q.closed {
		q.running.Add(1)
	}
	return !q.closed
}

// close takes no more requests, and waits until those under way have ended or ctx is done, whose error it returns.
func (q *requests) close(ctx context.Context) error {
	q.mu.Lock()
	q.closed = true
	q.mu.Unlock()
	ended := make(chan struct{})
	go func() {
		q.running.Wait()
		close(ended)
	}()
	select {
	case <-ended:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
