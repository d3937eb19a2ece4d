package render

import (
	"github.com/dataexport/dataexport"
	"github.com/dataexport/dataexport/internal/jsontext"
	"github.com/dataexport/dataexport/internal/scalar"
)

// A column is what an encoder knows of a column: its name, and what neighbouring values in it often share.
type column struct {
	name  string
	times scalar.Times   // which keeps the day
	shape jsontext.Shape // which keeps a text that others are like
	plain bool           // the pattern of the shape can stand in a code span of Markdown as it is
}

// appendTime appends a time. Encoders of records, in which nearly all values are texts and times, do the same without a call.
func (c *column) appendTime(dst []byte, v *dataexport.Value) ([]byte, error) {
	seconds, nanoseconds := v.Unix()
	dst, ok := c.times.Append(dst, seconds, nanoseconds)
	if !ok {
		return dst, errTime(c.name)
	}
	return dst, nil
}

// appendJSON appends JSON without white space between its tokens. It reports whether that is known to be plain, so that it can stand
// in a code span of Markdown as it is.
func (c *column) appendJSON(dst []byte, v *dataexport.Value) (_ []byte, plain bool, err error) {
	raw := v.Text()
	if v.Trusted() {
		return append(dst, raw...), false, nil
	}
	if c.shape.Fits(raw) {
		return c.shape.Append(dst, raw), c.plain && !c.shape.ChangesTexts(), nil
	}
	dst, err = c.appendUnknownJSON(dst, raw)
	return dst, false, err
}

// appendUnknownJSON appends JSON of another shape than that of the values before.
func (c *column) appendUnknownJSON(dst []byte, raw string) (_ []byte, err error) {
	begin := len(dst)
	if dst, err = jsontext.AppendCompact(dst, raw); err != nil {
		return dst, errJSON(c.name, err)
	}
	if c.shape.Learn(raw) {
		c.plain = isPlainCode(bytesString(dst[begin:]))
	}
	return dst, nil
}
