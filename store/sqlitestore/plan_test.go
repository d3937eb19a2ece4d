package sqlitestore

import (
	"database/sql"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/dataexport/dataexport"
)

// queriesByPlan returns every query of the store that reads more than one row of a table, with its arguments.
func queriesByPlan() map[string][]any {
	const jobs = "SELECT " + columns + " FROM dataexport_jobs WHERE "
	queries := map[string][]any{
		jobs + "id = ?": {"id"},
		jobs + whereKey: {"w", "key", "someone", "fingerprint"},
		countActive:     {"w"},
		countReady:      {"w", 1},
		fairest:         {1, 1},
		longestWaiting:  {1},
		countServed:     {"w"},
		nextHeld:        {},
		"SELECT count(*) FROM dataexport_jobs WHERE workspace_id = ? AND (personal = 0 OR subject = ?)": {"w", "someone"},
	}
	for _, status := range append(dataexport.Statuses(), "") {
		for _, format := range []string{"", "json"} {
			where, args := listed(scope, dataexport.ListQuery{Status: status, Format: format}, time.Unix(1, 0))
			queries["SELECT count(*) FROM dataexport_jobs WHERE "+where] = args
			queries[jobs+where+listOrder] = append(args[:len(args):len(args)], 20, 0)
		}
	}
	for _, k := range kinds(dataexport.DueQuery{}) {
		queries[jobs+k.due()] = []any{1, 100}
		queries[k.upcoming()] = []any{1}
	}
	return queries
}

// planOf returns the steps by which SQLite answers a query.
func planOf(t *testing.T, db *sql.DB, query string, args []any) (steps []string) {
	t.Helper()
	rows, err := db.Query("EXPLAIN QUERY PLAN "+query, args...)
	require.NoError(t, err, query)
	defer rows.Close() // rows.Err has told already
	for rows.Next() {
		var id, parent, unused int
		var step string
		require.NoError(t, rows.Scan(&id, &parent, &unused, &step))
		steps = append(steps, step)
	}
	require.NoError(t, rows.Err())
	require.NotEmpty(t, steps, query)
	return steps
}

// No query reads a whole table or a whole index, neither without statistics nor with those of a large database.
func TestQueriesSearchIndexes(t *testing.T) {
	s, _ := migrated(t)
	check := func() {
		for query, args := range queriesByPlan() {
			steps := planOf(t, s.db, query, args)
			plan := query + "\n" + strings.Join(steps, "\n")
			for _, step := range steps {
				switch {
				case step == "SCAN workspace", step == "SCAN CONSTANT ROW": // the recursion of Claim, and a row of values
				case strings.HasPrefix(step, "SCAN"):
					t.Errorf("a scan:\n%s", plan)
				case strings.HasPrefix(step, "SEARCH"):
					require.Regexp(t, ` USING (COVERING INDEX|INDEX|PRIMARY KEY) `, step, plan)
				case strings.HasPrefix(step, "USE TEMP B-TREE"):
					// Claim sorts the workspaces, a key has two jobs at most, and the ready jobs of a workspace are as many as
					// its quota allows. All other results come in the order of an index.
					few := query == fairest || strings.HasSuffix(query, whereKey) || strings.Contains(query, "AND status = 'READY'")
					require.True(t, few, "a sort:\n%s", plan)
				}
			}
		}
	}
	check()
	fill(t, s.db)
	check()
}

// fill makes 20,000 jobs in 100 workspaces, most of them ended, and gathers statistics.
func fill(t *testing.T, db *sql.DB) {
	t.Helper()
	_, err := db.ExecContext(t.Context(), `
		WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 20000)
		INSERT INTO dataexport_jobs (`+columns+`)
		SELECT 'id' || i, 'w' || i % 100, 'someone', 'memories', CASE i % 3 WHEN 0 THEN 'json' ELSE 'csv' END, i % 2, '{}', i,
			CASE i % 5 WHEN 0 THEN 'key' || i ELSE '' END, 'fingerprint',
			1, CASE WHEN i % 50 = 0 THEN 'PENDING' WHEN i % 51 = 0 THEN 'PROCESSING' WHEN i % 7 = 0 THEN 'FAILED'
				WHEN i % 11 = 0 THEN 'READY' ELSE 'EXPIRED' END,
			i, i, i, i, i, 1,
			0, NULL, NULL, NULL, 1, 1, '', CASE i % 4 WHEN 0 THEN 'key' ELSE '' END
		FROM n`)
	require.NoError(t, err)
	_, err = db.ExecContext(t.Context(), "ANALYZE")
	require.NoError(t, err)
}
