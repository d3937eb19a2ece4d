package blobtest

import (
	"bytes"
	"io"
	"testing"
	"testing/iotest"

	"github.com/dataexport/dataexport"
)

func readTests() map[string]func(*testing.T, dataexport.BlobStore) {
	return map[string]func(*testing.T, dataexport.BlobStore){
		"not found":                 testNotFound,
		"reader":                    testReader,
		"seek":                      testSeek,
		"ranges":                    testRanges,
		"two readers of one blob":   testTwoReaders,
		"opened, then deleted":      testOpenedThenDeleted,
		"opened, then put anew":     testOpenedThenReplaced,
		"size after reading":        testSizeAfterReading,
		"content is not the reader": testContentIsPrivate,
	}
}

func testNotFound(t *testing.T, s dataexport.BlobStore) {
	wantNoBlob(t, s, "job/1")
	put(t, s, "job/1", []byte("one"))
	for _, key := range []string{"job", "job/2", "job/11", "job/1/1", "jo", "ob/1", "job/1.json"} {
		wantNoBlob(t, s, key)
	}
}

// testing/iotest knows what a reader that can seek must do.
func testReader(t *testing.T, s dataexport.BlobStore) {
	for _, size := range []int{0, 1, 5000} {
		want := content(size, 1)
		put(t, s, "job/1", want)
		b := openBlob(t, s, "job/1")
		if err := iotest.TestReader(b, want); err != nil {
			t.Errorf("a blob of %d bytes: %v", size, err)
		}
		closeBlob(t, b)
	}
}

func testSeek(t *testing.T, s dataexport.BlobStore) {
	want := content(1000, 2)
	put(t, s, "job/1", want)
	b := openBlob(t, s, "job/1")
	defer closeBlob(t, b)
	for _, step := range []struct {
		offset   int64
		whence   int
		position int64
	}{
		{0, io.SeekEnd, 1000}, {0, io.SeekStart, 0}, {500, io.SeekCurrent, 500}, {-100, io.SeekEnd, 900},
		{-900, io.SeekCurrent, 0}, {999, io.SeekStart, 999},
	} {
		position, err := b.Seek(step.offset, step.whence)
		if err != nil || position != step.position {
			t.Errorf("Seek(%d, %d) returns %d, %v, want %d", step.offset, step.whence, position, err, step.position)
		}
	}
	if rest, err := io.ReadAll(b); err != nil || !bytes.Equal(rest, want[999:]) {
		t.Errorf("the last byte reads as %x, %v, want %x", rest, err, want[999:])
	}
	if _, err := b.Seek(-1, io.SeekStart); err == nil {
		t.Error("Seek to before the first byte returns no error")
	}
}

// Ranges from everywhere in a file that is larger than what a store reads at once, as a resumed download asks for them.
func testRanges(t *testing.T, s dataexport.BlobStore) {
	want := content(3<<20+17, 3)
	put(t, s, "job/1", want)
	b := openBlob(t, s, "job/1")
	defer closeBlob(t, b)
	size := int64(len(want))
	for _, r := range []struct{ offset, length int64 }{
		{0, 1}, {size - 1, 1}, {1 << 20, 1 << 20}, {12345, 1 << 17}, {size - 4097, 4097}, {0, size}, {4096, 0}, {7, 9},
	} {
		if _, err := b.Seek(r.offset, io.SeekStart); err != nil {
			t.Fatalf("Seek to %d: %v", r.offset, err)
		}
		got := make([]byte, r.length)
		if _, err := io.ReadFull(b, got); err != nil {
			t.Fatalf("read %d bytes from %d: %v", r.length, r.offset, err)
		}
		if !bytes.Equal(got, want[r.offset:r.offset+r.length]) {
			t.Errorf("the %d bytes from %d are not those that were put", r.length, r.offset)
		}
	}
}

func testTwoReaders(t *testing.T, s dataexport.BlobStore) {
	want := content(1000, 4)
	put(t, s, "job/1", want)
	first, second := openBlob(t, s, "job/1"), openBlob(t, s, "job/1")
	defer closeBlob(t, second)
	if _, err := first.Seek(900, io.SeekStart); err != nil {
		t.Fatalf("Seek: %v", err)
	}
	closeBlob(t, first)
	if got, err := io.ReadAll(second); err != nil || !bytes.Equal(got, want) {
		t.Errorf("the second reader reads %d bytes, %v, want all %d", len(got), err, len(want))
	}
}

// Not every storage can go on reading what is deleted. One that cannot returns an error; it does not return other bytes.
func testOpenedThenDeleted(t *testing.T, s dataexport.BlobStore) {
	testOpenedThen(t, s, func() {
		if err := s.Delete(t.Context(), "job/1"); err != nil {
			t.Errorf("Delete of a blob that is open: %v", err)
		}
		wantNoBlob(t, s, "job/1")
	})
}

func testOpenedThenReplaced(t *testing.T, s dataexport.BlobStore) {
	after := content(4<<20, 6)
	testOpenedThen(t, s, func() { put(t, s, "job/1", after) })
	wantBlob(t, s, "job/1", after)
}

func testOpenedThen(t *testing.T, s dataexport.BlobStore, change func()) {
	want := content(4<<20, 5)
	put(t, s, "job/1", want)
	b := openBlob(t, s, "job/1")
	defer func() { _ = b.Close() }() // it may fail for the same reason as the reading
	got := make([]byte, 1000)
	if _, err := io.ReadFull(b, got); err != nil {
		t.Fatalf("read the first bytes: %v", err)
	}
	change()
	rest, err := io.ReadAll(b)
	got = append(got, rest...)
	if !bytes.HasPrefix(want, got) {
		t.Fatalf("what is read after the change is not what was opened")
	}
	if err != nil {
		t.Skipf("this storage does not read on to the end: %v", err)
	}
	if len(got) != len(want) {
		t.Errorf("the blob ends after %d of %d bytes without an error", len(got), len(want))
	}
}

func testSizeAfterReading(t *testing.T, s dataexport.BlobStore) {
	put(t, s, "job/1", content(1000, 7))
	b := openBlob(t, s, "job/1")
	defer closeBlob(t, b)
	if _, err := io.ReadAll(b); err != nil {
		t.Fatalf("read: %v", err)
	}
	if b.Size() != 1000 {
		t.Errorf("the size is %d once all is read, want 1000", b.Size())
	}
}

// A reader that scribbles on the buffer that it has read into does not change the blob.
func testContentIsPrivate(t *testing.T, s dataexport.BlobStore) {
	want := content(1000, 8)
	put(t, s, "job/1", want)
	got, err := readBlob(t, s, "job/1")
	if err != nil {
		t.Fatalf("read: %v", err)
	}
	clear(got)
	wantBlob(t, s, "job/1", want)
}
