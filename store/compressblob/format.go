package compressblob

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"github.com/dataexport/dataexport"
)

// A format is how a coding is laid out in a file: a head, which marks the file as this package's, the chunks, and a tail,
// which has the index. It has no state.
type format interface {
	coding() Coding
	extension() string
	maxLevel() int
	head() []byte
	newEncoder(level, chunkSize int) encoder
	newDecoder() decoder
	appendTail(dst []byte, c *contents) []byte

	// readTail finds the tail at the end of a stored file, and returns what it says and where it begins. It bounds what it
	// allocates by the size of the file.
	readTail(file io.ReadSeeker, size int64) (c *contents, begin int64, err error)
}

func formats() []format { return []format{gzipFormat{}, zstdFormat{}} }

func formatOf(c Coding) format {
	for _, f := range formats() {
		if f.coding() == c {
			return f
		}
	}
	return nil
}

// An encoder compresses one chunk after the other. It is used by one goroutine at a time.
type encoder interface {
	// encode appends the compressed content to dst and returns it with the checksum that the index is to have.
	encode(dst, content []byte) (encoded []byte, check uint32, err error)
}

// A decoder decodes chunks. It is used by one goroutine at a time.
type decoder interface {
	// decode fills content with what is encoded, and fails unless that has precisely this length and checksum.
	decode(content, encoded []byte, check uint32) error
}

// contents is what the tail of a file says of it.
type contents struct {
	chunkSize int
	size      int64  // of the content
	check     uint32 // CRC-32 of the content; gzip only
	chunks    []chunk
}

// A chunk is what the index says of a chunk.
type chunk struct {
	stored uint32 // bytes in the file
	check  uint32
}

// chunkCount returns how many chunks a content of this size has.
func chunkCount(size int64, chunkSize int) int64 {
	n := size / int64(chunkSize)
	if size%int64(chunkSize) != 0 {
		n++
	}
	return n
}

// storedBound returns the most bytes that a chunk takes: no compressor of either format makes more of what cannot be
// compressed, by a wide margin.
func storedBound(chunkSize int) int { return chunkSize + chunkSize/64 + 1024 }

// An index says where the chunks of a file are.
type index struct {
	chunkSize int
	size      int64
	offsets   []int64 // in the stored file, of each chunk and of the tail
	checks    []uint32
}

// newIndex checks that the chunks fill the file between head and tail.
func newIndex(c *contents, headSize, tail int64) (*index, error) {
	if c.chunkSize < minChunkSize || c.chunkSize > maxChunkSize || c.size < 0 ||
		chunkCount(c.size, c.chunkSize) != int64(len(c.chunks)) {
		return nil, damaged("the index has %d chunks of %d bytes, for a content of %d", len(c.chunks), c.chunkSize, c.size)
	}
	x := &index{
		chunkSize: c.chunkSize, size: c.size,
		offsets: make([]int64, 0, len(c.chunks)+1), checks: make([]uint32, 0, len(c.chunks)),
	}
	offset := headSize
	for i, chunk := range c.chunks {
		if chunk.stored == 0 || int64(chunk.stored) > int64(storedBound(c.chunkSize)) {
			return nil, damaged("chunk %d has %d bytes in the index", i, chunk.stored)
		}
		x.offsets = append(x.offsets, offset)
		x.checks = append(x.checks, chunk.check)
		offset += int64(chunk.stored)
	}
	if offset != tail {
		return nil, damaged("the chunks end at byte %d by the index, which begins at byte %d", offset, tail)
	}
	x.offsets = append(x.offsets, offset)
	return x, nil
}

// length returns the size of the content of a chunk.
func (x *index) length(i int) int {
	return int(min(int64(x.chunkSize), x.size-int64(i)*int64(x.chunkSize)))
}

// stored returns where a chunk is in the file.
func (x *index) stored(i int) (offset int64, length int) {
	return x.offsets[i], int(x.offsets[i+1] - x.offsets[i])
}

func damaged(message string, args ...any) error {
	return fmt.Errorf("%w: "+message, append([]any{ErrDamaged}, args...)...)
}

// readAt fills p with what is in a stored file from an offset on.
func readAt(file io.ReadSeeker, p []byte, offset int64) error {
	if _, err := file.Seek(offset, io.SeekStart); err != nil {
		return err
	}
	_, err := io.ReadFull(file, p)
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return damaged("it ends before byte %d", offset+int64(len(p)))
	}
	return err
}

// open reads the index of a stored file, or returns the file itself if this package has not written it.
func (s *Store) open(key string, stored dataexport.Blob) (dataexport.Blob, error) {
	f, err := recognize(stored)
	if err != nil {
		return nil, err
	}
	if f == nil {
		_, err := stored.Seek(0, io.SeekStart)
		return stored, err
	}
	c, tail, err := f.readTail(stored, stored.Size())
	if err != nil {
		return nil, err
	}
	x, err := newIndex(c, int64(len(f.head())), tail)
	if err != nil {
		return nil, err
	}
	if _, err := stored.Seek(0, io.SeekStart); err != nil { // for Encoded
		return nil, err
	}
	b := &blob{key: key, stored: stored, index: x, decoders: s.decoders[f.coding()], chunk: noChunk, place: noPlace}
	if f.coding() == Gzip {
		return &encodedBlob{b}, nil
	}
	return b, nil
}

// recognize returns the format of a stored file, or nil if this package has not written it. The head decides: one that lacks
// its end is a damaged file, not a foreign one.
func recognize(stored dataexport.Blob) (format, error) {
	begin := make([]byte, min(stored.Size(), maxHeadSize))
	if err := readAt(stored, begin, 0); err != nil {
		return nil, err
	}
	for _, f := range formats() {
		head := f.head()
		whole := bytes.HasPrefix(begin, head)
		cutOff := len(begin) >= minHeadSize && bytes.HasPrefix(head, begin)
		if whole || cutOff {
			return f, nil
		}
	}
	return nil, nil
}

const (
	maxHeadSize = 256 // no head is longer
	minHeadSize = 16  // what a file that is cut off must have of it, to be known as one
)

// mark is the same in all files of this package and in none of anyone else's.
const mark = 0x8D3EC1B5

var littleEndian = binary.LittleEndian
