package pgrows

import (
	"context"
	"fmt"
	"iter"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/dataexport/dataexport"
)

// Pages reads a table in pages by its key. Between two pages it holds no connection and no snapshot, so that PostgreSQL can
// clean up during a long export. A page begins after the key of the last row of the page before, not at an offset: what is
// inserted or deleted meanwhile neither repeats nor hides another record.
//
// The table needs an index for its pages to be found quickly: first the columns that Where holds equal to something, then
// the key. Text columns of a key are compared by their bytes, as exports are ordered, so that they must be in the index as
// COLLATE "C", or be columns of that collation. Behind a time they may as well have another; few records share a time.
type Pages struct {
	DB    DB
	Table Table

	// Size is the number of records of a page. The default is 10,000.
	Size int

	// Count has the sources count their records before they are read, for the progress of a job. PostgreSQL has to look at
	// all records for that, or at an index.
	Count bool
}

const defaultPageSize = 10_000

// Open returns a source of one collection. It is what memory.RowDataset and Dataset take.
func (p Pages) Open(ctx context.Context, q dataexport.Query) (dataexport.Source, error) {
	source, err := p.prepare(ctx, q)
	if err != nil {
		return nil, err
	}
	if p.Count {
		return countedPages{source}, nil
	}
	return source, nil
}

// Check reports what would be wrong with every export, such as a column that the table does not have, or has as another
// type. It runs no query but has PostgreSQL look at it; a host does well to call it when it starts.
func (p Pages) Check(ctx context.Context) error {
	_, err := p.prepare(ctx, dataexport.Query{Scope: someone})
	return err
}

// someone is the scope with which statements are checked.
var someone = dataexport.Scope{WorkspaceID: "pgrows-check", Subject: "pgrows-check"}

func (p Pages) prepare(ctx context.Context, q dataexport.Query) (*pages, error) {
	if p.Size <= 0 {
		p.Size = defaultPageSize
	}
	s, err := p.Table.statement(q)
	if err != nil {
		return nil, err
	}
	r, key, err := s.prepared(ctx, p.DB)
	if err != nil {
		return nil, err
	}
	if len(key) == 0 {
		return nil, fmt.Errorf("%w: pgrows: collection %q has no key, by which its pages could be told apart", dataexport.ErrInvalid, p.Table.Collection.Name)
	}
	return &pages{db: p.DB, size: p.Size, statement: s, reader: r, key: key}, nil
}

// pages are the records that one query asks for. It holds nothing open.
type pages struct {
	db        DB
	size      int
	statement *statement
	reader    *reader
	key       []string // in SQL
}

func (p *pages) Close() error { return nil }

// Rows reads page after page.
func (p *pages) Rows(ctx context.Context, _ int) iter.Seq2[dataexport.Row, error] {
	return func(yield func(dataexport.Row, error) bool) {
		sql, args := p.page(nil)
		for {
			var last []any
			n, stopped := 0, false
			err := p.reader.query(ctx, p.db, sql, []any{args}, func(row dataexport.Row, _ error) bool {
				if n++; n == p.size {
					last = keyOf(row, p.statement.table.Collection.Key())
				}
				stopped = !yield(row, nil)
				return !stopped
			})
			switch {
			case stopped:
				return
			case err != nil:
				yield(nil, err)
				return
			case last == nil:
				return
			}
			sql, args = p.page(last)
		}
	}
}

// page returns the statement of the page behind a key, or of the first page.
func (p *pages) page(behind []any) (string, pgx.StrictNamedArgs) {
	order := strings.Join(p.key, ", ")
	sql := p.statement.rows()
	args := p.statement.args
	if behind != nil {
		args = maps.Clone(args)
		sql += " AND (" + order + ") > " + keyArguments(args, "key_", behind)
	}
	return sql + " ORDER BY " + order + " LIMIT " + strconv.Itoa(p.size), args
}

// keyArguments adds the values of a key to arguments, and returns how they are called in SQL.
func keyArguments(args pgx.StrictNamedArgs, prefix string, key []any) string {
	names := make([]string, len(key))
	for i, value := range key {
		name := argumentPrefix + prefix + strconv.Itoa(i+1)
		args[name], names[i] = value, "@"+name
	}
	return "(" + strings.Join(names, ", ") + ")"
}

// keyOf copies the key of a row.
func keyOf(row dataexport.Row, columns []int) []any {
	key := make([]any, len(columns))
	for i, column := range columns {
		switch v := row[column]; v.Kind() {
		case dataexport.KindString:
			key[i] = strings.Clone(v.Text())
		case dataexport.KindInt:
			key[i] = v.Int()
		case dataexport.KindTime:
			key[i] = v.Time()
		case dataexport.KindUUID:
			key[i] = slices.Clone(v.UUID()[:])
		}
	}
	return key
}

// countedPages can count too.
type countedPages struct{ *pages }

// Count counts the records.
func (p countedPages) Count(ctx context.Context) (int64, error) {
	return queryCount(ctx, p.db, p.statement)
}
