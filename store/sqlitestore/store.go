// Package sqlitestore keeps export jobs in SQLite, for one process or several on one machine.
//
// It works with any SQLite driver of database/sql whose SQLite is 3.37 or later; the program imports the driver and opens
// the database:
//
//	db, err := sql.Open("sqlite", "exports.db")
//	err = sqlitestore.Migrate(ctx, db)
//	store := sqlitestore.New(db)
//
// No setting of the data source name is needed. Migrate switches the database to a write-ahead log, where readers and the
// one writer do not wait for each other, and every operation sets the busy timeout of the connection that it uses. A
// database in memory works too if the pool is held to one connection.
//
// The tables begin with dataexport_, so that the database can be shared with the program's own.
package sqlitestore

import (
	"database/sql"
	"sync"
	"time"

	"github.com/dataexport/dataexport"
)

// patience is how long an operation tries to get at a database that others keep locked.
const patience = 10 * time.Second

// A Store is a dataexport.Store, a dataexport.WorkWaiter and a dataexport.StatsReader in SQLite. It is safe for concurrent use, and several
// processes may use the same file. Its clock is time.Now, with nanoseconds.
//
// A database that stays locked for ten seconds, that cannot be opened, read or written, or that is full is an
// ErrUnavailable. What a driver reports is told apart by the method Code() int of its error, if there is one that gives
// SQLite's result code, and otherwise by SQLite's own English message, which drivers pass on.
type Store struct {
	db       *sql.DB
	patience time.Duration

	mu      sync.Mutex
	changed chan struct{} // closed and replaced when a job may have become claimable by what this Store did
}

var (
	_ dataexport.Store       = (*Store)(nil)
	_ dataexport.WorkWaiter  = (*Store)(nil)
	_ dataexport.StatsReader = (*Store)(nil)
)

// New returns a store in a database that Migrate has prepared. The database stays the caller's to close. Any limit of
// connections will do, also 1, if nothing else holds one for long. A source that reads from the same pool while an export
// runs holds one for each worker: leave the store at least two more, or give it a pool of its own.
func New(db *sql.DB) *Store {
	return &Store{db: db, patience: patience, changed: make(chan struct{})}
}

// now returns the time without its monotonic part, which would be lost in the database.
func now() time.Time { return time.Now().Round(0).UTC() }
