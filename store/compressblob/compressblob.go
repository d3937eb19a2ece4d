package compressblob

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"runtime"
	"sync"

	"github.com/dataexport/dataexport"
)

// A Coding is how files are compressed, by its name in HTTP (RFC 9110, section 8.4.1).
type Coding string

// The codings. The package comment says how they differ.
const (
	Gzip Coding = "gzip" // sent as it is stored to clients that accept it
	Zstd Coding = "zstd" // smaller and faster; decoded for every client
)

const (
	// What four times as much saves on lines of JSON is half a percent.
	defaultChunkSize = 512 << 10
	minChunkSize     = 4 << 10
	maxChunkSize     = 8 << 20
)

// ErrDamaged says that a stored file was written by this package and has been changed since. Its content is lost, or the
// part of it that was to be read; the export has to be made anew.
var ErrDamaged = errors.New("compressblob: the stored file is damaged")

// Options say how files are compressed. The zero value is good.
type Options struct {
	// Coding is Gzip by default.
	Coding Coding

	// Level weighs time against size: 1 to 9 for gzip, 1 to 22 for zstd, as their command line tools have it. 0 means
	// 5 for gzip and 3 for zstd.
	Level int

	// Workers is how many chunks of one Put are compressed at the same time, runtime.GOMAXPROCS by default.
	Workers int

	// ChunkSize is how many bytes of content are compressed as one: 4 KiB to 8 MiB, by default 512 KiB. A Range request
	// decodes all of the chunk that it begins in. Smaller chunks compress a little worse: by 2 % at 128 KiB, on lines of JSON.
	ChunkSize int
}

// A Store is a dataexport.BlobStore that keeps files compressed in another. Its methods are safe for concurrent use.
type Store struct {
	inner     dataexport.BlobStore
	format    format
	workers   int
	chunkSize int

	encoders sync.Pool // of encoder
	tasks    sync.Pool // of *task
	decoders map[Coding]*sync.Pool
}

var _ dataexport.BlobStore = (*Store)(nil)

// New returns a store in front of another. Files that the inner store has already stay readable. It returns a
// dataexport.ErrInvalid if the options make no sense.
func New(inner dataexport.BlobStore, o Options) (*Store, error) {
	if o.Coding == "" {
		o.Coding = Gzip
	}
	if o.Workers == 0 {
		o.Workers = runtime.GOMAXPROCS(0)
	}
	if o.ChunkSize == 0 {
		o.ChunkSize = defaultChunkSize
	}
	f := formatOf(o.Coding)
	switch {
	case inner == nil:
		return nil, invalid("the inner store is nil; give the one that is to keep the files")
	case f == nil:
		return nil, invalid("the coding is %q; it must be %q or %q", o.Coding, Gzip, Zstd)
	case o.Workers < 0:
		return nil, invalid("the number of workers is %d; it must be at least 1, or 0 for the default", o.Workers)
	case o.ChunkSize < minChunkSize || o.ChunkSize > maxChunkSize:
		return nil, invalid("the chunk size is %d; it must be %d to %d bytes, or 0 for the default", o.ChunkSize, minChunkSize, maxChunkSize)
	case o.Level < 0 || o.Level > f.maxLevel():
		return nil, invalid("the level is %d; for %s it must be 1 to %d, or 0 for the default", o.Level, o.Coding, f.maxLevel())
	}
	s := &Store{inner: inner, format: f, workers: o.Workers, chunkSize: o.ChunkSize, decoders: make(map[Coding]*sync.Pool)}
	s.encoders.New = func() any { return f.newEncoder(o.Level, o.ChunkSize) }
	s.tasks.New = func() any { return newTask() }
	for _, f := range formats() {
		s.decoders[f.coding()] = &sync.Pool{New: func() any { return f.newDecoder() }}
	}
	return s, nil
}

func invalid(message string, args ...any) error {
	return fmt.Errorf("compressblob: %w: "+message, append([]any{dataexport.ErrInvalid}, args...)...)
}

// Put stores a blob compressed, as dataexport.BlobStore says. The inner store is told that it is gzip or zstd. Zip files
// are compressed in themselves and stored as they are.
func (s *Store) Put(ctx context.Context, key string, f dataexport.Format, write func(io.Writer) error) error {
	if f.MediaType == "application/zip" {
		return s.inner.Put(ctx, key, f, write)
	}
	return s.inner.Put(ctx, key, s.storedFormat(f), func(stored io.Writer) error {
		w := s.newWriter(ctx, stored)
		defer w.release() // also when write panics
		if err := write(w); err != nil {
			return err
		}
		return w.finish()
	})
}

func (s *Store) storedFormat(f dataexport.Format) dataexport.Format {
	f.MediaType = "application/" + string(s.format.coding())
	if f.Extension != "" {
		f.Extension += "."
	}
	f.Extension += s.format.extension()
	return f
}

// Open opens a blob as dataexport.BlobStore says, in whatever coding it is stored. Its Size is that of the content. It
// returns an ErrDamaged that names the key if the index does not fit the file; a Read returns one for a chunk. What was not
// stored by this package is returned as the inner store has it.
func (s *Store) Open(ctx context.Context, key string) (dataexport.Blob, error) {
	stored, err := s.inner.Open(ctx, key)
	if err != nil {
		return nil, err
	}
	b, err := s.open(key, stored)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("compressblob: open %q: %w", key, err), stored.Close())
	}
	return b, nil
}

// Delete removes a blob as dataexport.BlobStore says.
func (s *Store) Delete(ctx context.Context, key string) error { return s.inner.Delete(ctx, key) }

// DeleteUnfinished has the inner store do what dataexport.UnfinishedDeleter says. The error is errors.ErrUnsupported if that cannot.
func (s *Store) DeleteUnfinished(ctx context.Context, key string) error {
	inner, ok := s.inner.(dataexport.UnfinishedDeleter)
	if !ok {
		return fmt.Errorf("compressblob: deleting what is unfinished of %q: %w by the inner store", key, errors.ErrUnsupported)
	}
	return inner.DeleteUnfinished(ctx, key)
}

// List yields what the inner store has, as dataexport.BlobStore says. The Size of a blob is that of the stored file, not
// of its content, which is known only once it is opened.
func (s *Store) List(ctx context.Context, prefix string) iter.Seq2[dataexport.BlobInfo, error] {
	return s.inner.List(ctx, prefix)
}
