// Package databasetest holds every database of the server to the same: what it imports, what it finds for a query, and what
// an account in it looks like.
package databasetest

import (
	"context"
	"testing"

	"github.com/dataexport/dataexport"
	"github.com/dataexport/dataexport/examples/server/internal/database"
)

// A Subject is an empty database, prepared, and what the tests do with it behind its back.
type Subject struct {
	database.DB
	// Exec runs a statement without arguments.
	Exec func(ctx context.Context, statement string) error
	// Count returns how many rows a table has.
	Count func(ctx context.Context, table string) (int, error)
	// Tables returns the names of all tables, with those of the jobs.
	Tables func(ctx context.Context) ([]string, error)
	// InUse returns how many connections are not given back.
	InUse func() int
	// HoldsNUL says that texts may have NUL characters.
	HoldsNUL bool
}

// Run runs all tests. Open opens a new database for each, until the end of its test.
func Run(t *testing.T, open func(testing.TB) *Subject) {
	t.Helper()
	for _, group := range []map[string]func(*testing.T, *Subject){memoriesTests, importTests, accountTests} {
		for name, test := range group {
			t.Run(name, func(t *testing.T) { test(t, open(t)) })
		}
	}
}

// AccountFile is an archive, seen from the folders of the databases.
const AccountFile = "../../../testdata/account.json"

var demo = dataexport.Scope{WorkspaceID: "demo"}
