package blobtest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"runtime"
	"testing"

	"github.com/dataexport/dataexport"
)

func failureTests() map[string]func(*testing.T, dataexport.BlobStore) {
	return map[string]func(*testing.T, dataexport.BlobStore){
		"error before the first byte":     func(t *testing.T, s dataexport.BlobStore) { testError(t, s, 0) },
		"error after some bytes":          func(t *testing.T, s dataexport.BlobStore) { testError(t, s, 1000) },
		"error after many bytes":          func(t *testing.T, s dataexport.BlobStore) { testError(t, s, 9<<20) },
		"error keeps the old blob":        testErrorKeepsOldBlob,
		"panic":                           testPanic,
		"panic keeps the old blob":        testPanicKeepsOldBlob,
		"goroutine exits":                 testGoexit,
		"cancelled before":                testCancelledBefore,
		"cancelled during":                testCancelledDuring,
		"cancelled after the last write":  testCancelledAfterLastWrite,
		"cancelled keeps the old blob":    testCancelledKeepsOldBlob,
		"write error that is not passed":  testSwallowedError,
		"writer used after the end":       testWriterAfterEnd,
		"read methods of a cancelled ctx": testCancelledReads,
	}
}

var (
	errWrite  = errors.New("the source has failed")
	errCancel = errors.New("the lease is lost")
)

func testError(t *testing.T, s dataexport.BlobStore, size int) {
	err := s.Put(t.Context(), "job/1", format(), failing(size))
	if !errors.Is(err, errWrite) {
		t.Errorf("Put returns %v, want the error of write", err)
	}
	wantNoBlob(t, s, "job/1")
	wantEmpty(t, s)
}

// failing returns what Put is given to write size bytes and fail.
func failing(size int) func(io.Writer) error {
	return func(w io.Writer) error {
		if _, err := w.Write(content(size, 1)); err != nil {
			return err
		}
		return fmt.Errorf("write: %w", errWrite)
	}
}

func testErrorKeepsOldBlob(t *testing.T, s dataexport.BlobStore) {
	want := content(3000, 2)
	put(t, s, "job/1", want)
	if err := s.Put(t.Context(), "job/1", format(), failing(4000)); !errors.Is(err, errWrite) {
		t.Errorf("Put returns %v, want the error of write", err)
	}
	wantBlob(t, s, "job/1", want)
	wantAlone(t, s, "job/1")
}

// wantAlone checks that a blob is all there is in the store, without unfinished ones.
func wantAlone(t *testing.T, s dataexport.BlobStore, key string) {
	t.Helper()
	if infos := list(t.Context(), t, s, ""); len(infos) != 1 || infos[0].Key != key || infos[0].Unfinished {
		t.Errorf("List yields %+v, want %q alone", infos, key)
	}
}

func testPanic(t *testing.T, s dataexport.BlobStore) {
	wantPanic(t, s)
	wantNoBlob(t, s, "job/1")
	wantEmpty(t, s)
	put(t, s, "job/1", content(10, 3)) // the store goes on
	wantBlob(t, s, "job/1", content(10, 3))
}

func wantPanic(t *testing.T, s dataexport.BlobStore) {
	t.Helper()
	defer func() {
		got := recover()
		if err, ok := got.(error); !ok || !errors.Is(err, errWrite) {
			t.Errorf("Put panics with %v, want what write has panicked with", got)
		}
	}()
	err := s.Put(t.Context(), "job/1", format(), func(w io.Writer) error {
		if _, err := w.Write(content(1000, 4)); err != nil {
			t.Errorf("Write: %v", err)
		}
		panic(errWrite)
	})
	t.Errorf("Put returns %v, want the panic of write to pass through", err)
}

func testPanicKeepsOldBlob(t *testing.T, s dataexport.BlobStore) {
	want := content(3000, 5)
	put(t, s, "job/1", want)
	wantPanic(t, s)
	wantBlob(t, s, "job/1", want)
	wantAlone(t, s, "job/1")
}

// runtime.Goexit, which is what t.FailNow of a test calls, is no success.
func testGoexit(t *testing.T, s dataexport.BlobStore) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = s.Put(t.Context(), "job/1", format(), func(w io.Writer) error {
			_, _ = w.Write(content(1000, 6))
			runtime.Goexit()
			return nil
		})
		t.Error("Put has returned")
	}()
	<-done
	wantNoBlob(t, s, "job/1")
	wantEmpty(t, s)
}

func testCancelledBefore(t *testing.T, s dataexport.BlobStore) {
	err := s.Put(cancelled(t), "job/1", format(), func(w io.Writer) error {
		_, err := w.Write(content(10, 7))
		return err
	})
	wantCancelled(t, err)
	wantEmpty(t, s)
}

// cancelled returns a context that is done, for the cause errCancel.
func cancelled(t *testing.T) context.Context {
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(errCancel)
	return ctx
}

func wantCancelled(t *testing.T, err error) {
	t.Helper()
	if !errors.Is(err, errCancel) {
		t.Errorf("the error is %v, want the cause of the context", err)
	}
}

// An export that writes on and on stops by an error of Write.
func testCancelledDuring(t *testing.T, s dataexport.BlobStore) {
	ctx, cancel := context.WithCancelCause(t.Context())
	defer cancel(nil)
	const bound = 256 // times 128 KiB; a store with a buffer may notice late, but not never
	writes := 0
	err := s.Put(ctx, "job/1", format(), func(w io.Writer) error {
		piece := content(128<<10, 8)
		for ; writes < bound; writes++ {
			if writes == 2 {
				cancel(errCancel)
			}
			if _, err := w.Write(piece); err != nil {
				return err
			}
		}
		return nil
	})
	wantCancelled(t, err)
	if writes == bound {
		t.Errorf("Write has taken %d bytes after the end of the context", (bound-2)*128<<10)
	}
	wantNoBlob(t, s, "job/1")
	wantEmpty(t, s)
}

func testCancelledAfterLastWrite(t *testing.T, s dataexport.BlobStore) {
	wantCancelled(t, putCancelled(t, s))
	wantNoBlob(t, s, "job/1")
	wantEmpty(t, s)
}

// putCancelled returns the error of a Put whose context is done just before the commit.
func putCancelled(t *testing.T, s dataexport.BlobStore) error {
	ctx, cancel := context.WithCancelCause(t.Context())
	defer cancel(nil)
	return s.Put(ctx, "job/1", format(), func(w io.Writer) error {
		_, err := w.Write(content(1000, 9))
		cancel(errCancel)
		return err
	})
}

func testCancelledKeepsOldBlob(t *testing.T, s dataexport.BlobStore) {
	want := content(3000, 10)
	put(t, s, "job/1", want)
	wantCancelled(t, s.Put(cancelled(t), "job/1", format(), writing(content(10, 11))))
	wantCancelled(t, putCancelled(t, s))
	wantBlob(t, s, "job/1", want)
	wantAlone(t, s, "job/1")
}

// An error of Write makes the Put fail even if write says that all is well, for the blob would lack what was not written.
func testSwallowedError(t *testing.T, s dataexport.BlobStore) {
	ctx, cancel := context.WithCancelCause(t.Context())
	defer cancel(nil)
	err := s.Put(ctx, "job/1", format(), func(w io.Writer) error {
		cancel(errCancel)
		_, _ = w.Write(content(1000, 12))
		return nil
	})
	wantCancelled(t, err)
	wantEmpty(t, s)
}

// A writer that has outlived its Put changes no blob any more.
func testWriterAfterEnd(t *testing.T, s dataexport.BlobStore) {
	want := content(1000, 13)
	var late io.Writer
	err := s.Put(t.Context(), "job/1", format(), func(w io.Writer) error {
		late = w
		_, err := w.Write(want)
		return err
	})
	if err != nil {
		t.Fatalf("Put: %v", err)
	}
	_, _ = late.Write([]byte("late")) // an error tells the caller of the mistake, but none is promised
	wantBlob(t, s, "job/1", want)
	wantAlone(t, s, "job/1")
}

func testCancelledReads(t *testing.T, s dataexport.BlobStore) {
	want := content(10, 14)
	put(t, s, "job/1", want)
	b, err := s.Open(cancelled(t), "job/1")
	if err == nil {
		closeBlob(t, b)
	}
	wantCancelled(t, err)
	wantCancelled(t, s.Delete(cancelled(t), "job/1"))
	wantBlob(t, s, "job/1", want)
}
