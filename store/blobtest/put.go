package blobtest

import (
	"io"
	"testing"

	"github.com/dataexport/dataexport"
)

func putTests() map[string]func(*testing.T, dataexport.BlobStore) {
	return map[string]func(*testing.T, dataexport.BlobStore){
		"empty":                     testEmpty,
		"one byte":                  func(t *testing.T, s dataexport.BlobStore) { testRoundTrip(t, s, 1) },
		"one mebibyte":              func(t *testing.T, s dataexport.BlobStore) { testRoundTrip(t, s, 1<<20) },
		"odd pieces":                testOddPieces,
		"large file":                testLargeFile,
		"borrowed buffer":           testBorrowedBuffer,
		"replaces the blob":         testReplace,
		"invisible until committed": testInvisible,
		"old blob until committed":  testOldBlobUntilCommitted,
	}
}

func testEmpty(t *testing.T, s dataexport.BlobStore) {
	if err := s.Put(t.Context(), "job/1", format(), func(io.Writer) error { return nil }); err != nil {
		t.Fatalf("Put of a blob that nothing is written to: %v", err)
	}
	wantBlob(t, s, "job/1", nil)
	testRoundTrip(t, s, 0)
}

func testRoundTrip(t *testing.T, s dataexport.BlobStore, size int) {
	want := content(size, 1)
	put(t, s, "job/1", want)
	wantBlob(t, s, "job/1", want)
	wantBlob(t, s, "job/1", want) // it can be read more than once
}

// Pieces of all sizes, none as large as the buffer of anything, make one blob.
func testOddPieces(t *testing.T, s dataexport.BlobStore) {
	want := content(300_000, 2)
	writePieces(t, s, want, func(i int) int { return i*37%4099 + 1 })
}

// A file that is larger than one part of a multipart upload (5 MiB at least with S3), and no multiple of anything.
func testLargeFile(t *testing.T, s dataexport.BlobStore) {
	want := content(17<<20+12_345, 3)
	writePieces(t, s, want, func(i int) int { return i*65_537%1_000_003 + 1 })
}

func writePieces(t *testing.T, s dataexport.BlobStore, want []byte, size func(i int) int) {
	t.Helper()
	err := s.Put(t.Context(), "job/1", format(), func(w io.Writer) error {
		rest := want
		for i := 0; len(rest) > 0; i++ {
			n := min(size(i), len(rest))
			written, err := w.Write(rest[:n])
			if err != nil {
				return err
			}
			if written != n {
				t.Errorf("Write of %d bytes returns %d", n, written)
			}
			rest = rest[n:]
		}
		return nil
	})
	if err != nil {
		t.Fatalf("Put: %v", err)
	}
	wantBlob(t, s, "job/1", want)
}

// What is written belongs to the caller again once Write has returned (io.Writer).
func testBorrowedBuffer(t *testing.T, s dataexport.BlobStore) {
	want := content(100_000, 4)
	err := s.Put(t.Context(), "job/1", format(), func(w io.Writer) error {
		buffer := make([]byte, 1000)
		for i := 0; i < len(want); i += len(buffer) {
			copy(buffer, want[i:])
			if _, err := w.Write(buffer); err != nil {
				return err
			}
			clear(buffer)
		}
		return nil
	})
	if err != nil {
		t.Fatalf("Put: %v", err)
	}
	wantBlob(t, s, "job/1", want)
}

func testReplace(t *testing.T, s dataexport.BlobStore) {
	for _, size := range []int{1000, 10, 0, 5000} {
		want := content(size, uint64(size))
		put(t, s, "job/1", want)
		wantBlob(t, s, "job/1", want)
		infos := list(t.Context(), t, s, "")
		if len(infos) != 1 || infos[0].Size != int64(size) || infos[0].Unfinished {
			t.Fatalf("List yields %+v, want one blob of %d bytes", infos, size)
		}
	}
}

func testInvisible(t *testing.T, s dataexport.BlobStore) {
	want := content(200_000, 5)
	err := s.Put(t.Context(), "job/1", format(), func(w io.Writer) error {
		if _, err := w.Write(want[:100_000]); err != nil {
			return err
		}
		wantNoBlob(t, s, "job/1")
		wantOnlyUnfinished(t, s, "job/1")
		_, err := w.Write(want[100_000:])
		wantNoBlob(t, s, "job/1")
		return err
	})
	if err != nil {
		t.Fatalf("Put: %v", err)
	}
	wantBlob(t, s, "job/1", want)
	if infos := list(t.Context(), t, s, ""); len(infos) != 1 || infos[0].Unfinished {
		t.Errorf("List yields %+v after the Put, want the blob alone", infos)
	}
}

// wantOnlyUnfinished checks that List yields nothing but what Puts of the key under way have written so far, if that.
func wantOnlyUnfinished(t *testing.T, s dataexport.BlobStore, key string) {
	t.Helper()
	for _, info := range list(t.Context(), t, s, "") {
		if !info.Unfinished || info.Key != key {
			t.Errorf("List yields %+v, want nothing but what is unfinished of %q", info, key)
		}
	}
}

func testOldBlobUntilCommitted(t *testing.T, s dataexport.BlobStore) {
	before, after := content(5000, 6), content(6000, 7)
	put(t, s, "job/1", before)
	err := s.Put(t.Context(), "job/1", format(), func(w io.Writer) error {
		_, err := w.Write(after)
		wantBlob(t, s, "job/1", before)
		if got := keys(t, s, ""); len(got) != 1 {
			t.Errorf("List yields the blobs %q, want the old one", got)
		}
		return err
	})
	if err != nil {
		t.Fatalf("Put: %v", err)
	}
	wantBlob(t, s, "job/1", after)
}
