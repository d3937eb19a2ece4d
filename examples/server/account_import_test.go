package main

import (
	"context"
	"io/fs"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestNoHalfAccount fails in the middle of an import, after other records went well.
func TestNoHalfAccount(t *testing.T) {
	content, err := os.ReadFile(accountFile)
	require.NoError(t, err)
	a := testArchive(t)
	for name, test := range map[string]struct{ old, with, problem string }{
		"a fault that Read finds":         {`"grandfathered": false`, `"grandfathered": "no"`, "subscriptions[1].grandfathered"},
		"a fault that the database finds": {`"id": "00000000-0000-4000-8000-000000000008"`, `"id": "00000000-0000-4000-8000-000000000007"`, "memoryEvents[7]: "},
	} {
		t.Run(name, func(t *testing.T) {
			db := testDatabase(t)
			text := strings.Replace(string(content), test.old, test.with, 1)
			require.NotEqual(t, string(content), text)
			_, err := insertArchive(t.Context(), db, a, strings.NewReader(text), int64(len(text)), anna)
			require.ErrorContains(t, err, test.problem)
			for _, table := range accountTables {
				var n int
				require.NoError(t, db.QueryRowContext(t.Context(), "SELECT count(*) FROM "+table.name).Scan(&n))
				assert.Zero(t, n, table.name)
			}
			require.NoError(t, importAccount(t.Context(), db, a, accountFile, anna, quiet()), "the database is as good as new")
		})
	}
}

func TestAccountImportStops(t *testing.T) {
	db := testDatabase(t)
	ctx, cancel := context.WithCancel(t.Context())
	content, size, err := openArchive(ctx, accountFile)
	require.NoError(t, err)
	cancel()
	_, err = testArchive(t).Verify(content, size)
	require.ErrorIs(t, err, context.Canceled)
	require.NoError(t, content.Close())
	require.ErrorIs(t, importAccount(ctx, db, testArchive(t), accountFile, anna, quiet()), context.Canceled)
	found, err := accountExists(t.Context(), db, anna)
	require.NoError(t, err)
	assert.False(t, found)
	require.ErrorIs(t, importAccount(t.Context(), db, testArchive(t), "no such file", anna, quiet()), fs.ErrNotExist)
	require.NoError(t, importAccount(t.Context(), db, testArchive(t), "", anna, quiet()), "no file is no account")
}
