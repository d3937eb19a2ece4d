package dataexport_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"log/slog"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/dataexport/dataexport"
	"github.com/dataexport/dataexport/memory"
	"github.com/dataexport/dataexport/store/memblob"
	"github.com/dataexport/dataexport/store/memstore"
)

// scope is on whose behalf tests ask, unless they say otherwise.
var scope = dataexport.Scope{WorkspaceID: "acme", Subject: "ana"}

// lines is a renderer that is easy to read in a test: the id of each record on a line of its own, and a last line that
// says that the document is whole.
type lines struct {
	name  string
	check error
	row   func(dataexport.Row) error // called for every row if it is set
}

func (l lines) Format() dataexport.Format {
	return dataexport.Format{Name: l.name, MediaType: "text/plain", Extension: "txt"}
}

func (l lines) Check(dataexport.Info) error { return l.check }

func (l lines) Open(_ context.Context, w io.Writer, _ *dataexport.Doc) (dataexport.Encoder, error) {
	return &lineEncoder{lines: l, w: w}, nil
}

type lineEncoder struct {
	lines
	w io.Writer
}

func (e *lineEncoder) Begin(*dataexport.Collection) error { return nil }

func (e *lineEncoder) Row(r dataexport.Row) error {
	if e.row != nil {
		if err := e.row(r); err != nil {
			return err
		}
	}
	_, err := fmt.Fprintln(e.w, r[0].Text())
	return err
}

func (e *lineEncoder) Finish(s dataexport.Summary) error {
	_, err := fmt.Fprintf(e.w, "%d in all\n", s.Records)
	return err
}

func (e *lineEncoder) Close() error { return nil }

// memories returns n records of a workspace, created a second apart in the year before the one that synctest begins with.
func memories(workspace string, n int) []memory.Record {
	records := make([]memory.Record, n)
	first := time.Date(1999, 1, 1, 0, 0, 0, 0, time.UTC)
	for i := range records {
		records[i] = memory.Record{
			ID: fmt.Sprintf("m%04d", i), WorkspaceID: workspace, Content: "text",
			CreatedAt: first.Add(time.Duration(i) * time.Second),
		}
	}
	return records
}

// wholeFile is what lines makes of memories(_, n).
func wholeFile(n int) string {
	var b bytes.Buffer
	for i := range n {
		fmt.Fprintf(&b, "m%04d\n", i)
	}
	fmt.Fprintf(&b, "%d in all\n", n)
	return b.String()
}

// sourceFunc makes a dataset of memories whose source does what the test wants.
func sourceFunc(rows func(context.Context, dataexport.Query) iter.Seq2[*memory.Record, error]) dataexport.Dataset {
	return memory.Dataset(rows)
}

// blocking yields one record, says so, and then waits for release or the end of ctx.
type blocking struct {
	started      chan struct{} // gets a value for every time that a source blocks
	release      chan struct{} // closed by the test
	ignoreCancel bool
}

func newBlocking() *blocking {
	return &blocking{started: make(chan struct{}, 100), release: make(chan struct{})}
}

func (b *blocking) dataset() dataexport.Dataset {
	return sourceFunc(func(ctx context.Context, q dataexport.Query) iter.Seq2[*memory.Record, error] {
		return func(yield func(*memory.Record, error) bool) {
			records := memories(q.Scope.WorkspaceID, 2)
			if !yield(&records[0], nil) {
				return
			}
			b.started <- struct{}{}
			cancelled := ctx.Done()
			if b.ignoreCancel {
				cancelled = nil
			}
			select {
			case <-b.release:
			case <-cancelled:
				yield(nil, ctx.Err())
				return
			}
			yield(&records[1], nil)
		}
	})
}

// A fixture is a service with everything in memory.
type fixture struct {
	*dataexport.Service
	store *memstore.Store
	blobs *memblob.Store
	log   *bytes.Buffer
}

// newFixture makes a service of a dataset and the lines renderer; change may be nil.
func newFixture(t *testing.T, d dataexport.Dataset, change func(*dataexport.Config)) *fixture {
	t.Helper()
	f := &fixture{store: memstore.New(), blobs: memblob.New(), log: new(bytes.Buffer)}
	c := dataexport.Config{
		Datasets:  []dataexport.Dataset{d},
		Renderers: []dataexport.Renderer{lines{name: "lines"}},
		Store:     f.store,
		Blobs:     f.blobs,
		Logger:    slog.New(slog.NewTextHandler(f.log, nil)),
	}
	if change != nil {
		change(&c)
	}
	var err error
	f.Service, err = dataexport.New(c)
	require.NoError(t, err)
	return f
}

// create makes a job of the fixture's scope.
func (f *fixture) create(t *testing.T) dataexport.Job {
	t.Helper()
	job, replayed, err := f.Create(t.Context(), dataexport.CreateRequest{Scope: scope})
	require.NoError(t, err)
	require.False(t, replayed)
	require.Equal(t, dataexport.StatusPending, job.Status)
	return job
}

// get returns the job as it is now.
func (f *fixture) get(t *testing.T, id string) dataexport.Job {
	t.Helper()
	job, err := f.Get(t.Context(), scope, id)
	require.NoError(t, err)
	return job
}

// read returns the file of a READY job.
func (f *fixture) read(t *testing.T, id string) string {
	t.Helper()
	file, err := f.Open(t.Context(), scope, id)
	require.NoError(t, err)
	defer file.Close()
	content, err := io.ReadAll(file)
	require.NoError(t, err)
	require.EqualValues(t, file.Size(), len(content))
	return string(content)
}

// keys returns the keys of all blobs, unfinished ones with a mark.
func (f *fixture) keys(t *testing.T) []string {
	t.Helper()
	keys := []string{}
	for blob, err := range f.blobs.List(t.Context(), "") {
		require.NoError(t, err)
		if blob.Unfinished {
			blob.Key += " (unfinished)"
		}
		keys = append(keys, blob.Key)
	}
	return keys
}

// start runs the service until the function that it returns is called, which waits for the end.
func (f *fixture) start(t *testing.T) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- f.Run(ctx) }()
	return func() {
		t.Helper()
		cancel()
		require.NoError(t, <-ended)
	}
}

var errSecret = errors.New("dial tcp 10.0.0.7: password of user admin is wrong")
