// Package memblob keeps the files of exports in memory, for tests and for programs whose exports need not outlive them.
package memblob

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"io"
	"iter"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/dataexport/dataexport"
)

// A Store is a dataexport.BlobStore in memory. It holds every blob whole and has no bound of its own. Its methods are safe
// for concurrent use.
type Store struct {
	mu      sync.Mutex
	blobs   map[string]stored
	uploads map[*upload]struct{} // the Puts under way
}

type stored struct {
	content []byte // never changed
	modTime time.Time
}

var _ dataexport.BlobStore = (*Store)(nil)

// New returns an empty store.
func New() *Store {
	return &Store{blobs: make(map[string]stored), uploads: make(map[*upload]struct{})}
}

// Put stores a blob as dataexport.BlobStore says. If the key is deleted while write runs, Put stores nothing and returns
// an error. The format is not kept.
func (s *Store) Put(ctx context.Context, key string, _ dataexport.Format, write func(io.Writer) error) error {
	if err := checkKey(key); err != nil {
		return err
	}
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	u := s.begin(ctx, key)
	defer s.abandon(u) // also when write panics
	if err := write(u); err != nil {
		return err
	}
	return s.commit(ctx, u)
}

func (s *Store) begin(ctx context.Context, key string) *upload {
	u := &upload{ctx: ctx, key: key, modTime: now()}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.uploads[u] = struct{}{}
	return u
}

func (s *Store) commit(ctx context.Context, u *upload) error {
	content, err := u.finish()
	if err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if _, ok := s.uploads[u]; !ok {
		return fmt.Errorf("memblob: put %q: the key was deleted while it was written; put it again if it is still wanted", u.key)
	}
	s.blobs[u.key] = stored{content: content, modTime: now()}
	return nil
}

func (s *Store) abandon(u *upload) {
	u.close()
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.uploads, u)
}

// Open opens a blob as dataexport.BlobStore says. It can be read to its end even if it is deleted or put anew.
func (s *Store) Open(ctx context.Context, key string) (dataexport.Blob, error) {
	if err := checkKey(key); err != nil {
		return nil, err
	}
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	b, ok := s.blobs[key]
	if !ok {
		return nil, fmt.Errorf("memblob: open %q: %w", key, dataexport.ErrNotFound)
	}
	return &reader{Reader: bytes.NewReader(b.content)}, nil
}

// Delete removes a blob as dataexport.BlobStore says, and makes the Puts of the key that are under way fail.
func (s *Store) Delete(ctx context.Context, key string) error {
	if err := checkKey(key); err != nil {
		return err
	}
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.blobs, key)
	for u := range s.uploads {
		if u.key == key {
			delete(s.uploads, u)
		}
	}
	return nil
}

// List yields the blobs as dataexport.BlobStore says: those that are there when the iteration starts. Of one key the blob
// comes before the unfinished ones. An error is the last that it yields.
func (s *Store) List(ctx context.Context, prefix string) iter.Seq2[dataexport.BlobInfo, error] {
	return func(yield func(dataexport.BlobInfo, error) bool) {
		for _, info := range s.infos(prefix) {
			if ctx.Err() != nil {
				break
			}
			if !yield(info, nil) {
				return
			}
		}
		if ctx.Err() != nil {
			yield(dataexport.BlobInfo{}, context.Cause(ctx))
		}
	}
}

func (s *Store) infos(prefix string) []dataexport.BlobInfo {
	s.mu.Lock()
	defer s.mu.Unlock()
	var infos []dataexport.BlobInfo
	for key, b := range s.blobs {
		if strings.HasPrefix(key, prefix) {
			infos = append(infos, dataexport.BlobInfo{Key: key, Size: int64(len(b.content)), ModTime: b.modTime})
		}
	}
	for u := range s.uploads {
		if strings.HasPrefix(u.key, prefix) {
			infos = append(infos, u.info())
		}
	}
	slices.SortFunc(infos, func(a, b dataexport.BlobInfo) int {
		return cmp.Or(cmp.Compare(a.Key, b.Key), compareBool(a.Unfinished, b.Unfinished), a.ModTime.Compare(b.ModTime))
	})
	return infos
}

func compareBool(a, b bool) int {
	switch {
	case a == b:
		return 0
	case b:
		return -1
	default:
		return 1
	}
}

func checkKey(key string) error {
	if !dataexport.ValidBlobKey(key) {
		return fmt.Errorf("memblob: %w: the key %.250q is not what dataexport.ValidBlobKey asks for", dataexport.ErrInvalid, key)
	}
	return nil
}

func now() time.Time { return time.Now().UTC() }
