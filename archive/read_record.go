package archive

import (
	"fmt"
	"reflect"
	"time"

	"github.com/dataexport/dataexport"
)

// A recordType is a struct type with the places of its columns.
type recordType struct {
	structure reflect.Type
	fields    [][]int // the index of the field of each column, as reflect.Value.FieldByIndex takes it
	columns   map[string]int
}

func recordTypeOf[T any](c dataexport.Collection) *recordType {
	t := &recordType{structure: reflect.TypeFor[T](), columns: make(map[string]int)}
	if t.structure.Kind() == reflect.Struct {
		t.fields = appendFields(nil, t.structure, nil)
	}
	for i, column := range c.Columns {
		t.columns[column.Name] = i
	}
	return t
}

// appendFields finds the fields that dataexport.CollectionOf makes columns of, in the same order.
func appendFields(fields [][]int, t reflect.Type, path []int) [][]int {
	for i := range t.NumField() {
		f := t.Field(i)
		place := append(path[:len(path):len(path)], i)
		tag, tagged := f.Tag.Lookup("export")
		switch {
		case tag == "-" || !tagged && f.Tag.Get("json") == "-":
		case f.Anonymous && !tagged && f.Type.Kind() == reflect.Struct && f.Type != reflect.TypeFor[time.Time]():
			fields = appendFields(fields, f.Type, place)
		case f.IsExported():
			fields = append(fields, place)
		}
	}
	return fields
}

// set puts a value that is not null into a field, and says what is wrong if the field cannot hold it.
func set(field reflect.Value, v dataexport.Value) (problem string) {
	if field.Kind() == reflect.Pointer {
		target := reflect.New(field.Type().Elem())
		if problem = set(target.Elem(), v); problem == "" {
			field.Set(target)
		}
		return problem
	}
	switch v.Kind() {
	case dataexport.KindString, dataexport.KindDecimal:
		field.SetString(v.Text())
	case dataexport.KindInt:
		return setInt(field, v.Int())
	case dataexport.KindFloat:
		if field.OverflowFloat(v.Float()) {
			return fmt.Sprintf("the number does not fit a %s", field.Kind())
		}
		field.SetFloat(v.Float())
	case dataexport.KindBool:
		field.SetBool(v.Bool())
	case dataexport.KindTime:
		field.Set(reflect.ValueOf(v.Time()))
	case dataexport.KindJSON:
		field.SetBytes([]byte(v.Text()))
	case dataexport.KindStrings:
		list := reflect.MakeSlice(field.Type(), len(v.Strings()), len(v.Strings()))
		for i, s := range v.Strings() {
			list.Index(i).SetString(s)
		}
		field.Set(list)
	case dataexport.KindUUID:
		copy(field.Bytes(), v.UUID()[:])
	}
	return ""
}

func setInt(field reflect.Value, n int64) (problem string) {
	if field.CanInt() {
		if field.OverflowInt(n) {
			return fmt.Sprintf("the number does not fit a %s", field.Kind())
		}
		field.SetInt(n)
		return ""
	}
	if n < 0 || field.OverflowUint(uint64(n)) {
		return fmt.Sprintf("the number does not fit a %s", field.Kind())
	}
	field.SetUint(uint64(n))
	return ""
}

// A draft is a record that is being read.
type draft struct {
	rd     *reading
	part   *partState
	number int // of the part
	index  int
	record reflect.Value // of the struct
	seen   []bool        // the columns that were there
	large  bool          // it is too large, which has been reported
	id     dataexport.Value
	refs   []dataexport.Value // as the references of the part
}

// draft begins the next record of a collection.
func (rd *reading) draft(number int) *draft {
	part := &rd.parts[number]
	d := &draft{rd: rd, part: part, number: number, index: int(part.found), seen: make([]bool, len(part.collection.Columns))}
	d.refs = make([]dataexport.Value, len(rd.archive.parts[number].references))
	part.found++
	if rd.visit != nil {
		d.record = reflect.New(part.structure).Elem()
		return d
	}
	if !part.scratch.IsValid() {
		part.scratch = reflect.New(part.structure).Elem()
	}
	d.record = part.scratch
	d.record.SetZero()
	return d
}

func (d *draft) fault(field, value, problem string) error {
	return d.rd.fault(Fault{Collection: d.part.collection.Name, Record: d.index, Field: field, Value: shorten(value), Problem: problem})
}

// set puts a value, which may be null, under a column.
func (d *draft) set(column int, v dataexport.Value) (problem string) {
	c := &d.part.collection.Columns[column]
	if v.IsNull() {
		if !c.Nullable {
			return fmt.Sprintf("null, where a %s must be", kindName(c.Kind))
		}
		return ""
	}
	if problem = set(d.record.FieldByIndex(d.part.fields[column]), v); problem != "" {
		return problem
	}
	if c.Role == dataexport.RoleID {
		d.id = v
	}
	for i, r := range d.rd.archive.parts[d.number].references {
		if r.Field == c.Name {
			d.refs[i] = v
		}
	}
	return ""
}

// finish ends the record.
func (d *draft) finish() error {
	for i, seen := range d.seen {
		if !seen && !d.large {
			if err := d.fault(d.part.collection.Columns[i].Name, "", "the field is missing"); err != nil {
				return err
			}
		}
	}
	if d.rd.visit == nil {
		return d.rd.keepIDs(d)
	}
	return d.rd.visit(Record{Collection: d.part.collection.Name, Index: d.index, Value: d.record.Addr().Interface()})
}
