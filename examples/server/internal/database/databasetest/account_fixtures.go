package databasetest

import (
	"bytes"
	"context"
	"iter"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/dataexport/dataexport"
	"github.com/dataexport/dataexport/archive"
	"github.com/dataexport/dataexport/archive/threengram"
	"github.com/dataexport/dataexport/examples/server/internal/database"
	"github.com/dataexport/dataexport/render"
)

var (
	anna = dataexport.Scope{WorkspaceID: "w", Subject: "anna"}
	noon = time.Date(2026, 1, 15, 12, 0, 0, 0, time.UTC)
)

func (s *Subject) archive(t testing.TB) *archive.Archive {
	t.Helper()
	a, err := database.AccountArchive(s)
	require.NoError(t, err)
	return a
}

// A record has the name of its collection.
type accountRecord struct {
	collection string
	value      any
}

// insertAccount inserts records in one transaction.
func insertAccount(t testing.TB, s *Subject, owner dataexport.Scope, records ...accountRecord) {
	t.Helper()
	require.NoError(t, tryToInsert(t, s, owner, records...))
}

func tryToInsert(t testing.TB, s *Subject, owner dataexport.Scope, records ...accountRecord) error {
	t.Helper()
	return s.Fill(t.Context(), func(tx database.Filling) error {
		_, err := tx.InsertAccount(t.Context(), s.archive(t), owner, func(insert func(archive.Record) error) error {
			for i, r := range records {
				if err := insert(archive.Record{Collection: r.collection, Index: i, Value: r.value}); err != nil {
					return err
				}
			}
			return nil
		})
		return err
	})
}

func accountID(n byte) uuid.UUID { return uuid.UUID{0: n, 15: n} }

func someAccount() accountRecord {
	return accountRecord{"account", &threengram.Account{CreatedAt: noon, Email: "anna@example.com", ID: accountID(1), UpdatedAt: noon}}
}

func someMemory(n byte) accountRecord {
	return accountRecord{"memories", &threengram.Memory{Content: "c", CreatedAt: noon, ID: accountID(n), UpdatedAt: noon}}
}

func oldMemory(n byte) accountRecord {
	r := someMemory(n)
	r.value.(*threengram.Memory).Status = "old"
	return r
}

func someEvent(n byte) accountRecord {
	return accountRecord{"memoryEvents", &threengram.MemoryEvent{CreatedAt: noon, ID: accountID(n), MemoryID: accountID(n)}}
}

// exportAccount writes the archive of an account.
func exportAccount(t testing.TB, d dataexport.Dataset, owner dataexport.Scope) string {
	t.Helper()
	var b bytes.Buffer
	_, err := dataexport.Export(t.Context(), &b, d, render.JSON(), dataexport.Query{Scope: owner, AsOf: noon})
	require.NoError(t, err)
	return b.String()
}

func join[T any](list iter.Seq2[*T, error], last *T) iter.Seq2[*T, error] {
	return func(yield func(*T, error) bool) {
		if list != nil {
			for r, err := range list {
				if !yield(r, err) {
					return
				}
			}
		}
		yield(last, nil)
	}
}

func ofCollection[T any](t *testing.T, name string, list iter.Seq2[*T, error]) (records []accountRecord) {
	t.Helper()
	for r, err := range list {
		require.NoError(t, err)
		records = append(records, accountRecord{name, r})
	}
	return records
}

// writing calls a function after the first row of each collection.
type writing struct {
	dataexport.Source
	after func(collection, row int)
}

func (w *writing) Rows(ctx context.Context, collection int) iter.Seq2[dataexport.Row, error] {
	return func(yield func(dataexport.Row, error) bool) {
		n := 0
		for row, err := range w.Source.Rows(ctx, collection) {
			if !yield(row, err) {
				return
			}
			w.after(collection, n)
			n++
		}
		if n == 0 {
			w.after(collection, n)
		}
	}
}

type fixedDataset struct {
	info   dataexport.Info
	source dataexport.Source
}

func (d fixedDataset) Info() dataexport.Info { return d.info }

func (d fixedDataset) Open(context.Context, dataexport.Query) (dataexport.Source, error) {
	return d.source, nil
}
