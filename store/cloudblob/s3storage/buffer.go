package s3storage

import "io"

// pieceSize is how much memory a buffer takes at a time. Most exports are small.
const pieceSize = 256 << 10

// A buffer holds a part in pieces, so that it grows without being copied. The pieces serve for the next part again.
type buffer struct {
	pieces [][]byte // all of pieceSize
	size   int      // how many bytes they hold
}

// write appends a copy of p.
func (b *buffer) write(p []byte) {
	for len(p) > 0 {
		if b.size == len(b.pieces)*pieceSize {
			b.pieces = append(b.pieces, make([]byte, pieceSize))
		}
		n := copy(b.pieces[b.size/pieceSize][b.size%pieceSize:], p)
		b.size += n
		p = p[n:]
	}
}

// reader reads what the buffer holds, which must not change meanwhile. The SDK reads it more than once: to compute the
// checksum, to send it, and to send it again.
func (b *buffer) reader() io.ReadSeeker { return io.NewSectionReader(b, 0, int64(b.size)) }

// ReadAt reads from a place (io.ReaderAt).
func (b *buffer) ReadAt(p []byte, offset int64) (n int, err error) {
	for n < len(p) {
		at := int(offset) + n
		if at >= b.size {
			return n, io.EOF
		}
		piece := b.pieces[at/pieceSize]
		if end := b.size - at/pieceSize*pieceSize; end < len(piece) {
			piece = piece[:end]
		}
		n += copy(p[n:], piece[at%pieceSize:])
	}
	return n, nil
}

// reset empties the buffer and keeps its memory.
func (b *buffer) reset() { b.size = 0 }
