package archive_test

import (
	"archive/zip"
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"io"
	"iter"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/dataexport/dataexport"
	"github.com/dataexport/dataexport/archive"
	"github.com/dataexport/dataexport/render"
)

// A journal is an archive with a field of every kind, and with ids of two kinds.
type (
	owner struct {
		ID    uuid.UUID `export:"id,id"`
		Email *string   `export:"email"`
	}
	entry struct {
		ID     uuid.UUID       `export:"id,id,key"`
		Parent *uuid.UUID      `export:"parentId"`
		At     time.Time       `export:"at"`
		Text   string          `export:"text,body"`
		Note   *string         `export:"note"`
		Tags   []string        `export:"tags,notnull"`
		Data   json.RawMessage `export:"data"`
		Price  string          `export:"price,decimal"`
		Size   int8            `export:"size"`
		Rate   *float64        `export:"rate"`
		Done   bool            `export:"done"`
	}
	label struct {
		Name  string    `export:"name,id,key"`
		Entry uuid.UUID `export:"entryId"`
		Next  *string   `export:"next"`
	}
)

func journal(t testing.TB, limits archive.Limits) *archive.Archive {
	t.Helper()
	a, err := archive.New(archive.Definition{
		Format:  "journal.v1",
		Account: archive.Account[owner]("owner"),
		Lists: []archive.Part{
			archive.List[label]("labels", archive.Reference{Field: "entryId", Collection: "entries"}, archive.Reference{Field: "next", Collection: "labels"}),
			archive.List[entry]("entries", archive.Reference{Field: "parentId", Collection: "entries"}),
		},
		Limits: limits,
	})
	require.NoError(t, err)
	return a
}

const (
	entry1 = `{"id":"00000000-0000-0000-0000-000000000001","parentId":null,"at":"2026-01-15T10:30:00.000Z","text":"one",` +
		`"note":null,"tags":["a","b\"c"],"data":{"n":12345678901234567890.10},"price":"19.90","size":-128,"rate":0.5,"done":true}`
	entry2 = `{"id":"00000000-0000-0000-0000-000000000002","parentId":"00000000-0000-0000-0000-000000000001","at":"2026-01-15T10:30:00.123Z",` +
		`"text":"","note":"","tags":[],"data":null,"price":"-3e7","size":0,"rate":null,"done":false}`
	label1        = `{"name":"home","entryId":"00000000-0000-0000-0000-000000000002","next":"work"}`
	label2        = `{"name":"work","entryId":"00000000-0000-0000-0000-000000000002","next":null}`
	ownerJSON     = `{"id":"00000000-0000-0000-0000-000000000009","email":"ana@example.com"}`
	journalFormat = `"format":"journal.v1"`
	journalTime   = `"exportedAt":"2026-01-15T10:30:00.000Z"`
	journalCounts = `"counts":{"labels":2,"entries":2}`

	// journalJSON is what render.JSON writes.
	journalJSON = "{\n" + journalFormat + ",\n" + journalTime + ",\n\"owner\":" + ownerJSON + ",\n\"labels\":[\n" + label1 + ",\n" + label2 +
		"\n],\n\"entries\":[\n" + entry1 + ",\n" + entry2 + "\n],\n" + journalCounts + "\n}\n"
)

func verify(t testing.TB, a *archive.Archive, document string) archive.Report {
	t.Helper()
	report, err := a.Verify(strings.NewReader(document), int64(len(document)))
	require.NoError(t, err)
	return report
}

// content is what Read gave of a journal.
type content struct {
	header  archive.Header
	owner   owner
	labels  []*label
	entries []*entry
}

func read(a *archive.Archive, document string) (content, error) {
	var c content
	var err error
	c.header, err = a.Read(strings.NewReader(document), int64(len(document)), func(r archive.Record) error {
		switch v := r.Value.(type) {
		case *owner:
			c.owner = *v
		case *label:
			c.labels = append(c.labels, v)
		case *entry:
			c.entries = append(c.entries, v)
		}
		return nil
	})
	return c, err
}

// Rows makes a content a dataexport.Source.
func (c *content) Rows(_ context.Context, collection int) iter.Seq2[dataexport.Row, error] {
	switch collection {
	case 0:
		return dataexport.RowsOf(all([]*owner{&c.owner}))
	case 1:
		return dataexport.RowsOf(all(c.labels))
	default:
		return dataexport.RowsOf(all(c.entries))
	}
}

func (c *content) Close() error { return nil }

func all[T any](records []*T) iter.Seq2[*T, error] {
	return func(yield func(*T, error) bool) {
		for _, r := range records {
			if !yield(r, nil) {
				return
			}
		}
	}
}

// export writes the archive of a content, whose records may be in any order.
func (c *content) export(t testing.TB, a *archive.Archive, renderer dataexport.Renderer) string {
	t.Helper()
	slices.SortFunc(c.labels, func(x, y *label) int { return cmp.Compare(x.Name, y.Name) })
	slices.SortFunc(c.entries, func(x, y *entry) int { return bytes.Compare(x.ID[:], y.ID[:]) })
	d := a.Dataset(func(context.Context, dataexport.Query) (dataexport.Source, error) { return c, nil })
	var out bytes.Buffer
	q := dataexport.Query{Scope: dataexport.Scope{WorkspaceID: "w", Subject: "ana"}, AsOf: c.header.ExportedAt}
	_, err := dataexport.Export(t.Context(), &out, d, renderer, q)
	require.NoError(t, err)
	return out.String()
}

// journalZip is the archive of journalJSON as render.Zip writes it.
func journalZip(t testing.TB) string {
	t.Helper()
	a := journal(t, archive.Limits{})
	c, err := read(a, journalJSON)
	require.NoError(t, err)
	return c.export(t, a, render.Zip())
}

// A zipped file is one to be put into a zip.
type zipped struct{ name, content string }

func unzip(t testing.TB, document string) []zipped {
	t.Helper()
	r, err := zip.NewReader(strings.NewReader(document), int64(len(document)))
	require.NoError(t, err)
	var files []zipped
	for _, f := range r.File {
		in, err := f.Open()
		require.NoError(t, err)
		text, err := io.ReadAll(in)
		require.NoError(t, err)
		files = append(files, zipped{f.Name, string(text)})
	}
	return files
}

func zipOf(t testing.TB, files []zipped) string {
	t.Helper()
	var out bytes.Buffer
	w := zip.NewWriter(&out)
	for _, f := range files {
		to, err := w.Create(f.name)
		require.NoError(t, err)
		_, err = io.WriteString(to, f.content)
		require.NoError(t, err)
	}
	require.NoError(t, w.Close())
	return out.String()
}
