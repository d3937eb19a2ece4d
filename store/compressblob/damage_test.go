package compressblob_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"io"
	"math/rand/v2"
	"runtime"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dataexport/dataexport"
	"github.com/dataexport/dataexport/store/compressblob"
	"github.com/dataexport/dataexport/store/memblob"
)

// storedFile returns a content and the file that it becomes.
func storedFile(t testing.TB, coding compressblob.Coding, n int) (content, file []byte) {
	inner := memblob.New()
	content = lines(n, 9)
	put(t, newStore(t, inner, smallChunks(coding)), "job/1", content)
	return content, read(t, inner, "job/1")
}

// readDamaged reads a stored file and requires that what is read is the beginning of the content, and that it is all of
// it if there is no error: no decoder looks at the bits that fill a byte. A file whose mark is damaged is read as it is,
// and errForeign is returned.
func readDamaged(t testing.TB, file, content []byte) error {
	inner := memblob.New()
	put(t, inner, "job/1", file)
	b, err := newStore(t, inner, compressblob.Options{}).Open(t.Context(), "job/1")
	if err != nil {
		assert.Contains(t, err.Error(), `"job/1"`)
		return err
	}
	defer func() { _ = b.Close() }()
	got, err := io.ReadAll(b)
	if err == nil && bytes.Equal(got, file) {
		return errForeign
	}
	require.True(t, bytes.HasPrefix(content, got), "wrong bytes")
	if err != nil {
		assert.Contains(t, err.Error(), `"job/1"`)
		return err
	}
	require.Len(t, got, len(content), "bytes are missing")
	return nil
}

var errForeign = errors.New("the file is not known as one of this package")

// No bit can be flipped without an error, but for those of the mark and those that nobody looks at.
func TestFlippedBits(t *testing.T) {
	for _, coding := range codings {
		content, file := storedFile(t, coding, 9_000)
		random, harmless := rand.New(rand.NewPCG(1, 1)), 0
		for i := range file {
			damaged := bytes.Clone(file)
			damaged[i] ^= 1 << random.IntN(8)
			err := readDamaged(t, damaged, content)
			switch {
			case err == nil:
				harmless++
			case i >= 256:
				require.ErrorIs(t, err, compressblob.ErrDamaged, "%s: byte %d of %d", coding, i, len(file))
			}
		}
		assert.Less(t, harmless, len(file)/100, coding)
	}
}

func TestCutFiles(t *testing.T) {
	for _, coding := range codings {
		content, file := storedFile(t, coding, 9_000)
		for n := 16; n < len(file); n++ {
			require.ErrorIs(t, readDamaged(t, file[:n], content), compressblob.ErrDamaged, "%s: %d bytes", coding, n)
		}
		for n := range 16 {
			require.ErrorIs(t, readDamaged(t, file[:n], content), errForeign, "what is that short is a file like any other")
		}
		require.ErrorIs(t, readDamaged(t, append(bytes.Clone(file), 'x'), content), compressblob.ErrDamaged)
		require.ErrorIs(t, readDamaged(t, append(bytes.Clone(file), file...), content), compressblob.ErrDamaged)
	}
}

// Chunks of the same length that have changed places are not taken for each other.
func TestSwappedChunks(t *testing.T) {
	const size = 4 << 10
	for _, coding := range codings {
		inner := memblob.New()
		content := append(noise(size, 1), noise(size, 2)...)
		put(t, newStore(t, inner, smallChunks(coding)), "job/1", content)
		file := read(t, inner, "job/1")
		first, second := bytes.Index(file, content[100:size]), bytes.Index(file, content[size+100:])
		require.Positive(t, first)
		require.Positive(t, second)
		copy(file[first:], content[size+100:])
		copy(file[second:], content[100:size])
		require.ErrorIs(t, readDamaged(t, file, content), compressblob.ErrDamaged, coding)
	}
}

// A file that another process replaces or a storage that gives other bytes later does no harm either.
type changingBlob struct {
	dataexport.Blob
	changed *bool
}

func (b changingBlob) Read(p []byte) (int, error) {
	n, err := b.Blob.Read(p)
	if *b.changed && n > 0 {
		p[n/2] ^= 0x10
	}
	return n, err
}

type changingStore struct {
	*memblob.Store
	changed *bool
}

func (s changingStore) Open(ctx context.Context, key string) (dataexport.Blob, error) {
	b, err := s.Store.Open(ctx, key)
	return changingBlob{b, s.changed}, err
}

func TestChangedAfterOpen(t *testing.T) {
	for _, coding := range codings {
		changed := false
		s := newStore(t, changingStore{memblob.New(), &changed}, smallChunks(coding))
		put(t, s, "job/1", lines(50_000, 3))
		b := open(t, s, "job/1")
		changed = true
		_, err := io.ReadAll(b)
		require.ErrorIs(t, err, compressblob.ErrDamaged)
		changed = false
		got, err := io.ReadAll(b) // it goes on once the storage does
		require.NoError(t, err)
		assert.Equal(t, lines(50_000, 3), got)
	}
}

// An index that promises much makes nobody allocate it.
func TestLyingIndex(t *testing.T) {
	content, file := storedFile(t, compressblob.Zstd, 9_000)
	for _, frames := range []uint32{0, 1, 2, 1000, 1 << 27, 1<<32 - 1} {
		damaged := bytes.Clone(file)
		binary.LittleEndian.PutUint32(damaged[len(damaged)-9:], frames)
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		require.ErrorIs(t, readDamaged(t, damaged, content), compressblob.ErrDamaged)
		runtime.ReadMemStats(&after)
		assert.Less(t, after.TotalAlloc-before.TotalAlloc, uint64(1<<20))
	}
}

func FuzzOpen(f *testing.F) {
	for _, coding := range codings {
		for _, n := range []int{0, 1, 9_000} {
			_, file := storedFile(f, coding, n)
			f.Add(file)
		}
	}
	f.Add([]byte(`[{"id":1}]`))
	inner := memblob.New()
	s := newStore(f, inner, compressblob.Options{})
	f.Fuzz(func(t *testing.T, file []byte) {
		put(t, inner, "job/1", file)
		b, err := s.Open(t.Context(), "job/1")
		if err != nil {
			require.ErrorIs(t, err, compressblob.ErrDamaged)
			return
		}
		defer func() { _ = b.Close() }()
		n, err := io.Copy(io.Discard, io.LimitReader(b, 16<<20))
		if err != nil {
			require.ErrorIs(t, err, compressblob.ErrDamaged)
		} else {
			require.Equal(t, min(b.Size(), 16<<20), n)
		}
	})
}

// Damage of any kind to any place of a file gives an error or the content, never other bytes.
func FuzzDamage(f *testing.F) {
	f.Add(uint32(300), []byte{1, 2, 3}, false)
	f.Add(uint32(1<<31), []byte("x"), true)
	var contents, files [2][]byte
	for i, coding := range codings {
		contents[i], files[i] = storedFile(f, coding, 30_000)
	}
	f.Fuzz(func(t *testing.T, at uint32, change []byte, insert bool) {
		for i := range codings {
			place := 256 + int(at)%(len(files[i])-256) // behind the mark
			rest := files[i][place:]
			if !insert {
				rest = rest[min(len(change), len(rest)):]
			}
			damaged := append(append(bytes.Clone(files[i][:place]), change...), rest...)
			err := readDamaged(t, damaged, contents[i])
			if bytes.Equal(damaged, files[i]) {
				require.NoError(t, err)
			} else if err != nil {
				require.ErrorIs(t, err, compressblob.ErrDamaged)
			}
		}
	})
}
