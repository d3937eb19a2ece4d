package blobtest

import (
	"io"
	"testing"

	"github.com/dataexport/dataexport"
)

func deleteTests() map[string]func(*testing.T, dataexport.BlobStore) {
	return map[string]func(*testing.T, dataexport.BlobStore){
		"removes the blob":     testDelete,
		"nothing there":        testDeleteNothing,
		"only its key":         testDeleteOnlyItsKey,
		"put again":            testPutAfterDelete,
		"of an unfinished Put": testDeleteUnfinished,
		"in a loop over List":  testDeleteWhileListing,
	}
}

func testDelete(t *testing.T, s dataexport.BlobStore) {
	put(t, s, "job/1", content(1000, 1))
	if err := s.Delete(t.Context(), "job/1"); err != nil {
		t.Errorf("Delete: %v", err)
	}
	wantNoBlob(t, s, "job/1")
	wantEmpty(t, s)
	if err := s.Delete(t.Context(), "job/1"); err != nil {
		t.Errorf("the second Delete: %v", err)
	}
}

func testDeleteNothing(t *testing.T, s dataexport.BlobStore) {
	for _, key := range []string{"job", "job/1", "a/b/c/d"} {
		if err := s.Delete(t.Context(), key); err != nil {
			t.Errorf("Delete of %q, which is not there: %v", key, err)
		}
	}
	wantEmpty(t, s)
}

func testDeleteOnlyItsKey(t *testing.T, s dataexport.BlobStore) {
	others := []string{"job", "job/1", "job/10", "job/1/1", "job/1.", "job/1-", "job/2"}
	for _, key := range others {
		put(t, s, key, []byte(key))
	}
	for i, key := range others {
		if err := s.Delete(t.Context(), key); err != nil {
			t.Errorf("Delete %q: %v", key, err)
		}
		wantNoBlob(t, s, key)
		for _, other := range others[i+1:] {
			wantBlob(t, s, other, []byte(other))
		}
	}
	wantEmpty(t, s)
}

func testPutAfterDelete(t *testing.T, s dataexport.BlobStore) {
	for i := range 3 {
		want := content(100, uint64(i))
		put(t, s, "job/1", want)
		wantBlob(t, s, "job/1", want)
		if err := s.Delete(t.Context(), "job/1"); err != nil {
			t.Errorf("Delete: %v", err)
		}
	}
	wantEmpty(t, s)
}

// Delete while a Put of the key is under way, which then either fails or stores the whole blob.
func testDeleteUnfinished(t *testing.T, s dataexport.BlobStore) {
	want := content(200_000, 2)
	err := s.Put(t.Context(), "job/1", format(), func(w io.Writer) error {
		if _, err := w.Write(want[:100_000]); err != nil {
			return err
		}
		if err := s.Delete(t.Context(), "job/1"); err != nil {
			t.Errorf("Delete during a Put: %v", err)
		}
		wantNoBlob(t, s, "job/1")
		_, err := w.Write(want[100_000:])
		return err
	})
	if err != nil {
		wantNoBlob(t, s, "job/1")
		wantEmpty(t, s)
		return
	}
	wantBlob(t, s, "job/1", want)
	wantAlone(t, s, "job/1")
}

// What a sweep does.
func testDeleteWhileListing(t *testing.T, s dataexport.BlobStore) {
	for _, key := range []string{"a", "a/1", "a/2", "b/1", "b/c/1", "d"} {
		put(t, s, key, []byte(key))
	}
	for info, err := range s.List(t.Context(), "") {
		if err != nil {
			t.Fatalf("List: %v", err)
		}
		if err := s.Delete(t.Context(), info.Key); err != nil {
			t.Errorf("Delete %q: %v", info.Key, err)
		}
	}
	wantEmpty(t, s)
}
