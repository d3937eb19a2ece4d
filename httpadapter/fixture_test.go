package httpadapter_test

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"iter"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/dataexport/dataexport"
	"github.com/dataexport/dataexport/httpadapter"
	"github.com/dataexport/dataexport/memory"
	"github.com/dataexport/dataexport/store/memblob"
	"github.com/dataexport/dataexport/store/memstore"
	"github.com/stretchr/testify/require"
)

// The keys of a fixture. Each is of workspace ws-1, unless its name says otherwise.
const (
	keyFull      = "key-full"
	keyRead      = "key-read"
	keyWrite     = "key-write"
	keyNothing   = "key-nothing"
	keyColleague = "key-colleague" // another subject
	keyOther     = "key-other"     // of workspace ws-2
	keyHomeless  = "key-homeless"  // of no workspace
)

func fixtureKeys() []httpadapter.APIKey {
	read, write := httpadapter.PermissionRead, httpadapter.PermissionWrite
	key := func(text, workspace, subject string, permissions ...httpadapter.Permission) httpadapter.APIKey {
		return httpadapter.APIKey{
			Digest:    httpadapter.DigestKey(text),
			Principal: httpadapter.Principal{WorkspaceID: workspace, Subject: subject, Permissions: permissions},
		}
	}
	return []httpadapter.APIKey{
		key(keyFull, "ws-1", "ann", read, write),
		key(keyRead, "ws-1", "ann", read),
		key(keyWrite, "ws-1", "ann", write),
		key(keyNothing, "ws-1", "ann"),
		key(keyColleague, "ws-1", "bob", read, write),
		key(keyOther, "ws-2", "ann", read, write),
		key(keyHomeless, "", "ann", read, write),
	}
}

// A fixture is a handler with all that is behind it.
type fixture struct {
	t       testing.TB
	config  dataexport.Config
	options httpadapter.Options
	service *dataexport.Service
	handler http.Handler
	log     *logBuffer
}

// newFixture makes a fixture; change may alter what it is made of.
func newFixture(t testing.TB, change ...func(*fixture)) *fixture {
	t.Helper()
	log := &logBuffer{}
	quiet := slog.New(slog.DiscardHandler)
	f := &fixture{
		t:   t,
		log: log,
		config: dataexport.Config{
			Datasets:  []dataexport.Dataset{memory.Slice(someMemories()), notes(t), brokenDataset(t)},
			Renderers: []dataexport.Renderer{renderJSON, renderCSV, renderMarkdown},
			Store:     memstore.New(),
			Blobs:     memblob.New(),
			Logger:    quiet,
		},
		options: httpadapter.Options{
			Authenticate: httpadapter.APIKeys(fixtureKeys()),
			Logger:       slog.New(slog.NewJSONHandler(log, &slog.HandlerOptions{Level: slog.LevelDebug})),
		},
	}
	for _, c := range change {
		c(f)
	}
	service, err := dataexport.New(f.config)
	require.NoError(t, err)
	f.service = service
	f.handler = httpadapter.New(service, f.options)
	return f
}

// request makes a request with the full key. The header is a list of names and values; an empty value removes the header.
func (f *fixture) request(method, target string, header ...string) *http.Request {
	f.t.Helper()
	r := httptest.NewRequest(method, target, nil)
	r.Header.Set("X-Api-Key", keyFull)
	r.Header.Set("X-Request-Id", "request-1")
	for i := 0; i < len(header); i += 2 {
		r.Header.Del(header[i])
		if header[i+1] != "" {
			r.Header.Set(header[i], header[i+1])
		}
	}
	return r
}

// do sends a request with the full key.
func (f *fixture) do(method, target string, header ...string) *httptest.ResponseRecorder {
	f.t.Helper()
	return f.send(f.request(method, target, header...))
}

func (f *fixture) send(r *http.Request) *httptest.ResponseRecorder { return f.sendTo(f.handler, r) }

func (f *fixture) sendTo(handler http.Handler, r *http.Request) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	handler.ServeHTTP(w, r)
	return w
}

// create orders an export and returns its id.
func (f *fixture) create(query string, header ...string) string {
	f.t.Helper()
	w := f.do(http.MethodPost, "/exports"+query, header...)
	require.Equal(f.t, http.StatusAccepted, w.Code, w.Body.String())
	return decode[struct{ ID string }](f.t, w).ID
}

// ready orders an export, has it done, and returns its id.
func (f *fixture) ready(query string, header ...string) string {
	f.t.Helper()
	id := f.create(query, header...)
	job, err := f.service.Runner().RunJob(f.t.Context(), id)
	require.NoError(f.t, err)
	require.Equal(f.t, dataexport.StatusReady, job.Status)
	return id
}

// failed orders an export that fails, and returns its id.
func (f *fixture) failed() string {
	f.t.Helper()
	id := f.create("?dataset=broken")
	job, err := f.service.Runner().RunJob(f.t.Context(), id)
	require.NoError(f.t, err)
	require.Equal(f.t, dataexport.StatusFailed, job.Status)
	return id
}

// processing orders an export that a worker has begun, and returns its id.
func (f *fixture) processing(query string) string {
	f.t.Helper()
	id := f.create(query)
	_, err := f.config.Store.Claim(f.t.Context(), dataexport.ClaimOptions{ID: id, Lease: time.Hour})
	require.NoError(f.t, err)
	return id
}

func decode[T any](t testing.TB, w *httptest.ResponseRecorder) T {
	t.Helper()
	var v T
	require.NoError(t, json.Unmarshal(w.Body.Bytes(), &v), w.Body.String())
	return v
}

// A problemDocument is an error as a client reads it.
type problemDocument struct {
	Type      string `json:"type"`
	Title     string `json:"title"`
	Status    int    `json:"status"`
	Detail    string `json:"detail"`
	Code      string `json:"code"`
	RequestID string `json:"request_id"`
	Errors    []struct {
		Field   string `json:"field"`
		Message string `json:"message"`
	} `json:"errors"`
}

// requireProblem holds that an answer is a problem document, whole and true, and returns it.
func requireProblem(t testing.TB, w *httptest.ResponseRecorder, status int, code string) problemDocument {
	t.Helper()
	require.Equal(t, status, w.Code, w.Body.String())
	require.Equal(t, "application/problem+json", w.Header().Get("Content-Type"))
	p := decode[problemDocument](t, w)
	require.Equal(t, "about:blank", p.Type)
	require.Equal(t, http.StatusText(status), p.Title)
	require.Equal(t, status, p.Status)
	require.NotEmpty(t, p.Detail)
	require.Equal(t, code, p.Code)
	require.Equal(t, w.Header().Get("X-Request-Id"), p.RequestID)
	require.Equal(t, code == "VALIDATION_ERROR", len(p.Errors) > 0)
	return p
}

// fields returns the names of the fields of a validation error.
func (p problemDocument) fields() []string {
	var names []string
	for _, e := range p.Errors {
		names = append(names, e.Field)
	}
	return names
}

func someMemories() []memory.Record {
	at := func(minute int) time.Time { return time.Date(1999, 12, 31, 23, minute, 0, 0, time.UTC) }
	return []memory.Record{
		{ID: "m-1", WorkspaceID: "ws-1", Content: "likes tea", CreatedAt: at(1)},
		{ID: "m-2", WorkspaceID: "ws-1", Content: "lives in Graz", CreatedAt: at(2), Categories: []string{"home"}},
		{ID: "m-3", WorkspaceID: "ws-2", Content: "somebody else's", CreatedAt: at(3)},
	}
}

// A note is a record of a personal dataset without filters.
type note struct {
	ID   string `export:"id,id,key"`
	Text string `export:"text,body"`
}

func notes(t testing.TB) dataexport.Dataset {
	d, err := dataexport.NewDataset("notes", func(_ context.Context, q dataexport.Query) iter.Seq2[*note, error] {
		return func(yield func(*note, error) bool) {
			yield(&note{ID: "n-1", Text: "of " + q.Scope.Subject}, nil)
		}
	}, dataexport.DatasetOptions{Personal: true})
	require.NoError(t, err)
	return d
}

// brokenDataset fails in a way that its user may learn of.
func brokenDataset(t testing.TB) dataexport.Dataset {
	d, err := dataexport.NewDataset("broken", func(context.Context, dataexport.Query) iter.Seq2[*note, error] {
		return func(yield func(*note, error) bool) {
			yield(nil, &dataexport.PublicError{
				Code: "SOURCE_GONE", Message: "The source is gone.", Permanent: true, Err: io.ErrUnexpectedEOF,
			})
		}
	}, dataexport.DatasetOptions{})
	require.NoError(t, err)
	return d
}

// A plainRenderer writes a line a record, whatever its format says: what is in a file does not matter here.
type plainRenderer dataexport.Format

var (
	renderJSON     = plainRenderer{Name: "json", MediaType: "application/json", Extension: "json"}
	renderCSV      = plainRenderer{Name: "csv", MediaType: "text/csv", Extension: "csv"}
	renderMarkdown = plainRenderer{Name: "markdown", MediaType: "text/markdown", Extension: "md"}
)

func (p plainRenderer) Format() dataexport.Format { return dataexport.Format(p) }

// Check refuses notes as CSV, so that there is a misfit.
func (p plainRenderer) Check(info dataexport.Info) error {
	if p.Name == "csv" && info.Name == "notes" {
		return errNoNotes
	}
	return nil
}

type textError string

func (e textError) Error() string { return string(e) }

const errNoNotes = textError("notes cannot be written as CSV")

func (p plainRenderer) Open(_ context.Context, w io.Writer, doc *dataexport.Doc) (dataexport.Encoder, error) {
	_, err := io.WriteString(w, "# "+doc.Info.Name+"\n")
	return &plainEncoder{w: w}, err
}

type plainEncoder struct {
	w       io.Writer
	columns []dataexport.Column
}

func (e *plainEncoder) Begin(c *dataexport.Collection) error {
	e.columns = c.Columns
	return nil
}

func (e *plainEncoder) Row(r dataexport.Row) error {
	var cells []string
	for i, v := range r {
		if e.columns[i].Role == dataexport.RoleID || e.columns[i].Role == dataexport.RoleBody {
			cells = append(cells, v.Text())
		}
	}
	_, err := io.WriteString(e.w, strings.Join(cells, ": ")+"\n")
	return err
}

func (e *plainEncoder) Finish(dataexport.Summary) error { return nil }
func (e *plainEncoder) Close() error                    { return nil }

// fileText is what an export of all memories of ws-1 holds.
const fileText = "# memories\nm-1: likes tea\nm-2: lives in Graz\n"

// A logBuffer collects log lines, a JSON object each.
type logBuffer struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (b *logBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.Write(p)
}

// A logLine is one record of the log.
type logLine struct {
	Level     string `json:"level"`
	Message   string `json:"msg"`
	RequestID string `json:"request_id"`
	Error     string `json:"error"`
}

func (b *logBuffer) lines(t testing.TB) []logLine {
	t.Helper()
	b.mu.Lock()
	defer b.mu.Unlock()
	var lines []logLine
	for text := range strings.Lines(b.buf.String()) {
		var line logLine
		require.NoError(t, json.Unmarshal([]byte(text), &line))
		lines = append(lines, line)
	}
	return lines
}

// String returns everything that was logged, as it is.
func (b *logBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.String()
}
