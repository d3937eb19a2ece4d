package pgrows

import (
	"context"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/dataexport/dataexport"
)

// A Table says where the records of a collection are.
type Table struct {
	Collection dataexport.Collection

	// From is what stands after FROM: a table or view, or a join. It is SQL and must not be made of what users give. The
	// default is the name of the collection.
	From string

	// Select has SQL expressions for the columns that are not a column of From by the same name.
	Select map[string]string

	// Where returns the condition, in SQL, of the records that a query asks for, with the arguments that it names: those of
	// its scope and nothing else, with its filter and AsOf. Conditions.Where does that for most tables. What users give must
	// be in the arguments. Names that begin with "pgrows_" are taken.
	Where func(q dataexport.Query) (condition string, args pgx.NamedArgs, err error)
}

// A statement is a query of a table as it grows.
type statement struct {
	table *Table
	where string
	args  pgx.StrictNamedArgs // a name without an argument is an error, not NULL
	// bytewise are the columns that are compared by their bytes. They are selected as they are ordered: otherwise PostgreSQL
	// would make each row twice, once with a column more to order by and once without it.
	bytewise map[string]bool
}

// statement returns the statement that reads what a query asks for, but for its order and bounds.
func (t *Table) statement(q dataexport.Query) (*statement, error) {
	fail := func(format string, args ...any) (*statement, error) {
		return nil, fmt.Errorf("%w: pgrows: table of collection %q: %w", dataexport.ErrInvalid, t.Collection.Name, fmt.Errorf(format, args...))
	}
	if err := t.Collection.Validate(); err != nil {
		return nil, err
	}
	for name := range t.Select {
		if !t.has(name) {
			return fail("Select has an expression for %q, which is no column of the collection", name)
		}
	}
	if t.Where == nil {
		return fail("it has no Where, and would export the records of everybody; see Conditions")
	}
	where, args, err := t.Where(q)
	switch {
	case err != nil:
		return nil, err
	case strings.TrimSpace(where) == "":
		return fail("Where returned no condition, and would export the records of everybody")
	}
	// The condition may end in a comment.
	s := &statement{table: t, where: "(" + where + "\n)", args: pgx.StrictNamedArgs{}, bytewise: make(map[string]bool)}
	for name, arg := range args {
		if strings.HasPrefix(name, argumentPrefix) {
			return fail("Where returned an argument %q; names that begin with %q are taken", name, argumentPrefix)
		}
		s.args[name] = arg
	}
	return s, nil
}

const argumentPrefix = "pgrows_"

func (t *Table) has(column string) bool {
	for i := range t.Collection.Columns {
		if t.Collection.Columns[i].Name == column {
			return true
		}
	}
	return false
}

// expression returns what a column is in SQL.
func (t *Table) expression(column string) string {
	if e, ok := t.Select[column]; ok {
		return "(" + e + ")"
	}
	return identifier(column)
}

func identifier(name string) string { return pgx.Identifier{name}.Sanitize() }

func (t *Table) from() string {
	if t.From != "" {
		return t.From
	}
	return identifier(t.Collection.Name)
}

// expression returns what a column is in SQL, with the collation by which it is compared.
func (s *statement) expression(column string) string {
	e := s.table.expression(column)
	if s.bytewise[column] {
		e += ` COLLATE "C"`
	}
	return e
}

// rows selects all columns of the table.
func (s *statement) rows() string { return s.columns(s.table.Collection.Columns) }

// columns selects some columns of the table.
func (s *statement) columns(columns []dataexport.Column) string {
	var b strings.Builder
	b.WriteString("SELECT ")
	for i, column := range columns {
		if i > 0 {
			b.WriteString(", ")
		}
		e, name := s.expression(column.Name), identifier(column.Name)
		b.WriteString(e)
		if e != name {
			b.WriteString(" AS " + name)
		}
	}
	b.WriteString(" FROM " + s.table.from() + " WHERE " + s.where)
	return b.String()
}

// count counts the records.
func (s *statement) count() string {
	return "(SELECT count(*) FROM " + s.table.from() + " WHERE " + s.where + ")"
}

// key returns the key columns of the table in SQL, and has them selected like that from now on. Exports compare text by its bytes, so that text in any other collation
// must be told to. The fields are those of rows.
func (s *statement) key(fields []field) ([]string, error) {
	columns := s.table.Collection.Columns
	var key []string
	for _, i := range s.table.Collection.Key() {
		name := columns[i].Name
		switch fields[i].as {
		case asText:
			if !fields[i].byCollation {
				return nil, fmt.Errorf("%w: pgrows: column %q is in the key, and PostgreSQL does not order its type as text; cast it to text", dataexport.ErrInvalid, name)
			}
			s.bytewise[name] = true
		case asTimeText:
			return nil, fmt.Errorf("%w: pgrows: column %q is in the key, and PostgreSQL does not order text as times; cast it to timestamptz", dataexport.ErrInvalid, name)
		}
		key = append(key, s.expression(name))
	}
	return key, nil
}

// prepared returns a reader of the rows of the statement and its key.
func (s *statement) prepared(ctx context.Context, db DB) (*reader, []string, error) {
	conn, release, err := connection(ctx, db)
	if err != nil {
		return nil, nil, explain(ctx, err)
	}
	defer release()
	sql, _, err := rewrite(ctx, conn, s.rows(), []any{s.args})
	if err != nil {
		return nil, nil, err
	}
	r := newReader(s.table.Collection.Columns)
	if err := r.describe(ctx, conn, sql); err != nil {
		return nil, nil, explain(ctx, err)
	}
	key, err := s.key(r.fields)
	return r, key, err
}

// queryCount returns the sum of the counts of statements.
func queryCount(ctx context.Context, db DB, statements ...*statement) (sum int64, err error) {
	for _, s := range statements {
		rows, err := db.Query(ctx, "SELECT "+s.count(), s.args)
		if err != nil {
			return 0, explain(ctx, err)
		}
		n, err := pgx.CollectExactlyOneRow(rows, pgx.RowTo[int64])
		if err != nil {
			return 0, explain(ctx, err)
		}
		sum += n
	}
	return sum, nil
}
