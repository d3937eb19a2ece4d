package pgrows

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"strconv"
	"unsafe"

	"github.com/dataexport/dataexport"
	"github.com/dataexport/dataexport/internal/rfc3339"
	"github.com/dataexport/dataexport/internal/scalar"
)

// A reader makes rows of the values that pgx has read. It uses the same row, lists and buffers for all of them.
type reader struct {
	columns []dataexport.Column
	fields  []field // nil until the query is described
	row     dataexport.Row
}

// A field is a column of a result.
type field struct {
	name        string
	oid         uint32
	format      int16 // the code of the format in which it is asked for
	as          conversion
	byCollation bool     // PostgreSQL orders its type as text
	text        []byte   // what a value points at that is not on the wire as it is exported
	list        []string // what a list points at; its strings are on the wire
}

func newReader(columns []dataexport.Column) *reader {
	return &reader{columns: columns, row: make(dataexport.Row, len(columns))}
}

// decode makes the row of values in the formats that were asked for. It points at them.
func (r *reader) decode(values [][]byte) error {
	fields, row := r.fields, r.row
	if len(values) != len(fields) || len(row) != len(fields) {
		return fmt.Errorf("%w: pgrows: a row has %d values for %d columns", dataexport.ErrBadRow, len(values), len(fields))
	}
	for i, raw := range values {
		f := &fields[i]
		switch {
		case raw == nil:
			row[i] = dataexport.Value{}
		case f.as == asText:
			row[i] = dataexport.BytesValue(raw)
		case f.as == asTimestamp && len(raw) == 8:
			microseconds := int64(binary.BigEndian.Uint64(raw)) //nolint:gosec // two's complement
			if microseconds == math.MaxInt64 || microseconds == math.MinInt64 {
				return fault(f, errInfinity)
			}
			row[i] = timestamp(microseconds)
		default:
			v, err := f.value(raw)
			if err != nil {
				return fault(f, err)
			}
			row[i] = v
		}
	}
	return nil
}

func fault(f *field, err error) error {
	return fmt.Errorf("%w: pgrows: column %q: %w", dataexport.ErrBadRow, f.name, err)
}

var errInfinity = errors.New("the time is infinity, for which exports have no form; export null in its place, for example by NULLIF")

// size checks the length of a value whose type has one.
func size(raw []byte, length int) error {
	if len(raw) != length {
		return fmt.Errorf("the value has %d bytes on the wire, not %d", len(raw), length)
	}
	return nil
}

// value makes a value of those that are not null.
func (f *field) value(raw []byte) (dataexport.Value, error) {
	switch f.as {
	case asText:
		return dataexport.BytesValue(raw), nil
	case asJSON:
		return dataexport.JSONValue(raw), nil
	case asStrings:
		list, err := appendTexts(f.list[:0], raw)
		if err != nil {
			return dataexport.Value{}, err
		}
		f.list = list
		return dataexport.StringsValue(list), nil
	case asUUID, asUUIDText:
		return f.uuid(raw)
	case asNumeric:
		return f.decimal(raw)
	case asDigits:
		return dataexport.DecimalValue(bytesString(raw)), nil
	case asTimestamp, asDate, asTimeText:
		return f.time(raw)
	default:
		return f.scalar(raw)
	}
}

// scalar makes a number or a truth value.
func (f *field) scalar(raw []byte) (dataexport.Value, error) {
	switch f.as {
	case asFloat32:
		if err := size(raw, 4); err != nil {
			return dataexport.Value{}, err
		}
		return f.real(math.Float32frombits(binary.BigEndian.Uint32(raw))), nil
	case asFloat64:
		if err := size(raw, 8); err != nil {
			return dataexport.Value{}, err
		}
		return dataexport.FloatValue(math.Float64frombits(binary.BigEndian.Uint64(raw))), nil
	case asBool:
		if err := size(raw, 1); err != nil {
			return dataexport.Value{}, err
		}
		return dataexport.BoolValue(raw[0] != 0), nil
	default:
		i, err := strconv.ParseInt(bytesString(raw), 10, 64)
		return dataexport.IntValue(i), err
	}
}

// real returns the float64 that prints as PostgreSQL prints the real: 0.1 stays 0.1 and does not become 0.10000000149011612.
func (f *field) real(r float32) dataexport.Value {
	wide := float64(r)
	if wide != math.Trunc(wide) || math.Abs(wide) > exactIntegers {
		f.text = strconv.AppendFloat(f.text[:0], wide, 'g', -1, 32)
		if parsed, err := strconv.ParseFloat(bytesString(f.text), 64); err == nil {
			wide = parsed
		}
	}
	return dataexport.FloatValue(wide)
}

// exactIntegers is up to where a real holds every integer, so that one has the same digits as a float64.
const exactIntegers = 1 << 24

// decimal makes a decimal number of a numeric.
func (f *field) decimal(raw []byte) (dataexport.Value, error) {
	text, err := appendNumeric(f.text[:0], raw)
	if err != nil {
		return dataexport.Value{}, err
	}
	f.text = text
	return dataexport.DecimalValue(bytesString(text)), nil
}

func (f *field) uuid(raw []byte) (dataexport.Value, error) {
	if err := size(raw, 16); err != nil {
		return dataexport.Value{}, err
	}
	id := (*[16]byte)(raw)
	if f.as == asUUID {
		return dataexport.UUIDValue(id), nil
	}
	f.text = scalar.AppendUUID(f.text[:0], id)
	return dataexport.BytesValue(f.text), nil
}

// epoch is 2000-01-01T00:00:00Z, from which PostgreSQL counts, in seconds from 1970 on.
const (
	epoch         = 946_684_800
	secondsPerDay = 24 * 60 * 60
)

func timestamp(microseconds int64) dataexport.Value {
	seconds, rest := microseconds/1_000_000, microseconds%1_000_000
	if rest < 0 {
		seconds, rest = seconds-1, rest+1_000_000
	}
	return dataexport.UnixValue(seconds+epoch, uint32(rest)*1000) //nolint:gosec // 0 to 999,999
}

func (f *field) time(raw []byte) (dataexport.Value, error) {
	switch f.as {
	case asTimeText:
		t, _, err := rfc3339.Parse(bytesString(raw))
		if err != nil {
			return dataexport.Value{}, fmt.Errorf("the text is %w", err)
		}
		return dataexport.TimeValue(t), nil
	case asDate:
		if err := size(raw, 4); err != nil {
			return dataexport.Value{}, err
		}
		days := int32(binary.BigEndian.Uint32(raw)) //nolint:gosec // two's complement
		if days == math.MaxInt32 || days == math.MinInt32 {
			return dataexport.Value{}, errInfinity
		}
		return dataexport.UnixValue(epoch+int64(days)*secondsPerDay, 0), nil
	default: // a timestamp of eight bytes is read where most of them are, in decode
		return dataexport.Value{}, size(raw, 8)
	}
}

// bytesString returns a text that is b as long as b is not changed.
func bytesString(b []byte) string { return unsafe.String(unsafe.SliceData(b), len(b)) }
