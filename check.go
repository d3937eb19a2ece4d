package dataexport

import (
	"fmt"
	"math"
)

// A rowChecker looks at every row before a renderer does, because a source is code of the host: a row must fit the
// columns, be of the workspace that was asked for, and come after the one before it.
type rowChecker struct {
	collection *Collection
	workspace  string
	tenant     int   // index of the tenant column, or -1
	key        []int // indexes of the key columns
	rows       int64
	previous   []Value    // the key of the row before
	text       []byte     // what its strings point at
	uuids      [][16]byte // what its UUIDs point at
}

func newRowChecker(c *Collection, workspace string) *rowChecker {
	key := c.Key()
	return &rowChecker{
		collection: c, workspace: workspace, tenant: c.Column(RoleTenant), key: key,
		previous: make([]Value, len(key)), uuids: make([][16]byte, len(key)),
	}
}

// check returns an ErrBadRow that says which record and column are at fault.
func (c *rowChecker) check(row Row) error {
	c.rows++
	if len(row) != len(c.collection.Columns) {
		return c.fault("it has %d values for %d columns", len(row), len(c.collection.Columns))
	}
	for i := range c.collection.Columns {
		column := &c.collection.Columns[i]
		switch kind := row[i].kind; {
		case kind == column.Kind:
			if kind == KindFloat {
				if f := row[i].Float(); math.IsNaN(f) || math.IsInf(f, 0) {
					return c.fault("column %s is %v, which is no number", column.Name, f)
				}
			}
		case kind == KindNull && column.Nullable:
		case kind == KindNull:
			return c.fault("column %s is null and must not be", column.Name)
		default:
			return c.fault("column %s is of kind %s and must be of kind %s", column.Name, kind, column.Kind)
		}
	}
	if c.tenant >= 0 {
		if workspace := row[c.tenant].Text(); workspace != c.workspace {
			return c.fault("it is of workspace %q, and the export is of workspace %q", workspace, c.workspace)
		}
	}
	return c.checkOrder(row)
}

// checkOrder compares the key with that of the row before and keeps it.
func (c *rowChecker) checkOrder(row Row) error {
	if len(c.key) == 0 {
		return nil
	}
	if c.rows > 1 {
		order := 0
		for place, i := range c.key {
			if order = compareKeys(c.previous[place], row[i]); order != 0 {
				break
			}
		}
		if order == 0 {
			return c.fault("it has the same key as the record before it")
		}
		if order > 0 {
			return c.fault("its key is smaller than that of the record before it; the source must sort by its key")
		}
	}
	c.text = c.text[:0]
	for place, i := range c.key {
		v := row[i]
		switch v.kind {
		case KindString:
			// A growing buffer moves; the strings of this key that were kept before point at the old one, which stays as it is.
			start := len(c.text)
			c.text = append(c.text, v.Text()...)
			v = BytesValue(c.text[start:])
		case KindUUID:
			c.uuids[place] = *v.UUID()
			v = UUIDValue(&c.uuids[place])
		}
		c.previous[place] = v
	}
	return nil
}

func (c *rowChecker) fault(format string, args ...any) error {
	return fmt.Errorf("%w: collection %s, record %d: %s", ErrBadRow, c.collection.Name, c.rows, fmt.Sprintf(format, args...))
}
