package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"

	"github.com/dataexport/dataexport"
	"github.com/dataexport/dataexport/archive"
)

// importAccount gives the owner the account that an archive file holds, unless there is no file or the owner has an account
// already. A file with a fault is refused, and all of a good one is one transaction: there is a whole account or none.
func importAccount(ctx context.Context, db *sql.DB, a *archive.Archive, file string, owner dataexport.Scope, log *slog.Logger) error {
	if file == "" {
		return nil
	}
	found, err := accountExists(ctx, db, owner)
	if err != nil {
		return err
	}
	if found {
		log.Warn("-account is ignored: there is an account already; use another -data to import", slog.String("file", file), slog.String("subject", owner.Subject))
		return nil
	}
	content, size, err := openArchive(ctx, file)
	if err != nil {
		return fmt.Errorf("-account: %w", err)
	}
	defer content.Close() // it was only read
	if err := verify(a, content, size); err != nil {
		return fmt.Errorf("-account %s: %w", file, err)
	}
	n, err := insertArchive(ctx, db, a, content, size, owner)
	if err != nil {
		return fmt.Errorf("importing %s: %w", file, err)
	}
	log.Info("the account is imported", slog.Int64("records", n), slog.String("workspace", owner.WorkspaceID), slog.String("subject", owner.Subject), slog.String("from", file))
	return nil
}

// verify returns the first fault of an archive, with its place.
func verify(a *archive.Archive, content io.ReaderAt, size int64) error {
	report, err := a.Verify(content, size)
	if err != nil {
		return err
	}
	if report.OK() {
		return nil
	}
	first := &report.Faults[0]
	if more := int64(len(report.Faults)) - 1 + report.More; more > 0 {
		return fmt.Errorf("%w (and %d more: go run ./examples/verify names them)", first, more)
	}
	return first
}

// insertArchive inserts all records of an archive and returns how many there were.
func insertArchive(ctx context.Context, db *sql.DB, a *archive.Archive, content io.ReaderAt, size int64, owner dataexport.Scope) (int64, error) {
	tx, err := db.BeginTx(context.WithoutCancel(ctx), nil) // as in importOnce
	if err != nil {
		return 0, err
	}
	defer tx.Rollback() //nolint:errcheck // after a commit it has nothing to do, and after an error that one counts
	inserts, err := prepareInserts(ctx, tx)
	if err != nil {
		return 0, err
	}
	var n int64
	_, err = a.Read(content, size, func(r archive.Record) error {
		values, err := accountValues(r.Value)
		if err != nil {
			return err
		}
		if _, err = inserts[r.Collection].Exec(append([]any{owner.WorkspaceID, owner.Subject}, values...)...); err != nil {
			return fmt.Errorf("%s[%d]: %w", r.Collection, r.Index, err)
		}
		n++
		return nil
	})
	if err != nil {
		return 0, err
	}
	if err := tx.Commit(); err != nil {
		return 0, err
	}
	return n, foldLog(ctx, db)
}

// prepareInserts returns the statements by collection. They end with the transaction.
func prepareInserts(ctx context.Context, tx *sql.Tx) (map[string]*sql.Stmt, error) {
	inserts := make(map[string]*sql.Stmt)
	for _, t := range accountTables {
		insert, err := tx.PrepareContext(ctx, t.insertRow()) //nolint:sqlclosecheck // the transaction closes it
		if err != nil {
			return nil, err
		}
		inserts[t.collection] = insert
	}
	return inserts, nil
}

// openArchive opens a file that reads nothing more once ctx is done.
func openArchive(ctx context.Context, name string) (*archiveFile, int64, error) {
	file, err := os.Open(name)
	if err != nil {
		return nil, 0, err
	}
	info, err := file.Stat()
	if err != nil {
		return nil, 0, errors.Join(err, file.Close())
	}
	return &archiveFile{File: file, ctx: ctx}, info.Size(), nil
}

type archiveFile struct {
	*os.File
	ctx context.Context //nolint:containedctx // it lives as long as the reading
}

// ReadAt reads from the file.
func (f *archiveFile) ReadAt(p []byte, offset int64) (int, error) {
	if err := f.ctx.Err(); err != nil {
		return 0, err
	}
	return f.File.ReadAt(p, offset)
}
