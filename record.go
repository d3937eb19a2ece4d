package dataexport

import (
	"encoding/json"
	"fmt"
	"iter"
	"math"
	"reflect"
	"strconv"
	"strings"
	"time"
	"unsafe"
)

// CollectionOf describes the records of struct type T as a collection. Each exported field is a column. Its name is that
// of the tag `export:"name"`, or else of the json tag, or else of the field. `export:"-"` leaves a field out, and so does
// `json:"-"` on a field without an export tag. Options follow the name:
//
//	id, body, tenant   the role of the column
//	key, key=2         its place in the key
//	decimal            a string field that holds a decimal number
//	notnull            a nil slice is an empty list, not null
//
// Fields may be strings, integers (not uint, uint64 and uintptr, which do not fit an int64), floats, bools, [16]byte such
// as uuid.UUID and []string, types that are defined as one of these, time.Time, json.RawMessage, and pointers to all of
// them. Pointers, []string and json.RawMessage are nullable columns. Embedded structs are taken apart.
func CollectionOf[T any](name string) (Collection, error) {
	fields, err := recordFields[T]()
	if err != nil {
		return Collection{}, err
	}
	c := Collection{Name: name, Columns: make([]Column, len(fields))}
	for i, f := range fields {
		c.Columns[i] = f.column
	}
	return c, c.Validate()
}

// RowsOf turns records into rows of the collection that CollectionOf describes. The rows are valid as long as the record
// that was yielded; the pointer may be the same each time. It allocates nothing for a record, but for a float32. A nil
// record is an ErrBadRow.
func RowsOf[T any](records iter.Seq2[*T, error]) iter.Seq2[Row, error] {
	return func(yield func(Row, error) bool) {
		fields, err := recordFields[T]()
		if err != nil {
			yield(nil, err)
			return
		}
		row := make(Row, len(fields))
		for record, err := range records {
			if err != nil {
				yield(nil, err)
				return
			}
			if record == nil {
				yield(nil, fmt.Errorf("%w: the source yielded nil and no error", ErrBadRow))
				return
			}
			base := unsafe.Pointer(record)
			for i := range fields {
				row[i] = fields[i].read(unsafe.Add(base, fields[i].offset))
			}
			if !yield(row, nil) {
				return
			}
		}
	}
}

// A recordField reads one field of a struct as a value.
type recordField struct {
	column Column
	offset uintptr
	read   func(field unsafe.Pointer) Value
}

func recordFields[T any]() ([]recordField, error) {
	t := reflect.TypeFor[T]()
	if t.Kind() != reflect.Struct {
		return nil, fmt.Errorf("%w: records must be structs, and %s is none", ErrInvalid, t)
	}
	return appendRecordFields(nil, t, 0)
}

func appendRecordFields(fields []recordField, t reflect.Type, base uintptr) ([]recordField, error) {
	for i := range t.NumField() {
		f := t.Field(i)
		tag, tagged := f.Tag.Lookup("export")
		if tag == "-" || !tagged && f.Tag.Get("json") == "-" || !f.IsExported() && !f.Anonymous {
			continue
		}
		if f.Anonymous && !tagged && f.Type.Kind() == reflect.Struct && f.Type != reflect.TypeFor[time.Time]() {
			var err error
			if fields, err = appendRecordFields(fields, f.Type, base+f.Offset); err != nil {
				return nil, err
			}
			continue
		}
		if !f.IsExported() {
			continue
		}
		field, err := newRecordField(f, tag)
		if err != nil {
			return nil, fmt.Errorf("%w: field %s of %s: %w", ErrInvalid, f.Name, t, err)
		}
		field.offset = base + f.Offset
		fields = append(fields, field)
	}
	return fields, nil
}

func newRecordField(f reflect.StructField, tag string) (recordField, error) {
	name, options, _ := strings.Cut(tag, ",")
	if name == "" {
		name, _, _ = strings.Cut(f.Tag.Get("json"), ",")
	}
	if name == "" {
		name = f.Name
	}
	field, err := readerOf(f.Type)
	if err != nil {
		return recordField{}, err
	}
	field.column.Name = name
	if options == "" {
		return field, nil
	}
	for option := range strings.SplitSeq(options, ",") {
		switch {
		case option == "id":
			field.column.Role = RoleID
		case option == "body":
			field.column.Role = RoleBody
		case option == "tenant":
			field.column.Role = RoleTenant
		case option == "key":
			field.column.Key = 1
		case strings.HasPrefix(option, "key="):
			place, err := strconv.Atoi(option[len("key="):])
			if err != nil || place < 1 {
				return recordField{}, fmt.Errorf("option %q: the place in the key is a number from 1", option)
			}
			field.column.Key = place
		case option == "decimal" && field.column.Kind == KindString:
			field.column.Kind = KindDecimal
			field.read = asDecimal(field.read)
		case option == "notnull" && field.column.Nullable:
			field.column.Nullable = false
			if field.column.Kind == KindStrings {
				field.read = nullAsEmpty(field.read)
			}
		default:
			return recordField{}, fmt.Errorf("option %q is unknown, or does not fit a %s", option, f.Type)
		}
	}
	return field, nil
}

func asDecimal(read func(unsafe.Pointer) Value) func(unsafe.Pointer) Value {
	return func(p unsafe.Pointer) Value {
		v := read(p)
		if !v.IsNull() {
			v.kind = KindDecimal
		}
		return v
	}
}

func nullAsEmpty(read func(unsafe.Pointer) Value) func(unsafe.Pointer) Value {
	return func(p unsafe.Pointer) Value {
		if v := read(p); !v.IsNull() {
			return v
		}
		return StringsValue(nil)
	}
}

// readerOf returns kind, nullability and reader for a field type; name and offset are the caller's to fill in.
func readerOf(t reflect.Type) (recordField, error) {
	of := func(kind Kind, nullable bool, read func(unsafe.Pointer) Value) (recordField, error) {
		return recordField{column: Column{Kind: kind, Nullable: nullable}, read: read}, nil
	}
	switch {
	case t == reflect.TypeFor[time.Time]():
		return of(KindTime, false, func(p unsafe.Pointer) Value { return TimeValue(*(*time.Time)(p)) })
	case t == reflect.TypeFor[json.RawMessage]():
		return of(KindJSON, true, func(p unsafe.Pointer) Value {
			if raw := *(*[]byte)(p); raw != nil {
				return JSONValue(raw)
			}
			return Value{}
		})
	}
	switch t.Kind() {
	case reflect.String:
		return of(KindString, false, func(p unsafe.Pointer) Value { return StringValue(*(*string)(p)) })
	case reflect.Bool:
		return of(KindBool, false, func(p unsafe.Pointer) Value { return BoolValue(*(*bool)(p)) })
	case reflect.Int:
		return of(KindInt, false, func(p unsafe.Pointer) Value { return IntValue(int64(*(*int)(p))) })
	case reflect.Int64:
		return of(KindInt, false, func(p unsafe.Pointer) Value { return IntValue(*(*int64)(p)) })
	case reflect.Int32:
		return of(KindInt, false, func(p unsafe.Pointer) Value { return IntValue(int64(*(*int32)(p))) })
	case reflect.Int16:
		return of(KindInt, false, func(p unsafe.Pointer) Value { return IntValue(int64(*(*int16)(p))) })
	case reflect.Int8:
		return of(KindInt, false, func(p unsafe.Pointer) Value { return IntValue(int64(*(*int8)(p))) })
	case reflect.Uint32:
		return of(KindInt, false, func(p unsafe.Pointer) Value { return IntValue(int64(*(*uint32)(p))) })
	case reflect.Uint16:
		return of(KindInt, false, func(p unsafe.Pointer) Value { return IntValue(int64(*(*uint16)(p))) })
	case reflect.Uint8:
		return of(KindInt, false, func(p unsafe.Pointer) Value { return IntValue(int64(*(*uint8)(p))) })
	case reflect.Float64:
		return of(KindFloat, false, func(p unsafe.Pointer) Value { return FloatValue(*(*float64)(p)) })
	case reflect.Float32:
		return of(KindFloat, false, func(p unsafe.Pointer) Value { return FloatValue(widen(*(*float32)(p))) })
	case reflect.Array:
		if t.Len() == 16 && t.Elem().Kind() == reflect.Uint8 {
			return of(KindUUID, false, func(p unsafe.Pointer) Value { return UUIDValue((*[16]byte)(p)) })
		}
	case reflect.Slice:
		if t.Elem().Kind() == reflect.String {
			return of(KindStrings, true, func(p unsafe.Pointer) Value {
				if list := *(*[]string)(p); list != nil {
					return StringsValue(list)
				}
				return Value{}
			})
		}
	case reflect.Pointer:
		if t.Elem().Kind() == reflect.Pointer {
			break
		}
		element, err := readerOf(t.Elem())
		if err != nil {
			return recordField{}, err
		}
		return of(element.column.Kind, true, func(p unsafe.Pointer) Value {
			if target := *(*unsafe.Pointer)(p); target != nil {
				return element.read(target)
			}
			return Value{}
		})
	}
	return recordField{}, fmt.Errorf("type %s cannot be a column; see CollectionOf for those that can, and leave the field out with `export:\"-\"`", t)
}

// widen returns the float64 that prints as f does: 0.1 stays 0.1 and does not become 0.10000000149011612.
func widen(f float32) float64 {
	if wide := float64(f); math.IsNaN(wide) || math.IsInf(wide, 0) {
		return wide
	}
	wide, err := strconv.ParseFloat(strconv.FormatFloat(float64(f), 'g', -1, 32), 64)
	if err != nil {
		return float64(f)
	}
	return wide
}
