package postgres

import (
	"context"
	"fmt"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/dataexport/dataexport"
	"github.com/dataexport/dataexport/archive"
	"github.com/dataexport/dataexport/examples/server/internal/database"
)

// Records of an account are sent together until there are so many, or they are so long.
const (
	batchRecords = 500
	batchBytes   = 1 << 20
)

// InsertAccount is that of database.Filling.
func (f *filling) InsertAccount(
	ctx context.Context, a *archive.Archive, owner dataexport.Scope, read func(insert func(archive.Record) error) error,
) (n int64, err error) {
	tables := make(map[string]*accountTable)
	for i, c := range a.Info().Collections {
		tables[c.Name] = &accountTable{statement: numbered(database.AccountTables[i].InsertRow()), columns: c.Columns}
	}
	b := &accountBatch{tx: f.tx, owner: owner}
	err = read(func(r archive.Record) error {
		n++
		return b.add(ctx, tables[r.Collection], &r)
	})
	if err != nil {
		return 0, err
	}
	return n, b.send(ctx)
}

// An accountTable is how the records of one collection are inserted.
type accountTable struct {
	statement string
	columns   []dataexport.Column
}

// values returns a record as PostgreSQL keeps it, and how long its texts are.
func (t *accountTable) values(r *archive.Record) (values []any, size int, err error) {
	if values, err = database.AccountValues(r.Value); err != nil {
		return nil, 0, err
	}
	for i, value := range values {
		if err := checkValue(value); err != nil {
			return nil, 0, fmt.Errorf("%s.%s %w", place(r), t.columns[i].Name, err)
		}
		switch v := value.(type) {
		case string:
			size += len(v)
		case uuid.UUID: // as bytes: by its methods package pgx would take it for text
			values[i] = v[:]
		case *uuid.UUID:
			values[i] = nil
			if v != nil {
				values[i] = v[:]
			}
		}
	}
	return values, size, nil
}

func place(r *archive.Record) string { return fmt.Sprintf("%s[%d]", r.Collection, r.Index) }

// An accountBatch is records of an account that are sent together.
type accountBatch struct {
	tx     pgx.Tx
	owner  dataexport.Scope
	batch  pgx.Batch
	places []string // of the records in the archive
	size   int      // bytes
}

// add adds a record, and sends what there is when it is enough.
func (b *accountBatch) add(ctx context.Context, t *accountTable, r *archive.Record) error {
	values, size, err := t.values(r)
	if err != nil {
		return err
	}
	b.batch.Queue(t.statement, append(database.OwnerArgs(b.owner), values...)...)
	b.places = append(b.places, place(r))
	if b.size += size; len(b.places) < batchRecords && b.size < batchBytes {
		return nil
	}
	return b.send(ctx)
}

// send inserts what was added since the last time. The first error is the one that counts: the others are its consequences.
func (b *accountBatch) send(ctx context.Context) error {
	results := b.tx.SendBatch(ctx, &b.batch)
	for _, place := range b.places {
		if _, err := results.Exec(); err != nil {
			_ = results.Close()
			return fmt.Errorf("%s: %w", place, Explain(err))
		}
	}
	b.batch, b.places, b.size = pgx.Batch{}, b.places[:0], 0
	return Explain(results.Close())
}
