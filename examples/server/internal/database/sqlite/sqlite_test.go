package sqlite

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dataexport/dataexport"
	"github.com/dataexport/dataexport/examples/server/internal/database"
	"github.com/dataexport/dataexport/examples/server/internal/database/databasetest"
	"github.com/dataexport/dataexport/store/sqlitestore"
)

func testDatabase(t testing.TB, connections int) *DB {
	t.Helper()
	db, err := Open(t.TempDir(), connections)
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, db.Close()) })
	require.NoError(t, db.Prepare(t.Context()))
	return db
}

func TestDatabase(t *testing.T) {
	databasetest.Run(t, func(t testing.TB) *databasetest.Subject {
		db := testDatabase(t, 4)
		require.NoError(t, sqlitestore.Migrate(t.Context(), db.SQL))
		return &databasetest.Subject{
			DB: db,
			Exec: func(ctx context.Context, statement string) error {
				_, err := db.SQL.ExecContext(ctx, statement)
				return err
			},
			Count: func(ctx context.Context, table string) (n int, err error) {
				err = db.SQL.QueryRowContext(ctx, "SELECT count(*) FROM "+table).Scan(&n)
				return n, err
			},
			Tables:   db.tables,
			InUse:    func() int { return db.SQL.Stats().InUse },
			HoldsNUL: true,
		}
	})
}

func (d *DB) tables(ctx context.Context) (names []string, err error) {
	rows, err := d.SQL.QueryContext(ctx, `SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite\_%' ESCAPE '\'`)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var name string
		if err := rows.Scan(&name); err != nil {
			return nil, err
		}
		names = append(names, name)
	}
	return names, rows.Err()
}

// TestNothingIsOpenBetweenPages reads a page over the only connection there is, which is free again after it.
func TestNothingIsOpenBetweenPages(t *testing.T) {
	db := testDatabase(t, 1)
	databasetest.Insert(t, db, databasetest.Records(10)...)
	where := &database.Condition{}
	where.Add("workspace_id = 'demo'")
	source := &memories{db: db.SQL, where: where, pageSize: 5}
	reader := newMemoryReader()
	n := 0
	statement, args := source.page(true, reader)
	for _, err := range source.read(t.Context(), reader, statement, args) {
		require.NoError(t, err)
		n++
	}
	require.Equal(t, 5, n)
	assert.Zero(t, db.SQL.Stats().InUse)
	databasetest.Insert(t, db, databasetest.Records(11)[10])
}

// TestPlans asks SQLite how it would read the pages. A sort, or a scan of everything, would be seen here.
func TestPlans(t *testing.T) {
	db := testDatabase(t, 4)
	at := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	all := dataexport.Filter{UserID: "u", AgentID: "a", SessionID: "s", Priority: "LOW", Categories: []string{"c"}}
	for _, filter := range []dataexport.Filter{{}, {CreatedAfter: at}, {CreatedBefore: at}, {CreatedAfter: at, CreatedBefore: at.Add(1)}, all} {
		for _, asOf := range []time.Time{{}, at} {
			for _, first := range []bool{true, false} {
				source := open(t, db, dataexport.Query{Scope: dataexport.Scope{WorkspaceID: "demo"}, Filter: filter, AsOf: asOf})
				reader := newMemoryReader()
				reader.values[database.ColumnID], reader.values[database.ColumnCreatedAt] = "id", database.FormatInstant(at)
				statement, args := source.page(first, reader)
				plan := db.explain(t, statement, args)
				bounds := "workspace_id=?"
				if !first {
					bounds += " AND (created_at,id)>(?,?)"
				} else if !filter.CreatedAfter.IsZero() {
					bounds += " AND created_at>?"
				}
				if !filter.CreatedBefore.IsZero() || !asOf.IsZero() {
					bounds += " AND created_at<?"
				}
				assert.Equal(t, "SEARCH memories USING INDEX memories_in_order ("+bounds+")", plan[0])
				assert.NotContains(t, strings.Join(plan, "\n"), "ORDER BY")
			}
		}
	}
	count := db.explain(t, "SELECT count(*) FROM memories WHERE workspace_id = ? AND created_at <= ?", []any{"demo", database.FormatInstant(at)})
	assert.Equal(t, []string{"SEARCH memories USING COVERING INDEX memories_in_order (workspace_id=? AND created_at<?)"}, count)
}

func open(t testing.TB, db *DB, q dataexport.Query) *memories {
	t.Helper()
	source, err := db.Memories(database.DefaultPageSize).Open(t.Context(), q)
	require.NoError(t, err)
	if counted, ok := source.(*countedMemories); ok {
		return counted.memories
	}
	return source.(*memories)
}

func (d *DB) explain(t testing.TB, statement string, args []any) (steps []string) {
	t.Helper()
	rows, err := d.SQL.QueryContext(t.Context(), "EXPLAIN QUERY PLAN "+statement, args...)
	require.NoError(t, err)
	defer func() { require.NoError(t, rows.Close()) }()
	for rows.Next() {
		var id, parent, unused int
		var step string
		require.NoError(t, rows.Scan(&id, &parent, &unused, &step))
		steps = append(steps, step)
	}
	require.NoError(t, rows.Err())
	require.NotEmpty(t, steps)
	return steps
}

// TestAccountPlans asks SQLite how it would read an account: in order, without a sort, and counting by the index alone.
func TestAccountPlans(t *testing.T) {
	db := testDatabase(t, 1)
	for _, table := range database.AccountTables {
		plan := db.explain(t, table.SelectRows(), []any{"w", "anna"})
		assert.Equal(t, []string{"SEARCH " + table.Name + " USING INDEX sqlite_autoindex_" + table.Name + "_1 (workspace_id=? AND subject=?)"}, plan)
		plan = db.explain(t, "SELECT count(*) FROM "+table.Name+database.OfOwner, []any{"w", "anna"})
		assert.Contains(t, plan[0], " USING COVERING INDEX ")
	}
}
