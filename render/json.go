package render

import (
	"context"
	"fmt"
	"io"
	"strconv"

	"github.com/dataexport/dataexport"
	"github.com/dataexport/dataexport/internal/jsontext"
	"github.com/dataexport/dataexport/internal/scalar"
)

// JSON returns the renderer of JSON (RFC 8259). It writes every dataset.
//
// A dataset whose layout is a bare list becomes an array of objects, a record a line. One whose layout is an object becomes
// an object: first the members of its head, then one for each collection, an array of records or, if the collection is
// single, one record, and last the counts, if the layout asks for them. The members of a record are the columns in their
// order.
//
// Texts, UUIDs and decimals are strings, lists of text are arrays, and JSON is itself, compacted: its numbers keep all of
// their digits. Integers are written in full, also those beyond 2^53, which some readers round.
func JSON() dataexport.Renderer { return jsonRenderer{} }

type jsonRenderer struct{}

func (jsonRenderer) Format() dataexport.Format {
	return dataexport.Format{Name: "json", MediaType: "application/json", Extension: "json"}
}

func (jsonRenderer) Check(dataexport.Info) error { return nil }

func (jsonRenderer) Open(_ context.Context, w io.Writer, doc *dataexport.Doc) (dataexport.Encoder, error) {
	e := &jsonEncoder{output: newOutput(w), info: doc.Info}
	if !doc.Info.Layout.Object {
		return e, nil
	}
	e.buffer = append(e.buffer, '{')
	var times scalar.Times
	for _, field := range doc.Info.Layout.Head {
		e.member(field.Name)
		if !field.Clock {
			e.buffer = jsontext.AppendString(e.buffer, field.Value)
			continue
		}
		var ok bool
		if e.buffer, ok = times.Append(append(e.buffer, '"'), doc.Time.Unix(), uint32(doc.Time.Nanosecond())); !ok { //nolint:gosec // 0 to 999,999,999
			return nil, fmt.Errorf("%w: the time of the document, %s, is not in the years 0000 to 9999", dataexport.ErrInvalid, doc.Time)
		}
		e.buffer = append(e.buffer, '"')
	}
	return e, nil
}

type jsonEncoder struct {
	output
	info    dataexport.Info
	members int      // of the outermost object, written so far
	counts  []int64  // the records of each collection begun so far
	single  bool     // of the current collection
	keys    []prefix // what stands in front of the values, for example `,"content":`; the first one begins with the brace
	columns []column
}

func (e *jsonEncoder) Begin(c *dataexport.Collection) error {
	e.endCollection()
	e.counts = append(e.counts, 0)
	e.single = c.Single
	e.beginColumns(c.Columns)
	if e.info.Layout.Object {
		e.member(c.Name)
	}
	if !e.single {
		e.buffer = append(e.buffer, '[')
	}
	return nil
}

func (e *jsonEncoder) beginColumns(columns []dataexport.Column) {
	e.keys, e.columns = make([]prefix, len(columns)), make([]column, len(columns))
	for i, c := range columns {
		key := []byte{','}
		if i == 0 {
			key[0] = '{'
		}
		key = append(jsontext.AppendString(key, c.Name), ':')
		e.keys[i], e.columns[i].name = newPrefix(string(key)), c.Name
	}
}

func (e *jsonEncoder) Row(row dataexport.Row) error {
	count := &e.counts[len(e.counts)-1]
	buffer := e.buffer
	switch {
	case e.single:
	case *count == 0:
		buffer = append(buffer, '\n')
	default:
		buffer = append(buffer, ',', '\n')
	}
	*count++
	keys := e.keys
	row = row[:len(keys)]
	for i := range keys {
		key, v := &keys[i], &row[i]
		if key.fits(buffer) {
			buffer = key.put(buffer)
		} else {
			buffer = key.appendSlowly(buffer)
		}
		switch v.Kind() {
		case dataexport.KindNull:
			buffer = append(buffer, "null"...)
		case dataexport.KindString:
			buffer = jsontext.AppendString(buffer, v.Text())
		case dataexport.KindTime:
			seconds, nanoseconds := v.Unix()
			var ok bool
			if buffer, ok = e.columns[i].times.Append(append(buffer, '"'), seconds, nanoseconds); !ok {
				return errTime(e.columns[i].name)
			}
			buffer = append(buffer, '"')
		default:
			var err error
			if buffer, err = e.appendValue(buffer, v, i); err != nil {
				return err
			}
		}
	}
	e.buffer = append(buffer, '}')
	return e.writeFull()
}

// appendValue appends a value of any kind but null, text and time.
func (e *jsonEncoder) appendValue(dst []byte, v *dataexport.Value, i int) (_ []byte, err error) {
	switch kind := v.Kind(); kind {
	case dataexport.KindDecimal:
		return jsontext.AppendString(dst, v.Text()), nil
	case dataexport.KindInt:
		return scalar.AppendInt(dst, v.Int()), nil
	case dataexport.KindFloat:
		return scalar.AppendFloat(dst, v.Float()), nil
	case dataexport.KindBool:
		return strconv.AppendBool(dst, v.Bool()), nil
	case dataexport.KindJSON:
		dst, _, err = e.columns[i].appendJSON(dst, v)
		return dst, err
	case dataexport.KindStrings:
		return jsontext.AppendStrings(dst, v.Strings()), nil
	case dataexport.KindUUID:
		return append(scalar.AppendUUID(append(dst, '"'), v.UUID()), '"'), nil
	default:
		return dst, errKind(e.columns[i].name, kind)
	}
}

// member begins a member of the outermost object.
func (e *jsonEncoder) member(name string) {
	if e.members > 0 {
		e.buffer = append(e.buffer, ',')
	}
	e.members++
	e.buffer = append(jsontext.AppendString(append(e.buffer, '\n'), name), ':')
}

// endCollection ends the array of the collection that was begun last, if there is one. A single collection without a
// record, which the engine does not let through, is null, so that the document is JSON in any case.
func (e *jsonEncoder) endCollection() {
	if len(e.counts) == 0 {
		return
	}
	count := e.counts[len(e.counts)-1]
	switch {
	case e.single && count == 0:
		e.buffer = append(e.buffer, "null"...)
	case e.single:
	case count == 0:
		e.buffer = append(e.buffer, ']')
	default:
		e.buffer = append(e.buffer, '\n', ']')
	}
}

func (e *jsonEncoder) Finish(dataexport.Summary) error {
	e.endCollection()
	if e.info.Layout.Object {
		if key := e.info.Layout.CountsKey; key != "" {
			e.member(key)
			e.appendCounts()
		}
		e.buffer = append(e.buffer, '\n', '}')
	}
	e.buffer = append(e.buffer, '\n')
	return e.write()
}

// appendCounts writes an object with the number of records of each collection that is a list.
func (e *jsonEncoder) appendCounts() {
	separator := byte('{')
	for i, c := range e.info.Collections {
		if c.Single {
			continue
		}
		e.buffer = jsontext.AppendString(append(e.buffer, separator), c.Name)
		e.buffer = strconv.AppendInt(append(e.buffer, ':'), e.counts[i], 10)
		separator = ','
	}
	if separator == '{' {
		e.buffer = append(e.buffer, '{')
	}
	e.buffer = append(e.buffer, '}')
}

func (e *jsonEncoder) Close() error {
	e.close()
	e.columns = nil
	return nil
}
