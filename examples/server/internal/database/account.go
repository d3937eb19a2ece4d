package database

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"

	"github.com/dataexport/dataexport"
	"github.com/dataexport/dataexport/archive"
)

// ImportAccount gives the owner the account that an archive file holds, unless there is no file or the owner has an account
// already. A file with a fault is refused, and all of a good one is one transaction: there is a whole account or none.
func ImportAccount(ctx context.Context, db DB, a *archive.Archive, file string, owner dataexport.Scope, log *slog.Logger) error {
	if file == "" {
		return nil
	}
	ignored := func() {
		log.Warn("-account is ignored: there is an account already; import into an empty database", slog.String("file", file), slog.String("subject", owner.Subject))
	}
	found, err := db.HasAccount(ctx, owner)
	if err != nil {
		return err
	}
	if found {
		ignored()
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
	n, err := InsertArchive(ctx, db, a, content, size, owner)
	switch {
	case errors.Is(err, errHasAccount): // since we looked: by a server that has started together with this one
		ignored()
		return nil
	case err != nil:
		return fmt.Errorf("importing %s: %w", file, err)
	}
	if err := db.Tidy(ctx); err != nil {
		return err
	}
	log.Info("the account is imported", slog.Int64("records", n), slog.String("workspace", owner.WorkspaceID), slog.String("subject", owner.Subject), slog.String("from", file))
	return nil
}

var errHasAccount = errors.New("the subject has an account already")

// InsertArchive inserts all records of an archive that was verified and returns how many there were.
func InsertArchive(
	ctx context.Context, db DB, a *archive.Archive, content io.ReaderAt, size int64, owner dataexport.Scope,
) (inserted int64, err error) {
	err = db.Fill(ctx, func(tx Filling) error {
		found, err := tx.HasAccount(ctx, owner)
		if err != nil {
			return err
		}
		if found {
			return errHasAccount
		}
		inserted, err = tx.InsertAccount(ctx, a, owner, func(insert func(archive.Record) error) error {
			_, err := a.Read(content, size, insert)
			return err
		})
		return err
	})
	return inserted, err
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
