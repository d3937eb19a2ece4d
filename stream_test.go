package dataexport_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"io"
	"iter"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dataexport/dataexport"
	"github.com/dataexport/dataexport/memory"
)

// accountDataset is an archive: an account, and notes that come from a function.
type accountDataset struct {
	open  func() error // called when it is opened; may be nil
	notes func(context.Context) iter.Seq2[dataexport.Row, error]
	close func() error // may be nil
}

func (accountDataset) Info() dataexport.Info {
	return dataexport.Info{
		Name: "account", Personal: true, Layout: dataexport.Layout{Object: true},
		Collections: []dataexport.Collection{
			{Name: "account", Single: true, Columns: []dataexport.Column{{Name: "id", Kind: dataexport.KindString}}},
			{Name: "notes", Columns: []dataexport.Column{{Name: "text", Kind: dataexport.KindString}}},
		},
	}
}

func (d accountDataset) Open(_ context.Context, q dataexport.Query) (dataexport.Source, error) {
	if d.open != nil {
		if err := d.open(); err != nil {
			return nil, err
		}
	}
	return accountSource{d, q.Scope.Subject}, nil
}

type accountSource struct {
	dataset accountDataset
	subject string
}

func (s accountSource) Rows(ctx context.Context, collection int) iter.Seq2[dataexport.Row, error] {
	if collection == 1 {
		return s.dataset.notes(ctx)
	}
	return func(yield func(dataexport.Row, error) bool) {
		yield(dataexport.Row{dataexport.StringValue(s.subject)}, nil)
	}
}

func (s accountSource) Close() error {
	if s.dataset.close == nil {
		return nil
	}
	return s.dataset.close()
}

// noteRows yields n notes of a length, and then an error if it is not nil.
func noteRows(n, length int, err error) func(context.Context) iter.Seq2[dataexport.Row, error] {
	return func(context.Context) iter.Seq2[dataexport.Row, error] {
		return func(yield func(dataexport.Row, error) bool) {
			text := strings.Repeat("n", length)
			for range n {
				if !yield(dataexport.Row{dataexport.StringValue(text)}, nil) {
					return
				}
			}
			if err != nil {
				yield(nil, err)
			}
		}
	}
}

// A receiver is the reader's end of a stream.
type receiver struct {
	bytes.Buffer
	heads []dataexport.StreamHead
}

func (r *receiver) begin(h dataexport.StreamHead) (io.Writer, error) {
	r.heads = append(r.heads, h)
	return r, nil
}

func (r *receiver) request() dataexport.StreamRequest {
	return dataexport.StreamRequest{Scope: scope, Begin: r.begin}
}

func TestStream(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		time.Sleep(1_234_567 * time.Nanosecond) // a time that is not of whole milliseconds
		f := newFixture(t, accountDataset{notes: noteRows(2, 3, nil)}, nil)
		var r receiver
		summary, err := f.Stream(t.Context(), r.request())
		require.NoError(t, err)
		assert.Equal(t, "ana\nnnn\nnnn\n2 in all\n", r.String())
		assert.Equal(t, dataexport.Summary{
			Counts: []int64{1, 2}, Records: 2, Bytes: int64(r.Len()), SHA256: sha256.Sum256(r.Bytes()),
		}, summary)
		assert.Equal(t, []dataexport.StreamHead{{
			Dataset: "account", Format: lines{name: "lines"}.Format(), Time: time.Date(2000, 1, 1, 0, 0, 0, 1_000_000, time.UTC),
		}}, r.heads)
		assert.Empty(t, f.keys(t))
		jobs, total, err := f.List(t.Context(), scope, dataexport.ListQuery{Limit: 10})
		require.NoError(t, err)
		assert.Empty(t, jobs)
		assert.Zero(t, total)
	})
}

// What goes wrong before the account is read can still be told to the reader; what goes wrong after that cannot.
func TestStreamBeginsWhenTheAccountIsRead(t *testing.T) {
	broken := errors.New("broken")
	tests := map[string]struct {
		dataset dataexport.Dataset
		begun   bool
	}{
		"no account":         {accountDataset{open: func() error { return dataexport.ErrNotFound }}, false},
		"database is down":   {accountDataset{open: func() error { return dataexport.ErrUnavailable }}, false},
		"open panics":        {accountDataset{open: func() error { panic(broken) }}, false},
		"no rows":            {accountDataset{notes: noteRows(0, 0, broken)}, true},
		"after a few rows":   {accountDataset{notes: noteRows(3, 10, broken)}, true},
		"after many rows":    {accountDataset{notes: noteRows(3_000, 1000, broken)}, true},
		"while it is closed": {accountDataset{notes: noteRows(3, 10, nil), close: func() error { return broken }}, true},
		"a list, small":      {sourceFunc(failAfter(3, broken)), false},
		"a list, large":      {sourceFunc(failAfter(100_000, broken)), true},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := newFixture(t, test.dataset, nil)
				var r receiver
				_, err := f.Stream(t.Context(), r.request())
				require.Error(t, err)
				assert.Equal(t, test.begun, len(r.heads) == 1)
				if name != "while it is closed" {
					assert.NotContains(t, r.String(), "in all\n", "the end of the document")
				}
			})
		})
	}
}

// failAfter yields n memories and then an error.
func failAfter(n int, err error) func(context.Context, dataexport.Query) iter.Seq2[*memory.Record, error] {
	return func(_ context.Context, q dataexport.Query) iter.Seq2[*memory.Record, error] {
		return func(yield func(*memory.Record, error) bool) {
			r := memories(q.Scope.WorkspaceID, 1)[0]
			for range n {
				r.CreatedAt = r.CreatedAt.Add(time.Second)
				if !yield(&r, nil) {
					return
				}
			}
			yield(nil, err)
		}
	}
}

// The reader does not wait for the second collection to learn that there is an account.
func TestStreamBeginsBeforeTheSecondCollection(t *testing.T) {
	begun := make(chan struct{})
	f := newFixture(t, accountDataset{notes: func(context.Context) iter.Seq2[dataexport.Row, error] {
		return func(yield func(dataexport.Row, error) bool) {
			<-begun // the test would hang
			yield(dataexport.Row{dataexport.StringValue("n")}, nil)
		}
	}}, nil)
	var r receiver
	_, err := f.Stream(t.Context(), dataexport.StreamRequest{Scope: scope, Begin: func(h dataexport.StreamHead) (io.Writer, error) {
		close(begun)
		return r.begin(h)
	}})
	require.NoError(t, err)
	assert.Equal(t, "ana\nn\n1 in all\n", r.String())
}

func TestStreamRefuses(t *testing.T) {
	good := dataexport.StreamRequest{Scope: scope}
	tests := map[string]func(*dataexport.StreamRequest, *dataexport.Config){
		"no workspace":          func(r *dataexport.StreamRequest, _ *dataexport.Config) { r.Scope.WorkspaceID = "" },
		"belongs to one person": func(r *dataexport.StreamRequest, _ *dataexport.Config) { r.Scope.Subject = "" },
		"dataset must be one":   func(r *dataexport.StreamRequest, _ *dataexport.Config) { r.Dataset = "acount" },
		"format must be one":    func(r *dataexport.StreamRequest, _ *dataexport.Config) { r.Format = "xml" },
		"not for accounts": func(_ *dataexport.StreamRequest, c *dataexport.Config) {
			c.Renderers = []dataexport.Renderer{lines{name: "lines", check: errors.New("not for accounts")}}
		},
	}
	for want, change := range tests {
		t.Run(want, func(t *testing.T) {
			r := good
			r.Begin = func(dataexport.StreamHead) (io.Writer, error) { panic("begun") }
			f := newFixture(t, accountDataset{open: func() error { panic("opened") }}, func(c *dataexport.Config) { change(&r, c) })
			_, err := f.Stream(t.Context(), r)
			require.ErrorIs(t, err, dataexport.ErrInvalid)
			assert.ErrorContains(t, err, want)
		})
	}
}

func TestAStoppingServiceStreamsNothing(t *testing.T) {
	f := newFixture(t, accountDataset{open: func() error { panic("opened") }}, nil)
	f.start(t)()
	_, err := f.Stream(t.Context(), dataexport.StreamRequest{Scope: scope})
	assert.ErrorIs(t, err, dataexport.ErrUnavailable)
}

func TestStreamObeysTheLimits(t *testing.T) {
	for name, limits := range map[string]dataexport.Limits{"records": {Records: 5}, "bytes": {Bytes: 100}} {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t, accountDataset{notes: noteRows(6, 100, nil)}, func(c *dataexport.Config) { c.Limits = limits })
			var r receiver
			_, err := f.Stream(t.Context(), r.request())
			assert.ErrorIs(t, err, dataexport.ErrLimitExceeded)
		})
	}
}

// An error of Begin ends the stream before anything is written, and the view is closed.
func TestStreamThatIsNotWanted(t *testing.T) {
	unwanted := errors.New("not wanted")
	for name, begin := range map[string]func(dataexport.StreamHead) (io.Writer, error){
		"not wanted": func(dataexport.StreamHead) (io.Writer, error) { return nil, unwanted },
		"panic":      func(dataexport.StreamHead) (io.Writer, error) { panic("no") },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				closed := 0
				f := newFixture(t, accountDataset{
					notes: func(context.Context) iter.Seq2[dataexport.Row, error] { panic("asked for notes") },
					close: func() error { closed++; return nil },
				}, nil)
				_, err := f.Stream(t.Context(), dataexport.StreamRequest{Scope: scope, Begin: begin})
				require.Error(t, err)
				assert.NotContains(t, err.Error(), "asked for notes")
				assert.Equal(t, name == "not wanted", errors.Is(err, unwanted))
				assert.Equal(t, 1, closed)
			})
		})
	}
}

// A source that waits for something is told when its reader is gone.
func TestAWriterThatFailsStopsTheSource(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		gone := errors.New("the reader is gone")
		f := newFixture(t, accountDataset{notes: func(ctx context.Context) iter.Seq2[dataexport.Row, error] {
			return func(yield func(dataexport.Row, error) bool) {
				text := strings.Repeat("n", 300<<10) // more than a chunk, so that it is written
				if yield(dataexport.Row{dataexport.StringValue(text)}, nil) {
					<-ctx.Done()
					yield(nil, ctx.Err())
				}
			}
		}}, nil)
		_, err := f.Stream(t.Context(), dataexport.StreamRequest{Scope: scope, Begin: func(dataexport.StreamHead) (io.Writer, error) {
			return writerFunc(func([]byte) (int, error) { return 0, gone }), nil
		}})
		assert.ErrorIs(t, err, gone)
	})
}
