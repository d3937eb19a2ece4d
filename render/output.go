package render

import (
	"fmt"
	"io"
	"math"

	"github.com/dataexport/dataexport"
)

// outputSize is how many bytes an encoder gathers before it writes them.
const outputSize = 32 << 10

// An output gathers what an encoder writes. The encoder appends to buffer, which grows until it is a little larger than what
// is gathered, so that the last record before a write seldom makes it grow any more.
type output struct {
	w      io.Writer
	buffer []byte
}

func newOutput(w io.Writer) output {
	return output{w: w, buffer: make([]byte, 0, outputSize/16)}
}

// A prefix is what stands in front of each value of a column, such as a key, ready to be copied.
type prefix struct {
	text   [prefixSize]byte
	length int
	room   int    // that dst must have for text to be copied at once: more than any slice has if there is a rest
	rest   string // what does not fit into text
}

// prefixSize is enough for most prefixes. Copying an array of a constant size takes four instructions and not a call.
const prefixSize = 32

func newPrefix(text string) prefix {
	p := prefix{length: len(text), room: prefixSize}
	if p.rest = text[copy(p.text[:], text):]; p.rest != "" {
		p.room = math.MaxInt
	}
	return p
}

func (p *prefix) append(dst []byte) []byte {
	if p.fits(dst) {
		return p.put(dst)
	}
	return p.appendSlowly(dst)
}

// fits reports whether put may be called. Where every instruction counts, calling both spares a call to append.
func (p *prefix) fits(dst []byte) bool { return cap(dst)-len(dst) >= p.room }

// put appends a prefix that fits.
func (p *prefix) put(dst []byte) []byte {
	start := len(dst)
	*(*[prefixSize]byte)(dst[start : start+prefixSize]) = p.text
	return dst[:start+p.length]
}

// appendSlowly appends a prefix that does not fit. It is not inlined, so that fast callers need not keep registers for it.
//
//go:noinline
func (p *prefix) appendSlowly(dst []byte) []byte {
	start := len(dst)
	return append(append(dst, p.text[:]...), p.rest...)[:start+p.length]
}

// writeFull writes what is gathered if that is enough to be worth it.
func (o *output) writeFull() error {
	if len(o.buffer) < outputSize {
		return nil
	}
	return o.write()
}

// write writes what is gathered.
func (o *output) write() error {
	_, err := o.w.Write(o.buffer)
	o.buffer = o.buffer[:0]
	return err
}

// close frees the buffer.
func (o *output) close() { *o = output{} }

func errTime(column string) error {
	return fmt.Errorf("%w: column %q: the year of the time is not in 0000 to 9999, the years of RFC 3339", dataexport.ErrBadRow, column)
}

func errJSON(column string, err error) error {
	return fmt.Errorf("%w: column %q: %w", dataexport.ErrBadRow, column, err)
}

func errKind(column string, kind dataexport.Kind) error {
	return fmt.Errorf("%w: column %q: the value is of an unknown kind, %s", dataexport.ErrBadRow, column, kind)
}
