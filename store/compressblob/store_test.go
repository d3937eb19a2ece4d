package compressblob_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"math/rand/v2"
	"os"
	"runtime"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dataexport/dataexport"
	"github.com/dataexport/dataexport/store/blobtest"
	"github.com/dataexport/dataexport/store/compressblob"
	"github.com/dataexport/dataexport/store/fileblob"
	"github.com/dataexport/dataexport/store/memblob"
)

var jsonFormat = dataexport.Format{Name: "json", MediaType: "application/json", Extension: "json"}

var codings = []compressblob.Coding{compressblob.Gzip, compressblob.Zstd}

// smallChunks makes files of many chunks of little content.
func smallChunks(c compressblob.Coding) compressblob.Options {
	return compressblob.Options{Coding: c, ChunkSize: 4 << 10, Workers: 3}
}

func newStore(t testing.TB, inner dataexport.BlobStore, o compressblob.Options) *compressblob.Store {
	t.Helper()
	s, err := compressblob.New(inner, o)
	require.NoError(t, err)
	return s
}

// lines returns about n bytes of JSON lines that look like exported memories.
func lines(n int, seed uint64) []byte {
	words := []string{"the", "user", "prefers", "meetings", "in", "the", "morning", "project", "deadline", "coffee", "Berlin",
		"and", "has", "said", "that", "family", "travel", "to", "a", "new", "release", "of", "was", "discussed", "with"}
	random := rand.New(rand.NewPCG(seed, 1))
	var b bytes.Buffer
	b.Grow(n + 1000)
	for i := 0; b.Len() < n; i++ {
		fmt.Fprintf(&b, `{"id":"%08x-%04x-7%03x-8%03x-%012x","workspace_id":"7d1f4c1e","created_at":"2026-03-%02dT%02d:%02d:%02d.%03dZ","type":"episodic","importance":0.%02d,"content":"`,
			i, random.IntN(1<<16), random.IntN(1<<12), random.IntN(1<<12), random.Int64N(1<<48), 1+i/100000%28, random.IntN(24), random.IntN(60), random.IntN(60), random.IntN(1000), random.IntN(100))
		for range 8 + random.IntN(40) {
			b.WriteString(words[random.IntN(len(words))])
			b.WriteByte(' ')
		}
		b.WriteString("\"}\n")
	}
	return b.Bytes()[:n]
}

func noise(n int, seed uint64) []byte {
	p := make([]byte, n)
	random := rand.New(rand.NewPCG(seed, 2))
	for i := range p {
		p[i] = byte(random.Uint32())
	}
	return p
}

func put(t testing.TB, s dataexport.BlobStore, key string, content []byte) {
	t.Helper()
	require.NoError(t, s.Put(t.Context(), key, jsonFormat, writing(content)))
}

func writing(content []byte) func(io.Writer) error {
	return func(w io.Writer) error {
		_, err := w.Write(content)
		return err
	}
}

func open(t testing.TB, s dataexport.BlobStore, key string) dataexport.Blob {
	t.Helper()
	b, err := s.Open(t.Context(), key)
	require.NoError(t, err)
	t.Cleanup(func() { _ = b.Close() })
	return b
}

func read(t testing.TB, s dataexport.BlobStore, key string) []byte {
	t.Helper()
	got, err := io.ReadAll(open(t, s, key))
	require.NoError(t, err)
	return got
}

// contentSizes makes List say what the suite asks for: the size of the content. A Store gives that of the stored file.
type contentSizes struct{ *compressblob.Store }

func (s contentSizes) List(ctx context.Context, prefix string) iter.Seq2[dataexport.BlobInfo, error] {
	return func(yield func(dataexport.BlobInfo, error) bool) {
		for info, err := range s.Store.List(ctx, prefix) {
			if err == nil && !info.Unfinished {
				if b, openErr := s.Open(ctx, info.Key); openErr == nil {
					info.Size = b.Size()
					_ = b.Close()
				}
			}
			if !yield(info, err) {
				return
			}
		}
	}
}

func TestConformance(t *testing.T) {
	inners := map[string]func(t *testing.T) dataexport.BlobStore{
		"memblob": func(*testing.T) dataexport.BlobStore { return memblob.New() },
		"fileblob": func(t *testing.T) dataexport.BlobStore {
			s, err := fileblob.New(t.TempDir())
			require.NoError(t, err)
			t.Cleanup(func() { _ = s.Close() })
			return s
		},
	}
	for _, coding := range codings {
		for name, inner := range inners {
			t.Run(string(coding)+" in "+name, func(t *testing.T) {
				blobtest.Run(t, func(t *testing.T) dataexport.BlobStore {
					return contentSizes{newStore(t, inner(t), compressblob.Options{Coding: coding})}
				})
			})
		}
	}
}

func TestNewRefusesOptions(t *testing.T) {
	for name, o := range map[string]compressblob.Options{
		"coding":          {Coding: "br"},
		"workers":         {Workers: -1},
		"tiny chunks":     {ChunkSize: 100},
		"huge chunks":     {ChunkSize: 1 << 30},
		"level of gzip":   {Level: 10},
		"level of zstd":   {Coding: compressblob.Zstd, Level: 23},
		"level below one": {Level: -1},
	} {
		_, err := compressblob.New(memblob.New(), o)
		assert.ErrorIs(t, err, dataexport.ErrInvalid, name)
	}
	_, err := compressblob.New(nil, compressblob.Options{})
	assert.ErrorIs(t, err, dataexport.ErrInvalid)
}

// Sizes about those at which a chunk ends, of what compresses well and of what does not, at every level.
func TestRoundTrip(t *testing.T) {
	const size = 4 << 10
	for _, coding := range codings {
		levels := []int{0, 1, 4, 6, 9}
		if coding == compressblob.Zstd {
			levels = []int{0, 1, 6, 22}
		}
		for _, level := range levels {
			o := smallChunks(coding)
			o.Level = level
			s := newStore(t, memblob.New(), o)
			for _, n := range []int{0, 1, 2, size - 1, size, size + 1, 2 * size, 7*size + 5} {
				for name, content := range map[string][]byte{"lines": lines(n, 1), "noise": noise(n, 1), "zeros": make([]byte, n)} {
					put(t, s, "job/1", content)
					require.Equal(t, int64(n), open(t, s, "job/1").Size())
					require.True(t, bytes.Equal(content, read(t, s, "job/1")), "%s, level %d, %d bytes of %s", coding, level, n, name)
				}
			}
		}
	}
}

func TestReadsFilesOfOtherOptions(t *testing.T) {
	inner := memblob.New()
	content := lines(100_000, 2)
	put(t, inner, "plain", content)
	put(t, inner, "empty", nil)
	put(t, inner, "bracket", []byte("("))
	var foreign bytes.Buffer
	z := gzip.NewWriter(&foreign)
	_, err := z.Write(content)
	require.NoError(t, err)
	require.NoError(t, z.Close())
	put(t, inner, "foreign", foreign.Bytes())
	for _, coding := range codings {
		put(t, newStore(t, inner, smallChunks(coding)), "small/"+string(coding), content)
		put(t, newStore(t, inner, compressblob.Options{Coding: coding, Workers: 1, Level: 9}), "large/"+string(coding), content)
	}
	for _, coding := range codings {
		s := newStore(t, inner, compressblob.Options{Coding: coding})
		for _, key := range []string{"plain", "small/gzip", "large/gzip", "small/zstd", "large/zstd"} {
			assert.True(t, bytes.Equal(content, read(t, s, key)), key)
		}
		assert.Empty(t, read(t, s, "empty"))
		assert.Equal(t, "(", string(read(t, s, "bracket")))
		assert.Equal(t, foreign.Bytes(), read(t, s, "foreign"), "someone else's gzip file is a file like any other")
	}
}

// What a file is like in the inner store decides, not what is in it.
func TestCompressesItsOwnFiles(t *testing.T) {
	for _, coding := range codings {
		inner := memblob.New()
		s := newStore(t, inner, smallChunks(coding))
		put(t, s, "job/1", lines(50_000, 3))
		stored := read(t, inner, "job/1")
		put(t, s, "job/2", stored)
		assert.Equal(t, stored, read(t, s, "job/2"), coding)
	}
}

func TestEncoded(t *testing.T) {
	dir := t.TempDir()
	inner, err := fileblob.New(dir)
	require.NoError(t, err)
	content := lines(50_000, 4)

	put(t, newStore(t, inner, smallChunks(compressblob.Gzip)), "job/1", content)
	s := newStore(t, inner, compressblob.Options{})
	encoded, ok := open(t, s, "job/1").(dataexport.EncodedBlob)
	require.True(t, ok)
	coding, stored := encoded.Encoded()
	assert.Equal(t, "gzip", coding)
	require.Implements(t, (*interface{ File() *os.File })(nil), stored, "for sendfile")
	z, err := gzip.NewReader(stored)
	require.NoError(t, err)
	z.Multistream(false) // one member, as some clients read no more
	got, err := io.ReadAll(z)
	require.NoError(t, err)
	assert.Equal(t, content, got)
	position, err := stored.Seek(0, io.SeekCurrent)
	require.NoError(t, err)
	assert.Equal(t, stored.Size(), position, "and nothing follows it")

	put(t, newStore(t, inner, smallChunks(compressblob.Zstd)), "job/2", content)
	_, ok = open(t, s, "job/2").(dataexport.EncodedBlob)
	assert.False(t, ok, "not every client decodes several frames")
	_, ok = any(s).(dataexport.URLSigner)
	assert.False(t, ok)
}

// formatStore remembers what it was told that a file is.
type formatStore struct {
	*memblob.Store
	format dataexport.Format
}

func (s *formatStore) Put(ctx context.Context, key string, f dataexport.Format, write func(io.Writer) error) error {
	s.format = f
	return s.Store.Put(ctx, key, f, write)
}

func TestFormat(t *testing.T) {
	inner := &formatStore{Store: memblob.New()}
	put(t, newStore(t, inner, compressblob.Options{}), "job/1", []byte("[]"))
	assert.Equal(t, dataexport.Format{Name: "json", MediaType: "application/gzip", Extension: "json.gz"}, inner.format)
	s := newStore(t, inner, compressblob.Options{Coding: compressblob.Zstd})
	put(t, s, "job/1", []byte("[]"))
	assert.Equal(t, dataexport.Format{Name: "json", MediaType: "application/zstd", Extension: "json.zst"}, inner.format)

	zip := dataexport.Format{Name: "zip", MediaType: "application/zip", Extension: "zip"}
	require.NoError(t, s.Put(t.Context(), "job/1", zip, writing([]byte("PK"))))
	assert.Equal(t, zip, inner.format)
	assert.Equal(t, "PK", string(read(t, inner.Store, "job/1")))
}

func TestListGivesStoredSize(t *testing.T) {
	inner := memblob.New()
	s := newStore(t, inner, compressblob.Options{})
	put(t, s, "job/1", make([]byte, 1<<20))
	for info, err := range s.List(t.Context(), "") {
		require.NoError(t, err)
		assert.Equal(t, open(t, inner, "job/1").Size(), info.Size)
		assert.Less(t, info.Size, int64(10_000))
	}
}

func TestErrorsPassThrough(t *testing.T) {
	for _, coding := range codings {
		s := newStore(t, memblob.New(), smallChunks(coding))
		failure := errors.New("the source has failed")
		err := s.Put(t.Context(), "job/1", jsonFormat, func(w io.Writer) error {
			_, err := w.Write(lines(100_000, 5))
			require.NoError(t, err)
			return failure
		})
		assert.Equal(t, failure, err)
		_, err = s.Open(t.Context(), "job/1")
		require.ErrorIs(t, err, dataexport.ErrNotFound)
	}
}

func TestWriteAfterEnd(t *testing.T) {
	s := newStore(t, memblob.New(), compressblob.Options{})
	var late io.Writer
	require.NoError(t, s.Put(t.Context(), "job/1", jsonFormat, func(w io.Writer) error { late = w; return nil }))
	_, err := late.Write([]byte("late"))
	require.ErrorIs(t, err, fs.ErrClosed)
}

// However a Put ends, its workers have ended with it.
func TestNoGoroutineStays(t *testing.T) {
	for _, coding := range codings {
		s := newStore(t, memblob.New(), smallChunks(coding))
		before := runtime.NumGoroutine()
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		content := lines(200_000, 6)
		put(t, s, "job/1", content)
		read(t, s, "job/1")
		_ = s.Put(t.Context(), "job/2", jsonFormat, func(w io.Writer) error {
			_, _ = w.Write(content)
			return errors.New("the source has failed")
		})
		assert.Panics(t, func() {
			_ = s.Put(t.Context(), "job/2", jsonFormat, func(w io.Writer) error {
				_, _ = w.Write(content)
				panic("the source has a fault")
			})
		})
		err := s.Put(ctx, "job/2", jsonFormat, func(w io.Writer) error {
			_, _ = w.Write(content)
			cancel()
			_, err := w.Write(content)
			return err
		})
		require.ErrorIs(t, err, context.Canceled)
		// A goroutine that has said that it is done may take a moment to be gone.
		assert.Eventually(t, func() bool { return runtime.NumGoroutine() <= before+1 }, 10*time.Second, time.Millisecond)
	}
}

// A thorough is a BlobStore that deletes what is unfinished.
type thorough struct {
	dataexport.BlobStore
	deleted string
}

func (b *thorough) DeleteUnfinished(_ context.Context, key string) error {
	b.deleted = key
	return nil
}

func TestDeleteUnfinished(t *testing.T) {
	able := &thorough{BlobStore: memblob.New()}
	s, err := compressblob.New(able, compressblob.Options{Coding: compressblob.Gzip})
	require.NoError(t, err)
	require.NoError(t, s.DeleteUnfinished(t.Context(), "job/1"))
	assert.Equal(t, "job/1", able.deleted)

	s, err = compressblob.New(memblob.New(), smallChunks(compressblob.Gzip))
	require.NoError(t, err)
	assert.ErrorIs(t, s.DeleteUnfinished(t.Context(), "job/1"), errors.ErrUnsupported)
}
