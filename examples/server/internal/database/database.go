// Package database is what the databases of the server have in common, whichever it is: what they keep, how they are filled,
// and what a query asks of them. Package sqlite and package postgres say the same in the words of each, and package
// databasetest holds both to it.
package database

import (
	"context"
	"iter"

	"github.com/dataexport/dataexport"
	"github.com/dataexport/dataexport/archive"
	"github.com/dataexport/dataexport/memory"
)

// A DB keeps memories, accounts and settings. Its methods are safe for concurrent use.
type DB interface {
	// Prepare makes the tables that are missing. Several processes may do so at the same time.
	Prepare(ctx context.Context) error

	// Memories is the dataset of the memories, which are read in pages of that many rows.
	Memories(pageSize int) dataexport.Dataset

	// Accounts is the dataset of the accounts, each of which is one archive.
	Accounts(a *archive.Archive) dataexport.Dataset

	// OtherTables are the tables that are in no archive of an account, and why; for the inventory of the archive.
	OtherTables() []archive.Table

	// HasAccount reports whether a subject of a workspace has an account.
	HasAccount(ctx context.Context, owner dataexport.Scope) (bool, error)

	// Setting returns the setting of that name. If there is none, it keeps the value that is given, and returns it.
	Setting(ctx context.Context, name, value string) (string, error)

	// Fill calls fill with a transaction, which is committed when it returns nil; otherwise nothing has changed. Nobody
	// else fills the database at the same time, in any process.
	Fill(ctx context.Context, fill func(Filling) error) error

	// Tidy is called after an import, for what is better done outside of its transaction.
	Tidy(ctx context.Context) error

	// Ping reports whether the database answers.
	Ping(ctx context.Context) error

	// Close closes all connections.
	Close() error
}

// A Filling is a transaction that imports. It is used by one goroutine at a time.
type Filling interface {
	// HasMemories reports whether there is a memory.
	HasMemories(ctx context.Context) (bool, error)

	// HasAccounts reports whether anybody has an account.
	HasAccounts(ctx context.Context) (bool, error)

	// HasAccount is that of DB.
	HasAccount(ctx context.Context, owner dataexport.Scope) (bool, error)

	// InsertMemories inserts memories and returns how many. An error of a memory names its line; there is one on each.
	InsertMemories(ctx context.Context, records iter.Seq2[*memory.Record, error]) (int64, error)

	// Workspaces returns how many workspaces have memories.
	Workspaces(ctx context.Context) (int, error)

	// InsertAccount inserts the records of an archive as the account of the owner and returns how many. An error of a
	// record says where in the archive it is. Read calls its argument for each record, and stops at an error.
	InsertAccount(ctx context.Context, a *archive.Archive, owner dataexport.Scope, read func(insert func(archive.Record) error) error) (int64, error)
}
