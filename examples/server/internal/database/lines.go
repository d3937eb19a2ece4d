package database

import (
	"bufio"
	"bytes"
	"compress/gzip"
	_ "embed"
	"errors"
	"fmt"
	"io"
	"os"
)

// Sample is what is imported where no file is named: memories of the workspaces demo, acme-support and studio-nord, as JSON
// Lines.
//
//go:embed sample.jsonl
var Sample []byte

// openLines opens the file, or the sample. What begins like gzip is unpacked, whatever its name.
func openLines(file string) (io.ReadCloser, error) {
	if file == "" {
		return io.NopCloser(bytes.NewReader(Sample)), nil
	}
	f, err := os.Open(file)
	if err != nil {
		return nil, fmt.Errorf("-memories: %w", err)
	}
	buffered := bufio.NewReaderSize(f, 256<<10)
	start, err := buffered.Peek(2)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, errors.Join(fmt.Errorf("-memories %s: %w", file, err), f.Close())
	}
	var lines io.Reader = buffered
	if string(start) == "\x1f\x8b" { // RFC 1952, section 2.3.1
		if lines, err = gzip.NewReader(buffered); err != nil {
			return nil, errors.Join(fmt.Errorf("-memories %s: %w", file, err), f.Close())
		}
	}
	return struct {
		io.Reader
		io.Closer
	}{lines, f}, nil
}
