package memory

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"iter"
)

// MaxLineBytes is how long a line can be that ReadJSONLines reads, without its line ending.
const MaxLineBytes = 16 << 20

// ReadJSONLines reads records from JSON Lines: one a line, as ParseRecord reads it. An error ends the sequence; it begins
// with "line N: ", also when it comes from the reader. A blank line is an error, but for a single one at the end. Memory
// use is bounded by the longest line, and a line by MaxLineBytes. Each record is a new one and may be kept.
func ReadJSONLines(r io.Reader) iter.Seq2[*Record, error] {
	return func(yield func(*Record, error) bool) {
		lines := lineReader{reader: bufio.NewReaderSize(r, 64<<10)}
		for {
			record, err := lines.record()
			if errors.Is(err, errNoMoreLines) {
				return
			}
			if err != nil {
				yield(nil, err)
				return
			}
			if !yield(record, nil) {
				return
			}
		}
	}
}

// A lineReader reads records line by line and knows the number of the line. It is no bufio.Scanner, which takes what a
// failing reader has read of a line for the whole line.
type lineReader struct {
	reader *bufio.Reader
	number int    // of the line that was read last, from 1
	long   []byte // holds a line that is longer than the reader's buffer
}

var errNoMoreLines = errors.New("no more lines")

// record reads the next record, or returns errNoMoreLines.
func (l *lineReader) record() (*Record, error) {
	line, err := l.next()
	if err != nil {
		return nil, err
	}
	if isBlank(line) {
		blank := l.number
		if _, err := l.next(); err != nil {
			return nil, err // mostly errNoMoreLines: the blank line was the last one
		}
		return nil, &ParseError{Line: blank, Message: "the line is blank"}
	}
	record, err := ParseRecord(line)
	if fault := (*ParseError)(nil); errors.As(err, &fault) {
		fault.Line = l.number
	}
	if err != nil {
		return nil, err
	}
	return &record, nil
}

// next returns the next line without its ending, valid until the next call, or errNoMoreLines.
func (l *lineReader) next() ([]byte, error) {
	l.number++
	line, err := l.reader.ReadSlice('\n')
	if errors.Is(err, bufio.ErrBufferFull) {
		line, err = l.rest(line)
	}
	switch {
	case len(line) > 0 && errors.Is(err, io.EOF): // the last line may lack its ending
	case errors.Is(err, io.EOF):
		return nil, errNoMoreLines
	case err != nil:
		return nil, fmt.Errorf("line %d: reading it: %w", l.number, err)
	}
	line = bytes.TrimSuffix(bytes.TrimSuffix(line, []byte("\n")), []byte("\r"))
	if len(line) > MaxLineBytes {
		return nil, &ParseError{Line: l.number, Message: fmt.Sprintf("the line is longer than %d MiB", MaxLineBytes>>20)}
	}
	return line, nil
}

// rest reads on in a line that begins with start, until it ends or is too long.
func (l *lineReader) rest(start []byte) (line []byte, err error) {
	l.long = append(l.long[:0], start...)
	for err = bufio.ErrBufferFull; errors.Is(err, bufio.ErrBufferFull) && len(l.long) <= MaxLineBytes+len("\r\n"); {
		var piece []byte
		piece, err = l.reader.ReadSlice('\n')
		l.long = append(l.long, piece...)
	}
	if errors.Is(err, bufio.ErrBufferFull) {
		err = nil // it is too long, whatever follows
	}
	return l.long, err
}

func isBlank(line []byte) bool { return len(bytes.TrimLeft(line, " \t\r\n")) == 0 }
