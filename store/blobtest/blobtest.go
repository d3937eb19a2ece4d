// Package blobtest checks that a dataexport.BlobStore does all that its contract says. It needs the standard library only,
// so that an implementation outside this module can use it:
//
//	func TestStore(t *testing.T) {
//		blobtest.Run(t, func(t *testing.T) dataexport.BlobStore { return mystore.New(t.TempDir()) })
//	}
package blobtest

import (
	"bytes"
	"context"
	"errors"
	"io"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/dataexport/dataexport"
)

// An opener returns an empty store and, with t.Cleanup, sees to its end.
type opener = func(t *testing.T) dataexport.BlobStore

// Run checks a store, in subtests. The function open is called by each of them and returns a store that is empty and that
// no one else uses; t.Cleanup ends it. What a store may do or not, and this one does not, is a subtest that is skipped.
func Run(t *testing.T, open func(t *testing.T) dataexport.BlobStore) {
	for _, group := range []struct {
		name  string
		tests map[string]func(*testing.T, dataexport.BlobStore)
	}{
		{"put", putTests()},
		{"failure", failureTests()},
		{"concurrency", concurrencyTests()},
		{"read", readTests()},
		{"delete", deleteTests()},
		{"list", listTests()},
		{"keys", keyTests()},
	} {
		t.Run(group.name, func(t *testing.T) { runGroup(t, open, group.tests) })
	}
}

func runGroup(t *testing.T, open opener, tests map[string]func(*testing.T, dataexport.BlobStore)) {
	for _, name := range slices.Sorted(maps.Keys(tests)) {
		t.Run(name, func(t *testing.T) { tests[name](t, open(t)) })
	}
}

// format is what the tests say that their files are.
func format() dataexport.Format {
	return dataexport.Format{Name: "json", MediaType: "application/json", Extension: "json"}
}

// content returns n bytes that are the same for the same n and seed.
func content(n int, seed uint64) []byte {
	var key [32]byte
	for i := range 8 {
		key[i] = byte(seed >> (8 * i))
	}
	b := make([]byte, n)
	_, _ = rand.NewChaCha8(key).Read(b) // it never fails
	return b
}

// writing returns what Put is given to write b at once.
func writing(b []byte) func(io.Writer) error {
	return func(w io.Writer) error {
		_, err := w.Write(b)
		return err
	}
}

func put(t *testing.T, s dataexport.BlobStore, key string, b []byte) {
	t.Helper()
	if err := s.Put(t.Context(), key, format(), writing(b)); err != nil {
		t.Fatalf("Put %q: %v", key, err)
	}
}

func openBlob(t *testing.T, s dataexport.BlobStore, key string) dataexport.Blob {
	t.Helper()
	b, err := s.Open(t.Context(), key)
	if err != nil {
		t.Fatalf("Open %q: %v", key, err)
	}
	return b
}

func closeBlob(t *testing.T, b dataexport.Blob) {
	t.Helper()
	if err := b.Close(); err != nil {
		t.Errorf("Close: %v", err)
	}
}

// wantBlob checks that a blob is there, with this content and size.
func wantBlob(t *testing.T, s dataexport.BlobStore, key string, want []byte) {
	t.Helper()
	b := openBlob(t, s, key)
	defer closeBlob(t, b)
	if b.Size() != int64(len(want)) {
		t.Errorf("%q has the size %d, want %d", key, b.Size(), len(want))
	}
	got, err := io.ReadAll(b)
	if err != nil {
		t.Fatalf("read %q: %v", key, err)
	}
	if !bytes.Equal(got, want) {
		t.Fatalf("%q reads as %d bytes, %.40q, want %d bytes, %.40q", key, len(got), got, len(want), want)
	}
}

// wantNoBlob checks that there is no blob under the key.
func wantNoBlob(t *testing.T, s dataexport.BlobStore, key string) {
	t.Helper()
	b, err := s.Open(t.Context(), key)
	if err == nil {
		_ = b.Close()
	}
	if !errors.Is(err, dataexport.ErrNotFound) {
		t.Errorf("Open %q returns %v, want ErrNotFound", key, err)
	}
}

// list returns all that List yields, which must be no error.
func list(ctx context.Context, t *testing.T, s dataexport.BlobStore, prefix string) (infos []dataexport.BlobInfo) {
	t.Helper()
	for info, err := range s.List(ctx, prefix) {
		if err != nil {
			t.Fatalf("List %q: %v", prefix, err)
		}
		infos = append(infos, info)
	}
	return infos
}

// keys returns the keys of the blobs that List yields, without the unfinished ones.
func keys(t *testing.T, s dataexport.BlobStore, prefix string) []string {
	t.Helper()
	found := []string{}
	for _, info := range list(t.Context(), t, s, prefix) {
		if !info.Unfinished {
			found = append(found, info.Key)
		}
	}
	return found
}

// wantEmpty checks that nothing at all is in the store, unfinished or not.
func wantEmpty(t *testing.T, s dataexport.BlobStore) {
	t.Helper()
	if infos := list(t.Context(), t, s, ""); len(infos) > 0 {
		t.Errorf("the store has %+v, want nothing", infos)
	}
}
