package pgrows

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// PostgreSQL computes the columns that are exported and no others: what it orders by is among them as it is.
func TestRowsAreMadeOnce(t *testing.T) {
	pool := newPool(t)
	things(t, pool, 100)
	table := &thingsSnapshot(pool, 1).Tables[0]
	s, err := table.statement(mine)
	require.NoError(t, err)
	_, key, err := s.prepared(t.Context(), pool)
	require.NoError(t, err)
	assert.Equal(t, []string{`"at"`, `"id" COLLATE "C"`}, key)

	rows, err := pool.Query(t.Context(), "EXPLAIN (VERBOSE, FORMAT JSON) "+s.rows()+" ORDER BY "+strings.Join(key, ", "), s.args)
	require.NoError(t, err)
	text, err := pgx.CollectExactlyOneRow(rows, pgx.RowTo[string])
	require.NoError(t, err)
	var plans []struct {
		Plan struct{ Output []string }
	}
	require.NoError(t, json.Unmarshal([]byte(text), &plans))
	require.Len(t, plans, 1)
	assert.Len(t, plans[0].Plan.Output, len(table.Collection.Columns), "%v", plans[0].Plan.Output)
}
