package dataexport_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"io"
	"iter"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dataexport/dataexport"
	"github.com/dataexport/dataexport/memory"
)

func TestExport(t *testing.T) {
	records := append(memories("other", 5), memories("acme", 4)...)
	var b bytes.Buffer
	summary, err := dataexport.Export(t.Context(), &b, memory.Slice(records), lines{name: "lines"}, dataexport.Query{Scope: scope})
	require.NoError(t, err)
	assert.Equal(t, wholeFile(4), b.String())
	assert.Equal(t, dataexport.Summary{
		Counts: []int64{4}, Records: 4, Bytes: int64(b.Len()), SHA256: sha256.Sum256(b.Bytes()),
	}, summary)
}

func TestExportRefusesAQueryThatMakesNoSense(t *testing.T) {
	tests := map[string]struct {
		query    dataexport.Query
		renderer dataexport.Renderer
		want     string
	}{
		"no workspace": {dataexport.Query{}, lines{}, "has no WorkspaceID"},
		"bad filter":   {dataexport.Query{Scope: scope, Filter: dataexport.Filter{Priority: "low"}}, lines{}, "priority must be"},
		"misfit":       {dataexport.Query{Scope: scope}, lines{check: errors.New("not for memories")}, "not for memories"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			var b bytes.Buffer
			_, err := dataexport.Export(t.Context(), &b, memory.Slice(nil), test.renderer, test.query)
			require.ErrorIs(t, err, dataexport.ErrInvalid)
			assert.ErrorContains(t, err, test.want)
			assert.Zero(t, b.Len())
		})
	}
}

// A condition that the dataset does not obey is refused here, as it is for jobs.
func TestExportDoesNotDropAFilter(t *testing.T) {
	type note struct {
		ID string `export:"id,id,key"`
	}
	notes, err := dataexport.NewDataset("notes", noRecords[note], dataexport.DatasetOptions{})
	require.NoError(t, err)
	_, err = dataexport.Export(t.Context(), io.Discard, notes, lines{}, dataexport.Query{Filter: dataexport.Filter{UserID: "u"}})
	assert.ErrorIs(t, err, dataexport.ErrInvalid)
	assert.ErrorContains(t, err, "cannot be filtered by user_id")
}

func TestExportReportsWhoFailed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) { // which also finds a goroutine that is left
		broken := errors.New("broken")
		source := func(s dataexport.Source, err error) dataexport.Dataset {
			return memory.RowDataset(func(context.Context, dataexport.Query) (dataexport.Source, error) { return s, err })
		}
		good := lines{name: "lines"}
		tests := []struct {
			name     string
			dataset  dataexport.Dataset
			renderer dataexport.Renderer
			w        io.Writer
			want     string
		}{
			{"open", source(nil, broken), good, io.Discard, "opening dataset memories: broken"},
			{"count", source(&badSource{count: broken}, nil), good, io.Discard, "counting dataset memories: broken"},
			{"rows", source(&badSource{rows: broken}, nil), good, io.Discard, "collection memories, after record 0: broken"},
			{"close", source(&badSource{close: broken}, nil), good, io.Discard, "closing dataset memories: broken"},
			{"write", memory.Slice(memories("acme", 1)), good, writerFunc(func([]byte) (int, error) { return 0, broken }), "writing the file: broken"},
			{"render", memory.Slice(memories("acme", 2)), lines{row: func(r dataexport.Row) error {
				if r[0].Text() == "m0001" {
					return broken
				}
				return nil
			}}, io.Discard, "collection memories, record 2: broken"},
		}
		for _, test := range tests {
			_, err := dataexport.Export(t.Context(), test.w, test.dataset, test.renderer, dataexport.Query{Scope: scope})
			assert.ErrorIs(t, err, broken, test.name)
			assert.ErrorContains(t, err, test.want, test.name)
		}
	})
}

// badSource fails where it is told to, and panics if it is closed twice or not asked for in order.
type badSource struct {
	count, rows, close error
	closed             bool
}

func (s *badSource) Count(context.Context) (int64, error) { return 0, s.count }

func (s *badSource) Rows(context.Context, int) iter.Seq2[dataexport.Row, error] {
	return func(yield func(dataexport.Row, error) bool) {
		if s.rows != nil {
			yield(nil, s.rows)
		}
	}
}

func (s *badSource) Close() error {
	if s.closed {
		panic("closed twice")
	}
	s.closed = true
	return s.close
}

// A source that is told to stop may end as if it had no more rows. What was read until then is no export.
func TestACancelledExportIsNeverComplete(t *testing.T) {
	ctx, cancel := context.WithCancelCause(t.Context())
	stop := errors.New("told to stop")
	quiet := sourceFunc(func(context.Context, dataexport.Query) iter.Seq2[*memory.Record, error] {
		return func(yield func(*memory.Record, error) bool) {
			for i, r := range memories("acme", 1000) {
				if i == 10 {
					cancel(stop)
				}
				if !yield(&r, nil) {
					return
				}
				if i == 20 {
					return
				}
			}
		}
	})
	_, err := dataexport.Export(ctx, io.Discard, quiet, lines{}, dataexport.Query{Scope: scope})
	assert.ErrorIs(t, err, stop)
	_, err = dataexport.Export(ctx, io.Discard, memory.Slice(nil), lines{}, dataexport.Query{Scope: scope})
	assert.ErrorIs(t, err, stop)
}

// A source that does not look at its context is stopped by the engine.
func TestTheEngineStopsAnEndlessSource(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	endless := sourceFunc(func(context.Context, dataexport.Query) iter.Seq2[*memory.Record, error] {
		return func(yield func(*memory.Record, error) bool) {
			r := memories("acme", 1)[0]
			for n := 0; ; n++ {
				if n == 5000 {
					cancel()
				}
				r.CreatedAt = r.CreatedAt.Add(time.Second)
				if !yield(&r, nil) {
					return
				}
			}
		}
	})
	_, err := dataexport.Export(ctx, io.Discard, endless, lines{}, dataexport.Query{Scope: scope})
	assert.ErrorIs(t, err, context.Canceled)
}

// The documents of two attempts at one job are the same to the byte: the only clock is the time of its creation.
func TestADocumentKnowsOneClock(t *testing.T) {
	asOf := time.Date(2026, 1, 15, 10, 30, 0, 123456789, time.FixedZone("", 3600))
	var docs []dataexport.Doc
	spy := docSpy{lines{name: "lines"}, &docs}
	for range 2 {
		_, err := dataexport.Export(t.Context(), io.Discard, memory.Slice(nil), spy, dataexport.Query{Scope: scope, AsOf: asOf})
		require.NoError(t, err)
	}
	assert.Equal(t, docs[0], docs[1])
	assert.Equal(t, asOf.UTC(), docs[0].Time)
}

type docSpy struct {
	lines
	docs *[]dataexport.Doc
}

func (s docSpy) Open(ctx context.Context, w io.Writer, doc *dataexport.Doc) (dataexport.Encoder, error) {
	*s.docs = append(*s.docs, *doc)
	return s.lines.Open(ctx, w, doc)
}

// A single collection has one record, or the export fails.
func TestASingleCollectionHasOneRecord(t *testing.T) {
	for n := range 3 {
		_, err := dataexport.Export(t.Context(), io.Discard, singleDataset{n}, lines{}, dataexport.Query{})
		if n == 1 {
			assert.NoError(t, err)
			continue
		}
		assert.ErrorIs(t, err, dataexport.ErrBadRow)
		assert.ErrorContains(t, err, "must have one")
	}
}

type singleDataset struct{ n int }

func (singleDataset) Info() dataexport.Info {
	return dataexport.Info{Name: "account", Layout: dataexport.Layout{Object: true}, Collections: []dataexport.Collection{
		{Name: "account", Single: true, Columns: []dataexport.Column{{Name: "id", Kind: dataexport.KindString}}},
	}}
}

func (d singleDataset) Open(context.Context, dataexport.Query) (dataexport.Source, error) {
	return dataexport.SourceFunc(func(context.Context, int) iter.Seq2[dataexport.Row, error] {
		return func(yield func(dataexport.Row, error) bool) {
			for range d.n {
				if !yield(dataexport.Row{dataexport.StringValue("a")}, nil) {
					return
				}
			}
		}
	}), nil
}

// The engine allocates the same for a few thousand records, which fill all of its chunks, as for half a million.
func TestMemoryStaysFlat(t *testing.T) {
	quiet := lines{row: func(dataexport.Row) error { return nil }}
	allocated := func(n int) uint64 {
		records := sourceFunc(func(context.Context, dataexport.Query) iter.Seq2[*memory.Record, error] {
			return func(yield func(*memory.Record, error) bool) {
				r := memory.Record{ID: "id", WorkspaceID: "acme", Content: strings.Repeat("text ", 100)}
				for i := range n {
					r.CreatedAt = time.Unix(int64(i), 0)
					if !yield(&r, nil) {
						return
					}
				}
			}
		})
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		_, err := dataexport.Export(t.Context(), io.Discard, records, constantRow{quiet}, dataexport.Query{Scope: scope})
		require.NoError(t, err)
		runtime.ReadMemStats(&after)
		return after.TotalAlloc - before.TotalAlloc
	}
	small := allocated(4000)
	large := allocated(500_000)
	assert.Less(t, large, small+64<<10, "bytes allocated for 500,000 records, against %d for 4,000", small)
}

// constantRow is a renderer that allocates nothing for a record.
type constantRow struct{ lines }

func (c constantRow) Open(_ context.Context, w io.Writer, _ *dataexport.Doc) (dataexport.Encoder, error) {
	return &constantEncoder{lineEncoder{lines: c.lines, w: w}, []byte(strings.Repeat("a line of the same length ", 20) + "\n")}, nil
}

type constantEncoder struct {
	lineEncoder
	line []byte
}

func (e *constantEncoder) Row(dataexport.Row) error {
	_, err := e.w.Write(e.line)
	return err
}
