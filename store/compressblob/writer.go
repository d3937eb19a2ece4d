package compressblob

import (
	"context"
	"fmt"
	"hash/crc32"
	"io"
	"io/fs"
	"math"
	"sync"
)

// A writer compresses what one Put writes. Workers compress chunks; everything else, and all that may block or panic in
// someone else's code, happens in the goroutine of the Put, in the order of the chunks.
type writer struct {
	ctx   context.Context // of the Put, which the writer does not outlive
	store *Store
	inner io.Writer

	contents contents
	begun    bool    // the head is written
	current  *task   // what is being filled, or nil
	pending  []*task // in the order of the chunks
	idle     []*task
	made     int // tasks

	queue   chan *task
	started int // workers
	running sync.WaitGroup

	err    error // the first
	closed bool
}

// A task is a chunk to compress.
type task struct {
	content []byte
	encoded []byte
	check   uint32
	err     error
	done    chan struct{} // gets one value when the chunk is compressed
}

func newTask() *task { return &task{done: make(chan struct{}, 1)} }

func (s *Store) newWriter(ctx context.Context, inner io.Writer) *writer {
	return &writer{
		ctx: ctx, store: s, inner: inner,
		contents: contents{chunkSize: s.chunkSize},
		queue:    make(chan *task, s.workers+1),
	}
}

// Write adds to the file. It fails once the context is done, so that a cancelled export stops, and after Put has returned.
func (w *writer) Write(p []byte) (n int, err error) {
	if w.closed {
		return 0, fmt.Errorf("compressblob: write after the end of its Put: %w", fs.ErrClosed)
	}
	if w.err == nil && w.ctx.Err() != nil {
		w.err = context.Cause(w.ctx)
	}
	for len(p) > 0 && w.err == nil {
		if w.current == nil {
			if w.current = w.nextTask(); w.current == nil {
				break
			}
		}
		t := w.current
		taken := min(len(p), w.store.chunkSize-len(t.content))
		t.content = append(t.content, p[:taken]...)
		p = p[taken:]
		n += taken
		if len(t.content) == w.store.chunkSize {
			w.current = nil
			w.dispatch(t)
		}
	}
	return n, w.err
}

// nextTask returns an empty task. If all are in use it waits for the first and writes what that has made. It returns nil
// after an error.
func (w *writer) nextTask() *task {
	if len(w.idle) == 0 && w.made <= w.store.workers {
		w.made++
		t := w.store.tasks.Get().(*task)
		if cap(t.content) < w.store.chunkSize {
			t.content = make([]byte, 0, w.store.chunkSize)
		}
		w.idle = append(w.idle, t)
	}
	if len(w.idle) == 0 {
		w.writeFirst()
	}
	if w.err != nil {
		return nil
	}
	t := w.idle[len(w.idle)-1]
	w.idle = w.idle[:len(w.idle)-1]
	t.content, t.encoded, t.err = t.content[:0], t.encoded[:0], nil
	return t
}

// dispatch gives a full task to the workers, of which it starts one more if not all are there.
func (w *writer) dispatch(t *task) {
	w.add(t)
	if w.started < w.store.workers {
		w.started++
		w.running.Go(w.work)
	}
	w.queue <- t // there is room for all tasks
}

// add takes note of a task as the next chunk.
func (w *writer) add(t *task) {
	w.contents.size += int64(len(t.content))
	if w.store.format.coding() == Gzip {
		w.contents.check = crc32.Update(w.contents.check, crc32.IEEETable, t.content)
	}
	w.pending = append(w.pending, t)
}

// work compresses what is in the queue until that is closed.
func (w *writer) work() {
	e := w.store.encoders.Get().(encoder)
	defer w.store.encoders.Put(e)
	for t := range w.queue {
		t.compress(e)
	}
}

func (t *task) compress(e encoder) {
	t.encoded, t.check, t.err = e.encode(t.encoded, t.content)
	t.done <- struct{}{}
}

// writeFirst waits for the first of the pending tasks and writes what it has made.
func (w *writer) writeFirst() {
	t := w.pending[0]
	w.pending = append(w.pending[:0], w.pending[1:]...)
	<-t.done
	w.idle = append(w.idle, t)
	if t.err != nil {
		w.err = fmt.Errorf("compressblob: compress: %w", t.err)
		return
	}
	w.contents.chunks = append(w.contents.chunks, chunk{stored: uint32(len(t.encoded)), check: t.check})
	w.writeInner(t.encoded)
}

func (w *writer) writeInner(p []byte) {
	if w.err == nil && !w.begun {
		w.begun = true
		_, w.err = w.inner.Write(w.store.format.head())
	}
	if w.err == nil {
		_, w.err = w.inner.Write(p)
	}
}

// finish writes all that is left, and the index.
func (w *writer) finish() error {
	if t := w.current; t != nil && w.err == nil {
		w.current = nil
		if w.started > 0 {
			w.dispatch(t)
		} else { // a small file needs no goroutine
			w.add(t)
			e := w.store.encoders.Get().(encoder)
			t.compress(e)
			w.store.encoders.Put(e)
		}
	}
	for len(w.pending) > 0 && w.err == nil {
		w.writeFirst()
	}
	if w.err != nil {
		return w.err
	}
	tail := w.store.format.appendTail(nil, &w.contents)
	if int64(len(tail)) > math.MaxUint32 {
		return fmt.Errorf("compressblob: a file of %d bytes has too many chunks of %d bytes; make them larger", w.contents.size, w.store.chunkSize)
	}
	w.writeInner(tail)
	return w.err
}

// release ends the workers and gives back what the writer holds. Chunks that nobody waits for any more are compressed in
// vain, at most one for each worker.
func (w *writer) release() {
	w.closed = true
	for drained := false; !drained; {
		select {
		case t := <-w.queue:
			t.done <- struct{}{}
		default:
			drained = true
		}
	}
	close(w.queue)
	w.running.Wait()
	for _, t := range w.pending {
		<-t.done
	}
	w.idle = append(w.idle, w.pending...)
	if w.current != nil {
		w.idle = append(w.idle, w.current)
	}
	for _, t := range w.idle {
		w.store.tasks.Put(t)
	}
	w.idle, w.pending, w.current = nil, nil, nil
}
