package compressblob

import (
	"bytes"
	"fmt"
	"hash/crc32"
	"io"
	"math/bits"

	"github.com/klauspost/compress/zstd"
)

// zstdFormat is a skippable frame with the mark, a frame for each chunk, a skippable frame with the footer, and the seek
// table of zstd's seekable format (contrib/seekable_format in zstd's repository), which is a skippable frame too. All numbers
// are little-endian.
//
// The seek table alone would not do: it has no checksum of its own, and nothing says that a file is this package's. The
// footer has the mark (4), the chunk size (4), the size of the content (8), and the CRC-32 of the seek table (4).
type zstdFormat struct{}

const (
	skippableMagic  = 0x184D2A50 // the first of sixteen (RFC 8878, section 3.1.2)
	seekTableMagic  = 0x184D2A5E // the one of them that the seekable format has
	seekableMagic   = 0x8F92EAB1 // the last bytes
	skippableHeader = 8
	zstdHeadSize    = skippableHeader + 8
	zstdFooterSize  = skippableHeader + 20

	seekEntrySize  = 12
	seekFooterSize = 9
	seekChecksums  = 0x80 // in the descriptor: entries have checksums

	emptyXXH64 = 0x51D8E999 // of no content, its low 32 bits

	zstdMaxLevel     = 22
	zstdDefaultLevel = 3
)

func (zstdFormat) coding() Coding    { return Zstd }
func (zstdFormat) extension() string { return "zst" }
func (zstdFormat) maxLevel() int     { return zstdMaxLevel }

func (zstdFormat) head() []byte {
	head := appendSkippable(nil, skippableMagic, zstdHeadSize-skippableHeader)
	head = littleEndian.AppendUint32(head, mark)
	return littleEndian.AppendUint32(head, 1) // the version of the layout
}

func appendSkippable(dst []byte, magic uint32, size int) []byte {
	return littleEndian.AppendUint32(littleEndian.AppendUint32(dst, magic), uint32(size))
}

func (zstdFormat) appendTail(dst []byte, c *contents) []byte {
	table := appendSeekTable(nil, c)
	dst = appendSkippable(dst, skippableMagic, zstdFooterSize-skippableHeader)
	dst = littleEndian.AppendUint32(dst, mark)
	dst = littleEndian.AppendUint32(dst, uint32(c.chunkSize))
	dst = littleEndian.AppendUint64(dst, uint64(c.size))
	dst = littleEndian.AppendUint32(dst, crc32.ChecksumIEEE(table))
	return append(dst, table...)
}

// appendSeekTable appends the seek table, which lists all frames before it, those without content too.
func appendSeekTable(dst []byte, c *contents) []byte {
	frames := len(c.chunks) + 2
	dst = appendSkippable(dst, seekTableMagic, frames*seekEntrySize+seekFooterSize)
	dst = appendSeekEntry(dst, zstdHeadSize, 0, emptyXXH64)
	for i, chunk := range c.chunks {
		content := min(int64(c.chunkSize), c.size-int64(i)*int64(c.chunkSize))
		dst = appendSeekEntry(dst, chunk.stored, uint32(content), chunk.check)
	}
	dst = appendSeekEntry(dst, zstdFooterSize, 0, emptyXXH64)
	dst = littleEndian.AppendUint32(dst, uint32(frames))
	dst = append(dst, seekChecksums)
	return littleEndian.AppendUint32(dst, seekableMagic)
}

func appendSeekEntry(dst []byte, stored, content, check uint32) []byte {
	dst = littleEndian.AppendUint32(dst, stored)
	dst = littleEndian.AppendUint32(dst, content)
	return littleEndian.AppendUint32(dst, check)
}

func (f zstdFormat) readTail(file io.ReadSeeker, size int64) (*contents, int64, error) {
	if size < zstdHeadSize+zstdFooterSize+skippableHeader+seekFooterSize {
		return nil, 0, damaged("it is too short for an index")
	}
	var end [seekFooterSize]byte
	if err := readAt(file, end[:], size-seekFooterSize); err != nil {
		return nil, 0, err
	}
	frames := int64(littleEndian.Uint32(end[:]))
	tailSize := zstdFooterSize + skippableHeader + frames*seekEntrySize + seekFooterSize
	if littleEndian.Uint32(end[5:]) != seekableMagic || frames < 2 || tailSize > size-zstdHeadSize {
		return nil, 0, damaged("it has no seek table at its end")
	}
	tail := make([]byte, tailSize)
	if err := readAt(file, tail, size-tailSize); err != nil {
		return nil, 0, err
	}
	c, err := parseZstdTail(tail)
	return c, size - tailSize, err
}

// parseZstdTail reads the footer and the seek table.
func parseZstdTail(tail []byte) (*contents, error) {
	footer, table := tail[skippableHeader:zstdFooterSize], tail[zstdFooterSize:]
	if littleEndian.Uint32(footer) != mark || littleEndian.Uint32(footer[16:]) != crc32.ChecksumIEEE(table) {
		return nil, damaged("its seek table has a wrong checksum")
	}
	c := &contents{chunkSize: int(littleEndian.Uint32(footer[4:])), size: int64(littleEndian.Uint64(footer[8:]))}
	entries := table[skippableHeader+seekEntrySize : len(table)-seekFooterSize-seekEntrySize]
	c.chunks = make([]chunk, len(entries)/seekEntrySize)
	for i := range c.chunks {
		entry := entries[i*seekEntrySize:]
		c.chunks[i] = chunk{stored: littleEndian.Uint32(entry), check: littleEndian.Uint32(entry[8:])}
	}
	if c.chunkSize < minChunkSize || c.chunkSize > maxChunkSize || !bytes.Equal(tail, zstdFormat{}.appendTail(nil, c)) {
		// The size and the chunk size are not in the checksum, but the table says them too.
		return nil, damaged("its footer and its seek table disagree")
	}
	return c, nil
}

// A zstdEncoder makes frames.
type zstdEncoder struct{ encoder *zstd.Encoder }

func (zstdFormat) newEncoder(level, chunkSize int) encoder {
	if level == 0 {
		level = zstdDefaultLevel
	}
	// One goroutine: the chunks are what is done at the same time. Of a window larger than a chunk nothing would be used, and
	// it takes most of the memory.
	window := 1 << bits.Len(uint(chunkSize-1))
	e, err := zstd.NewWriter(nil, zstd.WithEncoderConcurrency(1), zstd.WithEncoderCRC(true), zstd.WithWindowSize(window),
		zstd.WithEncoderLevel(zstd.EncoderLevelFromZstd(level)))
	if err != nil {
		panic(err) // these options are valid
	}
	return zstdEncoder{e}
}

func (e zstdEncoder) encode(dst, content []byte) ([]byte, uint32, error) {
	dst = e.encoder.EncodeAll(content, dst)
	return dst, frameChecksum(dst), nil
}

// frameChecksum returns the last four bytes of a frame: the low bits of the XXH64 of its content, as the seek table has it.
func frameChecksum(frame []byte) uint32 { return littleEndian.Uint32(frame[len(frame)-4:]) }

// A zstdDecoder reads frames.
type zstdDecoder struct{ decoder *zstd.Decoder }

func (zstdFormat) newDecoder() decoder {
	d, err := zstd.NewReader(nil, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxMemory(maxChunkSize))
	if err != nil {
		panic(err) // these options are valid
	}
	return zstdDecoder{d}
}

func (d zstdDecoder) decode(content, encoded []byte, check uint32) error {
	if len(encoded) < 4 || frameChecksum(encoded) != check {
		return errChecksum
	}
	got, err := d.decoder.DecodeAll(encoded, content[:0:len(content)])
	if err != nil {
		return err
	}
	if len(got) != len(content) {
		return fmt.Errorf("the frame has %d bytes of content, not %d", len(got), len(content))
	}
	if len(got) > 0 && &got[0] != &content[0] {
		copy(content, got) // the decoder wanted more room than the content takes
	}
	return nil
}
