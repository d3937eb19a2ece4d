package archive_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/dataexport/dataexport/archive"
	"github.com/dataexport/dataexport/render"
)

// largeJournal returns a journal of many entries, each of which refers to the one before it.
func largeJournal(b *testing.B, entries int) content {
	b.Helper()
	c, err := read(journal(b, archive.Limits{}), journalJSON)
	require.NoError(b, err)
	c.labels = nil
	text := strings.Repeat("All that was said on that day, in \"quotes\" and without. ", 8)
	model := *c.entries[0]
	c.entries = nil
	for i := range entries {
		e := model
		e.ID = uuid.UUID{12: byte(i >> 24), 13: byte(i >> 16), 14: byte(i >> 8), 15: byte(i)}
		e.Text = fmt.Sprintf("%d %s", i, text)
		if i > 0 {
			e.Parent = &c.entries[i-1].ID
		}
		c.entries = append(c.entries, &e)
	}
	return c
}

// The bytes a second are those of the file, which in a zip is compressed.
func BenchmarkVerify(b *testing.B) {
	const entries = 50_000
	a := journal(b, archive.Limits{})
	c := largeJournal(b, entries)
	for name, document := range map[string]string{"json": c.export(b, a, render.JSON()), "zip": c.export(b, a, render.Zip())} {
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(document)))
			b.ReportAllocs()
			for b.Loop() {
				report := verify(b, a, document)
				require.True(b, report.OK(), report.Faults)
			}
		})
		b.Run("read/"+name, func(b *testing.B) {
			b.SetBytes(int64(len(document)))
			b.ReportAllocs()
			for b.Loop() {
				r := strings.NewReader(document)
				_, err := a.Read(r, r.Size(), func(archive.Record) error { return nil })
				require.NoError(b, err)
			}
		})
	}
}
