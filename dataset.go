package dataexport

import (
	"context"
	"fmt"
	"iter"
	"slices"
	"strings"
)

// A Role says what a column is to the export, besides being one of its cells.
type Role uint8

// The roles of columns. A collection has at most one column of each role but RoleNone.
const (
	RoleNone   Role = iota
	RoleID          // names the record; shown first where people read
	RoleBody        // the text of the record; shown last and in full where people read
	RoleTenant      // the workspace of the record; the engine fails an export that meets another workspace in it
)

// A Column is one field of every record of a collection.
type Column struct {
	Name     string // as it is written in files: a JSON key, a CSV header
	Kind     Kind
	Nullable bool // the column may hold null; a null in any other column fails the export
	Role     Role
	// Key is the place of the column in the collection's key, from 1, or 0 for a column outside of it. Rows come in
	// strictly ascending order of the key: text by its bytes. Strings, integers, times and UUIDs can be keys.
	Key int
}

// A Collection is a list of records of one shape, such as all memories of a workspace.
type Collection struct {
	Name    string
	Columns []Column
	// Single says that there is one record, not a list of them; it is not counted. The account of an archive is one.
	Single bool
}

// Key returns the indexes of the key columns in the order of the key.
func (c *Collection) Key() []int {
	key := make([]int, 0, 2)
	for place := 1; ; place++ {
		i := slices.IndexFunc(c.Columns, func(column Column) bool { return column.Key == place })
		if i < 0 {
			return key
		}
		key = append(key, i)
	}
}

// Column returns the index of the column of a role, or -1.
func (c *Collection) Column(role Role) int {
	return slices.IndexFunc(c.Columns, func(column Column) bool { return column.Role == role })
}

// Validate reports what is wrong with the description, as an ErrInvalid.
func (c *Collection) Validate() error {
	fail := func(format string, args ...any) error {
		return fmt.Errorf("%w: collection %q: %s", ErrInvalid, c.Name, fmt.Sprintf(format, args...))
	}
	if c.Name == "" {
		return fail("it has no name")
	}
	if len(c.Columns) == 0 {
		return fail("it has no columns")
	}
	names := make(map[string]bool, len(c.Columns))
	roles := make(map[Role]string)
	keyColumns := 0
	for _, column := range c.Columns {
		switch {
		case column.Name == "":
			return fail("a column has no name")
		case names[column.Name]:
			return fail("column %q is there twice", column.Name)
		case column.Kind == KindNull || int(column.Kind) >= len(kindNames):
			return fail("column %q has no kind that a column can have: %s", column.Name, column.Kind)
		case column.Role > RoleTenant:
			return fail("column %q has an unknown role", column.Name)
		case column.Role != RoleNone && roles[column.Role] != "":
			return fail("columns %q and %q have the same role", roles[column.Role], column.Name)
		case (column.Role == RoleBody || column.Role == RoleTenant) && column.Kind != KindString:
			return fail("column %q has a role that only a string column can have, and is of kind %s", column.Name, column.Kind)
		case column.Role == RoleTenant && column.Nullable:
			return fail("column %q says of which workspace a record is and cannot be nullable", column.Name)
		case column.Key < 0:
			return fail("column %q has a negative place in the key", column.Name)
		case column.Key > 0 && column.Nullable:
			return fail("column %q is in the key and cannot be nullable", column.Name)
		case column.Key > 0 && !keyKind(column.Kind):
			return fail("column %q is in the key and cannot be of kind %s", column.Name, column.Kind)
		}
		names[column.Name] = true
		roles[column.Role] = column.Name
		if column.Key > 0 {
			keyColumns++
		}
	}
	if len(c.Key()) != keyColumns {
		return fail("the places of the key columns must be 1 to %d, each once", keyColumns)
	}
	return nil
}

func keyKind(k Kind) bool {
	return k == KindString || k == KindInt || k == KindTime || k == KindUUID
}

// A HeadField is a field in front of the collections of a document that is one object.
type HeadField struct {
	Name  string
	Value string // the text of the field, unless Clock
	Clock bool   // the field is the time of the document, Doc.Time
}

// A Layout is the outer shape of a document in formats that can have one, such as JSON. The zero Layout is a bare list,
// which fits a dataset of one collection.
type Layout struct {
	Object    bool        // one object with a member for each collection, not a bare list
	Head      []HeadField // in front of the collections
	CountsKey string      // the name of a last member that counts the records of each collection; empty for none
}

// Info describes a dataset. It does not change while the program runs.
type Info struct {
	Name string // what users ask for, for example "memories"; letters, digits, '-' and '_'
	// Personal data belongs to one person: its jobs and files exist for the Subject of their Scope alone.
	Personal    bool
	Filters     []string // the names of the filter parameters that the dataset obeys; any other is refused
	Layout      Layout
	Collections []Collection
}

// Validate reports what is wrong with the description, as an ErrInvalid.
func (info *Info) Validate() error {
	fail := func(format string, args ...any) error {
		return fmt.Errorf("%w: dataset %q: %s", ErrInvalid, info.Name, fmt.Sprintf(format, args...))
	}
	if !validName(info.Name) {
		return fail("its name must be 1 to 64 letters, digits, '-' or '_'")
	}
	for _, name := range info.Filters {
		if !slices.Contains(filterNames, name) {
			return fail("there is no filter %q", name)
		}
	}
	if len(info.Collections) == 0 {
		return fail("it has no collections")
	}
	if !info.Layout.Object && (len(info.Collections) > 1 || info.Collections[0].Single) {
		return fail("a bare list holds one collection that is a list; set Layout.Object")
	}
	members := make(map[string]bool)
	for _, field := range info.Layout.Head {
		if members[field.Name] {
			return fail("member %q is there twice", field.Name)
		}
		members[field.Name] = true
	}
	for i := range info.Collections {
		if err := info.Collections[i].Validate(); err != nil {
			return fmt.Errorf("dataset %q: %w", info.Name, err)
		}
		if members[info.Collections[i].Name] {
			return fail("member %q is there twice", info.Collections[i].Name)
		}
		members[info.Collections[i].Name] = true
	}
	if info.Layout.CountsKey != "" && members[info.Layout.CountsKey] {
		return fail("member %q is there twice", info.Layout.CountsKey)
	}
	return nil
}

// hasTenant reports whether records say of which workspace they are.
func (info *Info) hasTenant() bool {
	return slices.ContainsFunc(info.Collections, func(c Collection) bool { return c.Column(RoleTenant) >= 0 })
}

// checkFilter returns the faults of a filter, among them conditions that the dataset does not obey.
func (info *Info) checkFilter(f *Filter) error {
	var faults ValidationError
	if err := faults.Merge(f.Validate()); err != nil {
		return err
	}
	for _, name := range f.Names() {
		if !slices.Contains(info.Filters, name) {
			faults.Add(name, "the dataset %s cannot be filtered by %s", info.Name, name)
		}
	}
	return faults.Err()
}

// validName reports whether a name can stand in a query parameter, a file name and a log line as it is.
func validName(name string) bool {
	const letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_"
	return len(name) > 0 && len(name) <= 64 && strings.Trim(name, letters) == ""
}

// A Dataset is data of the host that users can export. Its methods are safe for concurrent use.
type Dataset interface {
	// Info describes the dataset. It returns the same description each time.
	Info() Info

	// Open returns one view of the data that the query asks for: of its scope and nothing else, with its filter, and, if
	// AsOf is set, of records created at or before it. A scope that has nothing to export is an empty source, or
	// ErrNotFound where that makes a difference, as for an account that is not there.
	Open(ctx context.Context, q Query) (Source, error)
}

// A Source is an open view of a dataset. It is used by one goroutine at a time.
type Source interface {
	// Rows returns the rows of the collection with that index in Info, in strictly ascending order of its key. It is
	// called once for each collection, in their order. A row that comes with an error is not looked at, and nothing is
	// asked for after it. Rows stops soon after ctx is done and yields the error of ctx.
	Rows(ctx context.Context, collection int) iter.Seq2[Row, error]

	// Close frees what the source holds. It is called exactly once, also after an error.
	Close() error
}

// A Counter is a Source that knows how many records it has, all collections but the single ones together. A job shows
// it as the total of its progress.
type Counter interface {
	Count(ctx context.Context) (int64, error)
}

// DatasetOptions are what NewDataset can be told besides the records.
type DatasetOptions struct {
	Filters  []string // see Info.Filters
	Personal bool     // see Info.Personal
}

// NewDataset makes a dataset of one collection from a function that yields records. T is a struct; CollectionOf says how
// its fields become columns. The function follows the rules of Dataset.Open and Source.Rows. The pointer that it yields
// may be the same each time.
func NewDataset[T any](name string, records func(context.Context, Query) iter.Seq2[*T, error], o DatasetOptions) (Dataset, error) {
	collection, err := CollectionOf[T](name)
	if err != nil {
		return nil, err
	}
	d := &recordDataset[T]{records: records, info: Info{
		Name: name, Personal: o.Personal, Filters: slices.Clone(o.Filters), Collections: []Collection{collection},
	}}
	if err := d.info.Validate(); err != nil {
		return nil, err
	}
	return d, nil
}

type recordDataset[T any] struct {
	info    Info
	records func(context.Context, Query) iter.Seq2[*T, error]
}

func (d *recordDataset[T]) Info() Info { return d.info }

func (d *recordDataset[T]) Open(_ context.Context, q Query) (Source, error) {
	return SourceFunc(func(ctx context.Context, _ int) iter.Seq2[Row, error] {
		return RowsOf(d.records(ctx, q))
	}), nil
}

// SourceFunc is a Source that has nothing to close: the function is its Rows.
type SourceFunc func(ctx context.Context, collection int) iter.Seq2[Row, error]

// Rows calls f.
func (f SourceFunc) Rows(ctx context.Context, collection int) iter.Seq2[Row, error] {
	return f(ctx, collection)
}

// Close does nothing.
func (f SourceFunc) Close() error { return nil }
