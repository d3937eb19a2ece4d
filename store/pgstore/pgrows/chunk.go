package pgrows

import (
	"encoding/binary"
	"errors"
)

// chunkSize is how many bytes of records go from one goroutine to another at once: enough for the change of goroutines not
// to matter.
const chunkSize = 128 << 10

// A chunk holds whole records as they came from PostgreSQL: for each value its length in 32 bits, or null, and its bytes.
type chunk struct{ data []byte }

// fits reports whether there is room for n more bytes. A chunk that is empty takes a record of any size.
func (c *chunk) fits(n int) bool { return len(c.data) == 0 || len(c.data)+n <= cap(c.data) }

// recordSize returns how many bytes a record takes in a chunk.
func recordSize(values [][]byte) int {
	n := 4 * len(values)
	for _, v := range values {
		n += len(v)
	}
	return n
}

// add copies a record.
func (c *chunk) add(values [][]byte, size int) {
	if n := max(size, chunkSize); len(c.data) == 0 && cap(c.data) < n {
		c.data = make([]byte, 0, n)
	}
	data := c.data
	for _, v := range values {
		length := uint32(len(v)) //nolint:gosec // PostgreSQL has none longer than 1 GiB
		if v == nil {
			length = null
		}
		data = append(binary.NativeEndian.AppendUint32(data, length), v...)
	}
	c.data = data
}

// empty makes the chunk as good as new. The memory of a record that was larger than a chunk is not kept.
func (c *chunk) empty() {
	if cap(c.data) > chunkSize {
		c.data = nil
	}
	c.data = c.data[:0]
}

// cutRecord points values at those of the first record of data, and returns what is behind it.
func cutRecord(data []byte, values [][]byte) ([]byte, error) {
	for i := range values {
		if len(data) < 4 {
			return nil, errChunk
		}
		length := binary.NativeEndian.Uint32(data)
		data = data[4:]
		if length == null {
			values[i] = nil
			continue
		}
		if uint64(length) > uint64(len(data)) {
			return nil, errChunk
		}
		values[i], data = data[:length:length], data[length:]
	}
	return data, nil
}

var errChunk = errors.New("pgrows: a record ends in the middle")
