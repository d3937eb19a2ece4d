package compressblob_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"fmt"
	"io"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dataexport/dataexport"
	"github.com/dataexport/dataexport/store/compressblob"
	"github.com/dataexport/dataexport/store/memblob"
)

func gunzip(t testing.TB, file []byte) []byte {
	t.Helper()
	z, err := gzip.NewReader(bytes.NewReader(file))
	require.NoError(t, err)
	content, err := io.ReadAll(z)
	require.NoError(t, err)
	return content
}

// A countingStore keeps nothing but how much was written.
type countingStore struct {
	dataexport.BlobStore
	n int64
}

func (s *countingStore) Put(_ context.Context, _ string, _ dataexport.Format, write func(io.Writer) error) error {
	s.n = 0
	return write(s)
}

func (s *countingStore) Write(p []byte) (int, error) {
	s.n += int64(len(p))
	return len(p), nil
}

// writePieces writes content as an export does, in pieces of 32 KiB.
func writePieces(content []byte) func(io.Writer) error {
	return func(w io.Writer) error {
		for rest := content; len(rest) > 0; {
			n := min(32<<10, len(rest))
			if _, err := w.Write(rest[:n]); err != nil {
				return err
			}
			rest = rest[n:]
		}
		return nil
	}
}

// skipUnderRace skips a test of allocations: the race detector makes sync.Pool forget at random.
func skipUnderRace(t *testing.T) {
	t.Helper()
	if raceDetector {
		t.Skip("the race detector allocates")
	}
}

// More chunks do not take more memory, but for the index.
func TestAllocations(t *testing.T) {
	skipUnderRace(t)
	const chunk = 16 << 10
	for _, coding := range codings {
		s := newStore(t, &countingStore{}, compressblob.Options{Coding: coding, ChunkSize: chunk, Workers: 2})
		allocations := func(chunks int) float64 {
			write := writePieces(lines(chunks*chunk, 1))
			return testing.AllocsPerRun(5, func() { require.NoError(t, s.Put(t.Context(), "job/1", jsonFormat, write)) })
		}
		few, many := allocations(10), allocations(210)
		assert.Less(t, (many-few)/200, 1.0, "%s: allocations for each chunk", coding)
	}
}

func TestReadAllocations(t *testing.T) {
	skipUnderRace(t)
	for _, coding := range codings {
		s := newStore(t, memblob.New(), smallChunks(coding))
		put(t, s, "job/1", lines(400<<10, 1)) // 100 chunks
		b := open(t, s, "job/1")
		buffer := make([]byte, 1000)
		readAll := func() {
			_, err := b.Seek(0, io.SeekStart)
			require.NoError(t, err)
			for err == nil {
				_, err = b.Read(buffer)
			}
			require.Equal(t, io.EOF, err)
		}
		assert.Less(t, testing.AllocsPerRun(5, readAll)/100, 4.0, "%s: allocations for each chunk", coding)
	}
}

func BenchmarkPut(b *testing.B) {
	content := lines(32<<20, 1)
	for _, coding := range codings {
		for _, level := range []int{0, 1, 3, 6, 9} {
			for _, workers := range []int{1, 2} {
				b.Run(fmt.Sprintf("%s/level=%d/workers=%d", coding, level, workers), func(b *testing.B) {
					benchmarkPut(b, content, compressblob.Options{Coding: coding, Level: level, Workers: workers})
				})
			}
		}
	}
}

func BenchmarkChunkSize(b *testing.B) {
	content := lines(32<<20, 1)
	for _, coding := range codings {
		for _, size := range []int{128 << 10, 256 << 10, 512 << 10, 1 << 20, 2 << 20, 4 << 20} {
			b.Run(fmt.Sprintf("%s/%dKiB", coding, size>>10), func(b *testing.B) {
				benchmarkPut(b, content, compressblob.Options{Coding: coding, ChunkSize: size, Workers: 2})
			})
		}
	}
}

func benchmarkPut(b *testing.B, content []byte, o compressblob.Options) {
	inner := &countingStore{}
	s := newStore(b, inner, o)
	b.SetBytes(int64(len(content)))
	b.ReportAllocs()
	for b.Loop() {
		if err := s.Put(b.Context(), "job/1", jsonFormat, writePieces(content)); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(100*float64(inner.n)/float64(len(content)), "%-of-content")
}

// The two take turns, so that what else the machine does slows both alike.
func BenchmarkAgainstStandardLibrary(b *testing.B) {
	content := lines(16<<20, 1)
	for _, coding := range codings {
		for _, workers := range []int{1, 2} {
			b.Run(fmt.Sprintf("%s/workers=%d", coding, workers), func(b *testing.B) {
				s := newStore(b, &countingStore{}, compressblob.Options{Coding: coding, Workers: workers})
				z := gzip.NewWriter(io.Discard)
				var ours, theirs time.Duration
				for b.Loop() {
					begin := time.Now()
					if err := s.Put(b.Context(), "job/1", jsonFormat, writePieces(content)); err != nil {
						b.Fatal(err)
					}
					ours += time.Since(begin)
					begin = time.Now()
					z.Reset(io.Discard)
					if err := writePieces(content)(z); err != nil {
						b.Fatal(err)
					}
					if err := z.Close(); err != nil {
						b.Fatal(err)
					}
					theirs += time.Since(begin)
				}
				b.ReportMetric(float64(theirs)/float64(ours), "times-as-fast")
			})
		}
	}
}

func BenchmarkRead(b *testing.B) {
	content := lines(32<<20, 1)
	for _, coding := range codings {
		b.Run(string(coding), func(b *testing.B) {
			s := newStore(b, memblob.New(), compressblob.Options{Coding: coding})
			put(b, s, "job/1", content)
			blob := open(b, s, "job/1")
			b.SetBytes(int64(len(content)))
			b.ReportAllocs()
			for b.Loop() {
				if _, err := blob.Seek(0, io.SeekStart); err != nil {
					b.Fatal(err)
				}
				if _, err := io.Copy(io.Discard, blob); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
