package render

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
)

// A csvInput gives one byte after the other and knows where it is.
type csvInput struct {
	*bufio.Reader
	line   int  // of the byte that was read last
	column int  // of the byte that was read last, from 1
	ended  bool // the byte that was read last ended the line
}

// next returns the next byte of a row. The end of the file is an error.
func (in *csvInput) next() (byte, error) {
	b, err := in.ReadByte()
	if errors.Is(err, io.EOF) {
		return 0, in.fail("the file ends within a row; the rest of it is missing")
	}
	if err != nil {
		return 0, err
	}
	if in.ended {
		in.line, in.column = in.line+1, 0
	}
	in.column++
	in.ended = b == '\n'
	return b, nil
}

// buffered returns the bytes that can be had without reading from the file.
func (in *csvInput) buffered() []byte {
	b, err := in.Peek(in.Buffered())
	if err != nil {
		return nil // It cannot fail for what is buffered.
	}
	return b
}

// skip goes on behind a run of buffered bytes.
func (in *csvInput) skip(run []byte) {
	if len(run) == 0 {
		return
	}
	if in.ended {
		in.line, in.column, in.ended = in.line+1, 0, false
	}
	in.column += len(run)
	in.ended = run[len(run)-1] == '\n'
	if ends := bytes.Count(run[:len(run)-1], []byte{'\n'}); ends > 0 {
		in.line += ends
		in.column = len(run) - 1 - bytes.LastIndexByte(run[:len(run)-1], '\n')
	}
	_, _ = in.Discard(len(run)) // They are in the buffer.
}

// nextLine returns the line of the next byte.
func (in *csvInput) nextLine() int {
	if in.ended {
		return in.line + 1
	}
	return in.line
}

// fail says what is wrong with the byte that was read last.
func (in *csvInput) fail(format string, args ...any) error {
	return &CSVError{Line: in.line, Column: in.column, Problem: fmt.Sprintf(format, args...)}
}
