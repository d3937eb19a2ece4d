package httpadapter_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/dataexport/dataexport"
	"github.com/dataexport/dataexport/store/fileblob"
	"github.com/stretchr/testify/require"
)

func TestDownloadRanges(t *testing.T) {
	size := len(fileText)
	tests := []struct {
		name   string
		method string
		header []string
		status int
		body   string
		reach  string // Content-Range
	}{
		{"whole", "GET", nil, 200, fileText, ""},
		{"first bytes", "GET", []string{"Range", "bytes=0-9"}, 206, fileText[:10], "bytes 0-9/45"},
		{"from the middle", "GET", []string{"Range", "bytes=10-"}, 206, fileText[10:], "bytes 10-44/45"},
		{"last bytes", "GET", []string{"Range", "bytes=-5"}, 206, fileText[size-5:], "bytes 40-44/45"},
		{"more than there is", "GET", []string{"Range", "bytes=40-99"}, 206, fileText[40:], "bytes 40-44/45"},
		{"unknown unit", "GET", []string{"Range", "lines=1-2"}, 200, fileText, ""},
		{"HEAD ignores a range", "HEAD", []string{"Range", "bytes=0-9"}, 200, "", ""},
		{"HEAD ignores a bad range", "HEAD", []string{"Range", "bytes=99-"}, 200, "", ""},
		{"If-Range with the ETag", "GET", []string{"Range", "bytes=0-9", "If-Range", "{etag}"}, 206, fileText[:10], "bytes 0-9/45"},
		{"If-Range with another ETag", "GET", []string{"Range", "bytes=0-9", "If-Range", `"x"`}, 200, fileText, ""},
		{"If-Range with the date", "GET", []string{"Range", "bytes=0-9", "If-Range", "{date}"}, 206, fileText[:10], "bytes 0-9/45"},
		{"If-None-Match", "GET", []string{"If-None-Match", "{etag}"}, 304, "", ""},
		{"If-None-Match weak", "GET", []string{"If-None-Match", `"a", W/{etag}`}, 304, "", ""},
		{"If-None-Match any", "GET", []string{"If-None-Match", "*"}, 304, "", ""},
		{"If-None-Match other", "GET", []string{"If-None-Match", `"x"`}, 200, fileText, ""},
		{"If-None-Match of HEAD", "HEAD", []string{"If-None-Match", "{etag}"}, 304, "", ""},
		{"If-Modified-Since", "GET", []string{"If-Modified-Since", "{date}"}, 304, "", ""},
		{"If-Match", "GET", []string{"If-Match", "{etag}"}, 200, fileText, ""},
	}
	f := newFixture(t)
	path := "/exports/" + f.ready("") + "/download"
	whole := f.do("GET", path).Header()
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			for i := range test.header {
				test.header[i] = strings.NewReplacer("{etag}", whole.Get("ETag"), "{date}", whole.Get("Last-Modified")).Replace(test.header[i])
			}
			w := f.do(test.method, path, test.header...)
			require.Equal(t, test.status, w.Code)
			require.Equal(t, test.body, w.Body.String())
			require.Equal(t, test.reach, w.Header().Get("Content-Range"))
			require.Equal(t, whole.Get("ETag"), w.Header().Get("ETag"))
			require.Equal(t, whole.Get("Repr-Digest"), w.Header().Get("Repr-Digest"), "of the whole file, whatever part is sent")
		})
	}
	for _, bad := range []string{"bytes=45-", "bytes=99-100", "bytes=x", "bytes=9-0", "bytes=-0", "bytes=-00"} {
		w := f.do("GET", path, "Range", bad)
		requireProblem(t, w, 416, "RANGE_NOT_SATISFIABLE")
		for _, name := range []string{"ETag", "Repr-Digest", "Last-Modified", "Content-Disposition"} {
			require.Empty(t, w.Header().Get(name), "%s is of the file, not of the problem", name)
		}
	}
	requireProblem(t, f.do("GET", path, "If-Match", `"x"`), 412, "PRECONDITION_FAILED")
	requireProblem(t, f.do("GET", path, "If-Unmodified-Since", "Mon, 01 Jan 1990 00:00:00 GMT"), 412, "PRECONDITION_FAILED")
	require.Empty(t, f.log.lines(t))
}

func TestDownloadSeveralRanges(t *testing.T) {
	f := newFixture(t)
	w := f.do("GET", "/exports/"+f.ready("?format=csv")+"/download", "Range", "bytes=0-1,3-4")
	require.Equal(t, 206, w.Code)
	_, params, err := mime.ParseMediaType(w.Header().Get("Content-Type"))
	require.NoError(t, err)
	parts := multipart.NewReader(w.Body, params["boundary"])
	for _, want := range []string{fileText[0:2], fileText[3:5]} {
		part, err := parts.NextPart()
		require.NoError(t, err)
		require.Equal(t, "text/csv; charset=utf-8", part.Header.Get("Content-Type"))
		got, err := io.ReadAll(part)
		require.NoError(t, err)
		require.Equal(t, want, string(got))
	}
	_, err = parts.NextPart()
	require.ErrorIs(t, err, io.EOF)
}

// TestExpiryIsTheClocks holds that a file is there for 72 hours to the moment, although nothing is swept.
func TestExpiryIsTheClocks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t)
		path := "/exports/" + f.ready("")
		etag := f.do("GET", path+"/download").Header().Get("ETag")
		time.Sleep(72*time.Hour - time.Nanosecond)
		require.Equal(t, 200, f.do("GET", path+"/download").Code)
		time.Sleep(time.Nanosecond)
		for _, header := range [][]string{nil, {"If-None-Match", etag}, {"Range", "bytes=0-1"}, {"Range", "bytes=99-"}} {
			requireProblem(t, f.do("GET", path+"/download", header...), 410, "EXPORT_EXPIRED")
		}
		require.Equal(t, 410, f.do("HEAD", path+"/download").Code)
		require.Equal(t, "EXPIRED", decode[struct{ Status string }](t, f.do("GET", path)).Status)
		require.Equal(t, 204, f.do("DELETE", path).Code)
	})
}

// A slowClient takes one byte, waits, and then takes the rest.
type slowClient struct {
	*httptest.ResponseRecorder
	wait func()
}

func (c *slowClient) Write(p []byte) (int, error) {
	if c.wait != nil {
		c.wait()
		c.wait = nil
	}
	return c.ResponseRecorder.Write(p)
}

// TestDownloadUnderWayOutlivesExpiry holds that a download that began in time ends, also when the sweep comes.
func TestDownloadUnderWayOutlivesExpiry(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t)
		path := "/exports/" + f.ready("") + "/download"
		time.Sleep(72*time.Hour - time.Second)
		client := &slowClient{httptest.NewRecorder(), func() {
			time.Sleep(time.Hour)
			_, err := f.service.Runner().Sweep(t.Context())
			require.NoError(t, err)
			requireProblem(t, f.do("GET", path), 410, "EXPORT_EXPIRED")
		}}
		f.handler.ServeHTTP(client, f.request("GET", path))
		require.Equal(t, 200, client.Code)
		require.Equal(t, fileText, client.Body.String())
	})
}

// A tamperedStore gives out its blobs as change makes them.
type tamperedStore struct {
	dataexport.BlobStore
	change func(dataexport.Blob) (dataexport.Blob, error)
}

func (s *tamperedStore) Open(ctx context.Context, key string) (dataexport.Blob, error) {
	blob, err := s.BlobStore.Open(ctx, key)
	if err != nil {
		return nil, err
	}
	return s.change(blob)
}

func withTamperedBlobs(change func(dataexport.Blob) (dataexport.Blob, error)) func(*fixture) {
	return func(f *fixture) { f.config.Blobs = &tamperedStore{f.config.Blobs, change} }
}

// A tornBlob fails, or ends, before its end.
type tornBlob struct {
	dataexport.Blob
	left   int
	err    error // io.EOF for a file that is shorter than its size
	closed *int
}

func (b *tornBlob) Read(p []byte) (int, error) {
	if b.left == 0 {
		return 0, b.err
	}
	n, err := b.Blob.Read(p[:min(len(p), b.left)])
	b.left -= n
	return n, err
}

func (b *tornBlob) Close() error {
	*b.closed++
	return b.Blob.Close()
}

// TestTornFileBreaksTheConnection holds that no client takes a part of a file for the whole of it.
func TestTornFileBreaksTheConnection(t *testing.T) {
	for _, protocol := range []string{"HTTP/1.1", "HTTP/2.0"} {
		for _, cause := range []error{errors.New("disk on fire"), io.EOF} {
			for _, ranges := range []string{"", "bytes=0-40", "bytes=0-1,3-40"} {
				t.Run(protocol+" "+cause.Error()+" "+ranges, func(t *testing.T) {
					closed := 0
					f := newFixture(t, withTamperedBlobs(func(b dataexport.Blob) (dataexport.Blob, error) {
						return &tornBlob{b, 10, cause, &closed}, nil
					}))
					path := "/exports/" + f.ready("") + "/download"
					response, body, err := f.overTheWire(protocol, path, ranges)
					if err == nil {
						require.Equal(t, protocol, response.Proto)
					}
					require.Error(t, err, "the client must notice; it got %q", body)
					require.Equal(t, 1, closed)
					lines := f.log.lines(t)
					require.Len(t, lines, 1)
					require.Equal(t, "ERROR", lines[0].Level)
				})
			}
		}
	}
}

// TestTornFileAborts holds that the handler says so itself: middleware that hides lengths, such as one that compresses,
// would keep net/http from noticing.
func TestTornFileAborts(t *testing.T) {
	closed := 0
	f := newFixture(t, withTamperedBlobs(func(b dataexport.Blob) (dataexport.Blob, error) {
		return &tornBlob{b, 10, io.EOF, &closed}, nil
	}))
	r := f.request("GET", "/exports/"+f.ready("")+"/download")
	require.PanicsWithValue(t, http.ErrAbortHandler, func() { f.send(r) })
	require.Equal(t, 1, closed)
}

// overTheWire makes a request to a real server, which has stopped when it returns.
func (f *fixture) overTheWire(protocol, path, ranges string) (*http.Response, string, error) {
	f.t.Helper()
	server := httptest.NewUnstartedServer(f.handler)
	server.EnableHTTP2 = protocol == "HTTP/2.0"
	server.StartTLS()
	defer server.Close()
	r, err := http.NewRequestWithContext(f.t.Context(), http.MethodGet, server.URL+path, nil)
	require.NoError(f.t, err)
	r.Header.Set("X-Api-Key", keyFull)
	if ranges != "" {
		r.Header.Set("Range", ranges)
	}
	response, err := server.Client().Do(r)
	if err != nil {
		return nil, "", err
	}
	defer func() { require.NoError(f.t, response.Body.Close()) }()
	body, err := io.ReadAll(response.Body)
	return response, string(body), err
}

// A sizedBlob says that it has another size.
type sizedBlob struct {
	dataexport.Blob
	size int64
}

func (b *sizedBlob) Size() int64 { return b.size }

// An unseekableBlob cannot seek.
type unseekableBlob struct{ dataexport.Blob }

func (b *unseekableBlob) Seek(int64, int) (int64, error) { return 0, errors.New("tape is stuck") }

func TestBadFileIsAnInternalError(t *testing.T) {
	tests := []struct {
		name   string
		change func(dataexport.Blob) (dataexport.Blob, error)
		status int
		log    string
	}{
		{"other size", func(b dataexport.Blob) (dataexport.Blob, error) { return &sizedBlob{b, 7}, nil }, 500, "has 7 bytes"},
		{"cannot seek", func(b dataexport.Blob) (dataexport.Blob, error) { return &unseekableBlob{b}, nil }, 500, "tape is stuck"},
		{"cannot open", func(dataexport.Blob) (dataexport.Blob, error) { return nil, errors.New("no such bucket") }, 500, "no such bucket"},
		{"is lost", func(dataexport.Blob) (dataexport.Blob, error) { return nil, dataexport.ErrNotFound }, 500, "missing"},
		{"out of reach", func(dataexport.Blob) (dataexport.Blob, error) { return nil, dataexport.ErrUnavailable }, 503, "unavailable"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			f := newFixture(t, withTamperedBlobs(test.change))
			w := f.do("GET", "/exports/"+f.ready("")+"/download", "Range", "bytes=1-2")
			requireProblem(t, w, test.status, map[int]string{500: "INTERNAL", 503: "UNAVAILABLE"}[test.status])
			require.NotContains(t, w.Body.String(), test.log)
			for _, name := range []string{"ETag", "Repr-Digest", "Content-Disposition", "Content-Range", "Last-Modified"} {
				require.Empty(t, w.Header().Get(name))
			}
			lines := f.log.lines(t)
			require.Len(t, lines, 1)
			require.Contains(t, lines[0].Error, test.log)
		})
	}
}

// A fileTaker is a client whose connection can copy files by itself. It remembers whether it was given one.
type fileTaker struct {
	*httptest.ResponseRecorder
	file *os.File
}

func (w *fileTaker) ReadFrom(r io.Reader) (int64, error) {
	if limited, ok := r.(*io.LimitedReader); ok {
		w.file, _ = limited.R.(*os.File)
	}
	return io.Copy(w.ResponseRecorder, r)
}

// TestFilesGoToTheConnectionAsTheyAre holds that the kernel can send files of fileblob (sendfile): net/http must be given
// the *os.File itself.
func TestFilesGoToTheConnectionAsTheyAre(t *testing.T) {
	blobs, err := fileblob.New(t.TempDir())
	require.NoError(t, err)
	f := newFixture(t, func(f *fixture) { f.config.Blobs = blobs })
	path := "/exports/" + f.ready("") + "/download"
	for _, ranges := range []string{"", "bytes=2-9"} {
		w := &fileTaker{ResponseRecorder: httptest.NewRecorder()}
		f.handler.ServeHTTP(w, f.request("GET", path, "Range", ranges))
		require.NotNil(t, w.file, "the connection was not given a file")
		require.True(t, bytes.Contains([]byte(fileText), w.Body.Bytes()))
		_, err := w.file.Stat()
		require.ErrorIs(t, err, os.ErrClosed)
	}
	response, body, err := f.overTheWire("HTTP/1.1", path, "")
	require.NoError(t, err)
	require.Equal(t, 200, response.StatusCode)
	require.Equal(t, fileText, body)
}

// A leavingClient goes away after a few bytes.
type leavingClient struct {
	*httptest.ResponseRecorder
	left int
}

func (c *leavingClient) Write(p []byte) (int, error) {
	n := min(len(p), c.left)
	c.left -= n
	if n < len(p) {
		return n, errors.New("connection reset by peer")
	}
	return n, nil
}

// TestClientThatLeavesIsNoError holds that it is neither logged as one nor a reason to panic, and that a blob is not
// closed while it is still read (see the race detector): an answer of several ranges is made by a goroutine.
func TestClientThatLeavesIsNoError(t *testing.T) {
	for _, ranges := range []string{"", "bytes=0-30", "bytes=0-1,3-30"} {
		f := newFixture(t)
		path := "/exports/" + f.ready("") + "/download"
		require.NotPanics(t, func() {
			f.handler.ServeHTTP(&leavingClient{httptest.NewRecorder(), 5}, f.request("GET", path, "Range", ranges))
		})
		lines := f.log.lines(t)
		require.Len(t, lines, 1)
		require.Equal(t, "DEBUG", lines[0].Level)
	}
}

// TestFileNameIsSafe holds that whatever a renderer calls its files, the header is one token in quotes.
func TestFileNameIsSafe(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		odd := plainRenderer{Name: "odd", MediaType: "application/x-odd", Extension: "a\"\r\nb/ü"}
		f := newFixture(t, func(f *fixture) { f.config.Renderers = append(f.config.Renderers, odd) })
		w := f.do("GET", "/exports/"+f.ready("?format=odd")+"/download")
		require.Equal(t, `attachment; filename="memories-20000101-000000.a___b__"`, w.Header().Get("Content-Disposition"))
		require.Equal(t, "application/x-odd", w.Header().Get("Content-Type"))
	})
}

// TestEmptyFile holds that a range of an empty file is no error.
func TestEmptyFile(t *testing.T) {
	f := newFixture(t, func(f *fixture) { f.config.Renderers = []dataexport.Renderer{silentRenderer{renderJSON}} })
	path := "/exports/" + f.ready("") + "/download"
	for _, ranges := range []string{"", "bytes=0-"} {
		w := f.do("GET", path, "Range", ranges)
		require.Equal(t, 200, w.Code)
		require.Equal(t, "0", w.Header().Get("Content-Length"))
		require.Equal(t, "sha-256=:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=:", w.Header().Get("Repr-Digest"))
	}
}

// A silentRenderer writes nothing.
type silentRenderer struct{ plainRenderer }

func (silentRenderer) Open(context.Context, io.Writer, *dataexport.Doc) (dataexport.Encoder, error) {
	return &plainEncoder{w: io.Discard}, nil
}
