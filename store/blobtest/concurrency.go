package blobtest

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"sync"
	"testing"

	"github.com/dataexport/dataexport"
)

func concurrencyTests() map[string]func(*testing.T, dataexport.BlobStore) {
	return map[string]func(*testing.T, dataexport.BlobStore){
		"puts of different keys":   testDifferentKeys,
		"puts of one key":          testOneKey,
		"nested puts of one key":   testNestedPuts,
		"puts and deletes":         testPutsAndDeletes,
		"puts and deletes one key": testPutsAndDeletesOneKey,
	}
}

const (
	workers = 8
	rounds  = 10
)

// inParallel calls work for each worker in a goroutine of its own and reports their errors.
func inParallel(t *testing.T, work func(worker int) error) {
	t.Helper()
	var group sync.WaitGroup
	for worker := range workers {
		group.Go(func() {
			if err := work(worker); err != nil {
				t.Errorf("worker %d: %v", worker, err)
			}
		})
	}
	group.Wait()
}

func testDifferentKeys(t *testing.T, s dataexport.BlobStore) {
	key := func(worker, round int) string { return fmt.Sprintf("job/%d/%d", worker, round) }
	inParallel(t, func(worker int) error {
		for round := range rounds {
			want := content(1000*worker+round, uint64(worker))
			if err := s.Put(t.Context(), key(worker, round), format(), writing(want)); err != nil {
				return err
			}
			got, err := readBlob(t, s, key(worker, round))
			if err != nil {
				return err
			}
			if !bytes.Equal(got, want) {
				return fmt.Errorf("%q does not have the content that was put", key(worker, round))
			}
		}
		return nil
	})
	if got := len(keys(t, s, "job/")); got != workers*rounds {
		t.Errorf("List yields %d blobs, want %d", got, workers*rounds)
	}
	for worker := range workers {
		wantBlob(t, s, key(worker, 3), content(1000*worker+3, uint64(worker)))
	}
}

func readBlob(t *testing.T, s dataexport.BlobStore, key string) (_ []byte, err error) {
	b, err := s.Open(t.Context(), key)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, b.Close()) }()
	return io.ReadAll(b)
}

// Each worker puts the same key again and again and reads it in between. What it reads is always one of the blobs, whole.
func testOneKey(t *testing.T, s dataexport.BlobStore) {
	blobs := make([][]byte, workers)
	for i := range blobs {
		blobs[i] = content(10_000+1000*i, uint64(i))
	}
	inParallel(t, func(worker int) error {
		for range rounds {
			if err := s.Put(t.Context(), "job/1", format(), writing(blobs[worker])); err != nil {
				return err
			}
			got, err := readBlob(t, s, "job/1")
			if err != nil {
				return err
			}
			if !oneOf(got, blobs) {
				return fmt.Errorf("a blob of %d bytes is none of those that were put", len(got))
			}
		}
		return nil
	})
	wantAlone(t, s, "job/1")
}

func oneOf(got []byte, blobs [][]byte) bool {
	for _, b := range blobs {
		if bytes.Equal(got, b) {
			return true
		}
	}
	return false
}

// Two Puts of a key overlap for certain: the one that ends last has the last word, and neither mixes with the other.
func testNestedPuts(t *testing.T, s dataexport.BlobStore) {
	outer, inner := content(9000, 1), content(7000, 2)
	err := s.Put(t.Context(), "job/1", format(), func(w io.Writer) error {
		if _, err := w.Write(outer[:5000]); err != nil {
			return err
		}
		put(t, s, "job/1", inner)
		wantBlob(t, s, "job/1", inner)
		_, err := w.Write(outer[5000:])
		return err
	})
	if err != nil {
		t.Fatalf("Put: %v", err)
	}
	wantBlob(t, s, "job/1", outer)
	wantAlone(t, s, "job/1")
}

// Keys that share what stands before the '/' come and go. A store that keeps them in a directory makes and removes it.
func testPutsAndDeletes(t *testing.T, s dataexport.BlobStore) {
	inParallel(t, func(worker int) error {
		key := fmt.Sprintf("job/part/%d", worker)
		for range rounds * 5 {
			if err := s.Put(t.Context(), key, format(), writing([]byte(key))); err != nil {
				return err
			}
			if got, err := readBlob(t, s, key); err != nil || string(got) != key {
				return fmt.Errorf("%q reads as %q, %w", key, got, err)
			}
			if err := s.Delete(t.Context(), key); err != nil {
				return err
			}
		}
		return nil
	})
	wantEmpty(t, s)
}

// A Delete may make the Puts of its key fail that are under way. It harms nothing else.
func testPutsAndDeletesOneKey(t *testing.T, s dataexport.BlobStore) {
	want := content(5000, 3)
	inParallel(t, func(worker int) error {
		for range rounds {
			if worker%2 == 0 {
				_ = s.Put(t.Context(), "job/1", format(), writing(want))
			} else if err := s.Delete(t.Context(), "job/1"); err != nil {
				return err
			}
			got, err := readBlob(t, s, "job/1")
			if err != nil && !errors.Is(err, dataexport.ErrNotFound) {
				return err
			}
			if err == nil && !bytes.Equal(got, want) {
				return fmt.Errorf("a blob of %d bytes is not the one that was put", len(got))
			}
		}
		return nil
	})
	if err := s.Delete(t.Context(), "job/1"); err != nil {
		t.Errorf("Delete: %v", err)
	}
	wantEmpty(t, s)
}
