package dataexport

import (
	"crypto/sha256"
	"fmt"
	"hash"
	"io"
	"runtime/debug"
)

const (
	chunkSize  = 256 << 10 // bytes of one write: large enough that the number of system calls does not matter
	chunkCount = 4         // one being filled, one being written, one being hashed, one that waits
)

// A pipeline is a writer that passes on what is written to it on one goroutine and hashes it on another, so that rendering
// goes on meanwhile. It counts the bytes and refuses those past a limit. What fits into one chunk, as most exports do, is
// passed on at the end without a goroutine, and takes no more memory than it has bytes.
//
// Write and finish are called by one goroutine, and then stop, always; it returns when the other goroutines have ended.
type pipeline struct {
	target io.Writer
	limit  int64 // bytes, or 0 for none
	size   int64
	over   error  // set once the limit is exceeded
	chunk  []byte // being filled
	chunks int    // how many there are, the one being filled included
	sum    hash.Hash

	// Once there are goroutines; each channel has room for all chunks:
	filled  chan []byte // to the one that writes
	written chan []byte // from there to the one that hashes
	free    chan []byte // back from that
	failed  chan struct{}
	done    chan struct{}
	err     error // set before failed is closed
	closed  bool  // filled is closed
}

// firstChunkSize is what a pipeline begins with. It grows as it fills.
const firstChunkSize = 8 << 10

func newPipeline(target io.Writer, limit int64) *pipeline {
	return &pipeline{target: target, limit: limit, sum: sha256.New()}
}

// start starts the goroutines.
func (p *pipeline) start() {
	p.filled = make(chan []byte, chunkCount)
	p.written = make(chan []byte, chunkCount)
	p.free = make(chan []byte, chunkCount)
	p.failed = make(chan struct{})
	p.done = make(chan struct{})
	go p.passAll()
	go p.hashAll()
}

// passAll writes until filled is closed or a write fails.
func (p *pipeline) passAll() {
	defer close(p.written)
	for chunk := range p.filled {
		if err := p.pass(chunk); err != nil {
			p.err = err
			close(p.failed)
			return
		}
		p.written <- chunk
	}
}

// hashAll hashes until written is closed.
func (p *pipeline) hashAll() {
	defer close(p.done)
	for chunk := range p.written {
		p.sum.Write(chunk)
		p.free <- chunk[:0]
	}
}

func (p *pipeline) pass(chunk []byte) (err error) {
	defer func() {
		if v := recover(); v != nil {
			err = panicError(v)
		}
	}()
	n, err := p.target.Write(chunk)
	if err == nil && n != len(chunk) {
		err = io.ErrShortWrite
	}
	return err
}

// Write copies b; it returns the error of an earlier write that failed.
func (p *pipeline) Write(b []byte) (int, error) {
	if p.size += int64(len(b)); p.limit > 0 && p.size > p.limit && p.over == nil {
		p.over = limitError("bytes", p.limit)
	}
	if p.over != nil {
		return 0, p.over
	}
	written := len(b)
	for len(b) > 0 {
		if p.chunk == nil {
			p.chunk = make([]byte, 0, max(firstChunkSize, min(len(b), chunkSize)))
			p.chunks = 1
		}
		n := min(len(b), chunkSize-len(p.chunk))
		p.chunk = append(p.chunk, b[:n]...)
		b = b[n:]
		if len(p.chunk) == chunkSize {
			if err := p.flush(); err != nil {
				return 0, err
			}
		}
	}
	return written, nil
}

// flush hands the chunk over and takes a free one, or makes one more.
func (p *pipeline) flush() error {
	if p.filled == nil {
		p.start()
	}
	select {
	case p.filled <- p.chunk:
	case <-p.failed:
		return p.err
	}
	if p.chunks < chunkCount {
		p.chunks++
		p.chunk = make([]byte, 0, chunkSize)
		return nil
	}
	select {
	case p.chunk = <-p.free:
		return nil
	case <-p.failed:
		return p.err
	}
}

// finish waits until all is written and returns the error of the first write that failed. Then size and sum are final.
func (p *pipeline) finish() error {
	switch {
	case p.over != nil:
		return p.over // also if the encoder did not look at the error of Write
	case len(p.chunk) == 0:
	case p.filled == nil:
		p.sum.Write(p.chunk)
		return p.pass(p.chunk)
	default:
		if err := p.flush(); err != nil {
			return err
		}
	}
	p.stop()
	return p.err
}

// stop ends the goroutines and waits for them. What is not flushed is dropped. It may be called again.
func (p *pipeline) stop() {
	if p.filled == nil {
		return
	}
	if !p.closed {
		p.closed = true
		close(p.filled)
	}
	<-p.done
}

// panicError makes an error of what was recovered, with the stack for the log.
func panicError(v any) error {
	return fmt.Errorf("dataexport: panic: %v\n%s", v, debug.Stack())
}

// limitError tells the user which bound the export has reached.
func limitError(unit string, limit int64) error {
	return &PublicError{
		Code:      "LIMIT_EXCEEDED",
		Message:   fmt.Sprintf("The export has more than %d %s, which is the most that is allowed. Narrow it with filters.", limit, unit),
		Permanent: true,
		Err:       ErrLimitExceeded,
	}
}
