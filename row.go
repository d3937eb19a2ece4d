package dataexport

import (
	"bytes"
	"cmp"
	"strings"
)

// A Row is one record: a Value under each Column of its Collection, in their order.
//
// A Row is borrowed. It and what its values point at are valid until the next row is asked for; Clone keeps one longer.
type Row []Value

// Clone returns a copy of the row that shares no memory with it.
func (r Row) Clone() Row {
	c := make(Row, len(r))
	for i, v := range r {
		switch v.kind {
		case KindString, KindJSON, KindDecimal:
			text := StringValue(strings.Clone(v.Text()))
			v.pointer = text.pointer
		case KindStrings:
			list := make([]string, v.bits)
			for j, s := range v.Strings() {
				list[j] = strings.Clone(s)
			}
			v = StringsValue(list)
		case KindUUID:
			id := *v.UUID()
			v = UUIDValue(&id)
		}
		c[i] = v
	}
	return c
}

// compareKeys orders two values of one kind as keys are ordered: text by its bytes, numbers and times by their value,
// false before true. Kinds that cannot be a key compare as equal; Collection.validate lets none through.
func compareKeys(a, b Value) int {
	switch a.kind {
	case KindString:
		return strings.Compare(a.Text(), b.Text())
	case KindInt:
		return cmp.Compare(a.Int(), b.Int())
	case KindTime:
		if c := cmp.Compare(int64(a.bits), int64(b.bits)); c != 0 {
			return c
		}
		return cmp.Compare(a.extra, b.extra)
	case KindUUID:
		return bytes.Compare(a.UUID()[:], b.UUID()[:])
	}
	return 0
}
