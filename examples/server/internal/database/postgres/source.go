package postgres

import (
	"context"
	"iter"
	"slices"

	"github.com/dataexport/dataexport"
	"github.com/dataexport/dataexport/examples/server/internal/database"
)

// keptAs returns a collection as our tables keep it, for package pgrows: times and decimal numbers are text. A host whose
// columns are timestamptz and numeric needs neither this nor restore.
func keptAs(c dataexport.Collection) dataexport.Collection {
	c.Columns = slices.Clone(c.Columns)
	for i := range c.Columns {
		if kind := c.Columns[i].Kind; kind == dataexport.KindTime || kind == dataexport.KindDecimal {
			c.Columns[i].Kind = dataexport.KindString
		}
	}
	return c
}

// restore returns a source whose rows are those of the collections as they are.
func restore(source dataexport.Source, collections ...dataexport.Collection) dataexport.Source {
	s := &restored{source, collections}
	if counter, ok := source.(dataexport.Counter); ok {
		return &countedRestored{s, counter}
	}
	return s
}

// restored are rows that come from text.
type restored struct {
	dataexport.Source
	collections []dataexport.Collection
}

// Rows yields the rows of a collection.
func (s *restored) Rows(ctx context.Context, collection int) iter.Seq2[dataexport.Row, error] {
	return func(yield func(dataexport.Row, error) bool) {
		columns := s.collections[collection].Columns
		for row, err := range s.Source.Rows(ctx, collection) {
			if err == nil {
				err = restoreRow(row, columns)
			}
			if ctx.Err() != nil { // many rows may have come already
				err = ctx.Err()
			}
			if err != nil {
				yield(nil, Explain(err))
				return
			}
			if !yield(row, nil) {
				return
			}
		}
	}
}

// restoreRow changes a row in place: it is ours until the next one is asked for.
func restoreRow(row dataexport.Row, columns []dataexport.Column) error {
	for i := range row {
		if row[i].Kind() != dataexport.KindString {
			continue
		}
		switch columns[i].Kind {
		case dataexport.KindDecimal:
			row[i] = dataexport.DecimalValue(row[i].Text())
		case dataexport.KindTime:
			t, err := database.ParseInstant(row[i].Text())
			if err != nil {
				return err
			}
			row[i] = dataexport.TimeValue(t)
		}
	}
	return nil
}

// countedRestored can count too.
type countedRestored struct {
	*restored
	counter dataexport.Counter
}

// Count counts the rows.
func (s *countedRestored) Count(ctx context.Context) (int64, error) {
	n, err := s.counter.Count(ctx)
	return n, Explain(err)
}

// nothing is a source without rows.
type nothing struct{}

// Rows yields nothing.
func (nothing) Rows(context.Context, int) iter.Seq2[dataexport.Row, error] {
	return func(func(dataexport.Row, error) bool) {}
}

// Count counts nothing.
func (nothing) Count(context.Context) (int64, error) { return 0, nil }

// Close does nothing.
func (nothing) Close() error { return nil }
