package rendertest

import (
	"bytes"
	"fmt"
	"strings"
	"unsafe"

	"github.com/dataexport/dataexport"
)

// A dataset is a description with the rows that belong to it.
type dataset struct {
	info dataexport.Info
}

// datasets returns a list of records and an object of several collections.
func datasets() []dataset {
	things := dataexport.Collection{Name: "things", Columns: thingColumns()}
	only := dataexport.Collection{Name: "account", Single: true, Columns: thingColumns()}
	marks := dataexport.Collection{Name: "marks", Columns: []dataexport.Column{{Name: "number", Kind: dataexport.KindInt, Role: dataexport.RoleID, Key: 1}}}
	return []dataset{
		{dataexport.Info{Name: "list", Collections: []dataexport.Collection{things}}},
		{dataexport.Info{
			Name: "object",
			Layout: dataexport.Layout{
				Object:    true,
				Head:      []dataexport.HeadField{{Name: "format", Value: "rendertest.v1"}, {Name: "exportedAt", Clock: true}},
				CountsKey: "counts",
			},
			Collections: []dataexport.Collection{only, things, marks},
		}},
	}
}

// thingColumns returns a column of each kind that cannot be null, and one of each kind that can.
func thingColumns() []dataexport.Column {
	columns := []dataexport.Column{
		{Name: "id", Kind: dataexport.KindInt, Role: dataexport.RoleID, Key: 1},
		{Name: "body", Kind: dataexport.KindString, Role: dataexport.RoleBody},
	}
	for _, kind := range kinds {
		columns = append(columns,
			dataexport.Column{Name: kind.String() + "_always", Kind: kind},
			dataexport.Column{Name: kind.String() + "_maybe", Kind: kind, Nullable: true})
	}
	return columns
}

var kinds = [...]dataexport.Kind{
	dataexport.KindString, dataexport.KindInt, dataexport.KindFloat, dataexport.KindBool, dataexport.KindTime,
	dataexport.KindJSON, dataexport.KindStrings, dataexport.KindUUID, dataexport.KindDecimal,
}

// row returns a row of a collection. Its memory belongs to it alone.
func (d *dataset) row(collection, number int) dataexport.Row {
	columns := d.info.Collections[collection].Columns
	row := make(dataexport.Row, len(columns))
	nullable := 0
	for i, column := range columns {
		switch {
		case column.Key > 0:
			row[i] = dataexport.IntValue(int64(number))
			continue
		case column.Nullable:
			nullable++
			// Each nullable column is null in some rows and not in others, and all of them are null in some row.
			if number%11 == nullable || number%11 == 10 {
				continue
			}
		}
		row[i] = value(column.Kind, number)
	}
	return row
}

// value returns a value that depends on the kind and the number, hostile ones among them.
func value(kind dataexport.Kind, number int) dataexport.Value {
	switch kind {
	case dataexport.KindInt:
		return dataexport.IntValue(pick[int64](number, 0, 1, -1, 1<<53+1, -1<<63, 1<<63-1))
	case dataexport.KindFloat:
		return dataexport.FloatValue(pick[float64](number, 0, 0.1, -1.5e-9, 1e21, 5e-324, 1.7976931348623157e308))
	case dataexport.KindBool:
		return dataexport.BoolValue(number%2 == 0)
	case dataexport.KindTime:
		return dataexport.UnixValue(pick[int64](number, 0, -1, 1768473000, -62167219200, 253402300799), pick[uint32](number, 0, 1, 120_000_000, 999_999_999))
	case dataexport.KindJSON:
		return dataexport.JSONValue([]byte(pick(number, `{}`, `null`, " [1, 2.50 ,\n\"x\"] ", `{"a":{"b":["\u0000",12345678901234567890]}}`, `"text"`, "\"\xff\"")))
	case dataexport.KindStrings:
		return dataexport.StringsValue(ownedList(pick(number, nil, []string{""}, []string{"one", "two, three"}, texts[:], []string{"\n"})))
	case dataexport.KindUUID:
		return dataexport.UUIDValue(&[16]byte{byte(number), 0x8f, 0x3c, 0x2a, 0x9b, 0x1d, 0x7e, 0x4f, 0x8a, 0x6b, 0x5c, 0xde, 0xf0, 0x12, 0x34, 0xff})
	case dataexport.KindDecimal:
		return dataexport.DecimalValue(owned(pick(number, "0", "-19.90", "3e7", "12345678901234567890.123456789")))
	default:
		if number == 100 {
			return dataexport.BytesValue(bytes.Repeat([]byte("a line of 100 kB "), 6000))
		}
		return dataexport.BytesValue([]byte(pick(number, texts[:]...)))
	}
}

// texts are what renderers must not stumble over.
var texts = [...]string{
	"plain", "", " ", "with \"quotes\", commas; and\ttabs", "=1+1", "'", "a\nb\r\nc\rd", "\r\n", "# heading\n\n## another", "</script><b>",
	"```\nfence\n```", "---", "| a | b |", "\x00\x01\x1b[0m\x7f", "\xff\xfe", "cut \xe6\x97", "\xed\xa0\x80", "grüße, 日本語 😀", "\u202eright to left\u2066",
	"\u2028\u2029\uFEFF", strings.Repeat("long ", 60), "1. one\n2. two", "\\", "{{.}} %s ${x}",
}

func pick[T any](number int, list ...T) T { return list[number%len(list)] }

// owned returns a copy of a text that scribble may overwrite.
func owned(s string) string {
	b := []byte(s)
	return unsafe.String(unsafe.SliceData(b), len(b))
}

func ownedList(list []string) []string {
	c := make([]string, len(list))
	for i, s := range list {
		c[i] = owned(s)
	}
	return c
}

// scribble overwrites a row and all that it points at, as a source does when the next row is asked for.
func scribble(row dataexport.Row) {
	for i, v := range row {
		switch v.Kind() {
		case dataexport.KindString, dataexport.KindJSON, dataexport.KindDecimal:
			scribbleText(v.Text())
		case dataexport.KindStrings:
			for j, s := range v.Strings() {
				scribbleText(s)
				v.Strings()[j] = "scribbled"
			}
		case dataexport.KindUUID:
			*v.UUID() = [16]byte{0xEE, 0xEE}
		}
		row[i] = dataexport.IntValue(-123456789)
	}
}

func scribbleText(s string) {
	b := unsafe.Slice(unsafe.StringData(s), len(s))
	for i := range b {
		b[i] = '~'
	}
}

// firstDifference describes where two documents differ.
func firstDifference(a, b []byte) string {
	i := 0
	for i < len(a) && i < len(b) && a[i] == b[i] {
		i++
	}
	window := func(d []byte) []byte { return d[max(0, i-40):min(len(d), i+40)] }
	return fmt.Sprintf("they have %d and %d bytes and differ at byte %d: %q and %q", len(a), len(b), i, window(a), window(b))
}
