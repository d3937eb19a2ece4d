package sqlite

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"iter"

	"github.com/dataexport/dataexport"
	"github.com/dataexport/dataexport/examples/server/internal/database"
	"github.com/dataexport/dataexport/memory"
)

// Memories is that of database.DB. While a statement runs the write-ahead log cannot be folded up; hence the pages.
func (d *DB) Memories(pageSize int) dataexport.Dataset {
	return memory.RowDataset(func(_ context.Context, q dataexport.Query) (dataexport.Source, error) {
		where, err := newCondition(&q)
		if err != nil {
			return nil, err
		}
		source := &memories{db: d.SQL, where: where, pageSize: pageSize}
		if !q.Filter.CreatedAfter.IsZero() {
			source.createdAfter = database.FormatInstant(q.Filter.CreatedAfter)
		}
		if database.OnlyIndexed(&q.Filter) {
			return &countedMemories{source}, nil
		}
		return source, nil
	})
}

// newCondition is database.NewCondition with the categories.
func newCondition(q *dataexport.Query) (*database.Condition, error) {
	c := database.NewCondition(q)
	if q.Filter.Categories != nil {
		list, err := json.Marshal(q.Filter.Categories)
		if err != nil {
			return nil, fmt.Errorf("the categories of the filter: %w", err)
		}
		c.Add("EXISTS (SELECT 1 FROM json_each(categories) WHERE value IN (SELECT value FROM json_each(?)))", string(list))
	}
	return c, nil
}

// memories are the memories that one query asks for. It holds nothing open.
type memories struct {
	db           *sql.DB
	where        *database.Condition
	createdAfter string // exclusive; empty if not set
	pageSize     int
}

// Close does nothing.
func (m *memories) Close() error { return nil }

// Rows reads the memories page by page, in the order of the index. A page begins after the key of the last row of the page
// before, not at an offset: what is inserted or removed meanwhile neither repeats nor hides another row.
func (m *memories) Rows(ctx context.Context, _ int) iter.Seq2[dataexport.Row, error] {
	return func(yield func(dataexport.Row, error) bool) {
		reader := newMemoryReader()
		for first := true; ; first = false {
			statement, args := m.page(first, reader)
			n := 0
			for row, err := range m.read(ctx, reader, statement, args) {
				if !yield(row, err) || err != nil {
					return
				}
				n++
			}
			if n < m.pageSize {
				return
			}
		}
	}
}

// page returns the statement of the page that follows the reader's last row.
func (m *memories) page(first bool, reader *rowReader) (statement string, args []any) {
	where := m.where.Clone()
	switch {
	case !first:
		where.Add("(created_at, id) > (?, ?)", reader.values[database.ColumnCreatedAt], reader.values[database.ColumnID])
	case m.createdAfter != "":
		where.Add("created_at > ?", m.createdAfter)
	}
	statement = "SELECT " + database.Columns + " FROM memories WHERE " + where.String() + " ORDER BY created_at, id LIMIT ?"
	return statement, append(where.Args, m.pageSize)
}

// read runs one statement to its end.
func (m *memories) read(ctx context.Context, reader *rowReader, statement string, args []any) iter.Seq2[dataexport.Row, error] {
	return func(yield func(dataexport.Row, error) bool) {
		rows, err := m.db.QueryContext(ctx, statement, args...)
		if err != nil {
			yield(nil, fmt.Errorf("reading memories: %w", err))
			return
		}
		defer rows.Close() // rows.Err tells what went wrong
		for rows.Next() {
			row, err := reader.scan(rows)
			if !yield(row, err) || err != nil {
				return
			}
		}
		if err := rows.Err(); err != nil {
			yield(nil, fmt.Errorf("reading memories: %w", err))
		}
	}
}

// countedMemories can count too. Only a count that the index alone answers is worth its time, some percent of that of the
// export. Any other would look at every memory twice.
type countedMemories struct{ *memories }

// Count counts the memories.
func (m *countedMemories) Count(ctx context.Context) (n int64, err error) {
	where := m.where.Clone()
	if m.createdAfter != "" {
		where.Add("created_at > ?", m.createdAfter)
	}
	err = m.db.QueryRowContext(ctx, "SELECT count(*) FROM memories WHERE "+where.String(), where.Args...).Scan(&n)
	if err != nil {
		return 0, fmt.Errorf("counting memories: %w", err)
	}
	return n, nil
}
