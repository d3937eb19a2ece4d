package blobtest

import (
	"errors"
	"io"
	"slices"
	"strings"
	"testing"

	"github.com/dataexport/dataexport"
)

func keyTests() map[string]func(*testing.T, dataexport.BlobStore) {
	return map[string]func(*testing.T, dataexport.BlobStore){
		"valid":                  testValidKeys,
		"invalid":                testInvalidKeys,
		"prefixes of no key":     testOddPrefixes,
		"differ in case":         testCase,
		"a blob and a directory": testBlobAndDirectory,
	}
}

func testValidKeys(t *testing.T, s dataexport.BlobStore) {
	valid := []string{
		"a", "0", "Z9", "...", "..a", "a..", ".hidden", "-", "--help", "_", "a.b-c_d", "1/2/3/4/5/6/7/8/9", "x/..y/.z",
		"con/nul.txt", "tmp.tmp/part", "0190f2b4-5c3a-7d11-8a52-3f4b5c6d7e8f/3",
		strings.Repeat("k", 200), strings.Repeat("d/", 99) + "dd", "long/" + strings.Repeat("l", 195),
	}
	for _, key := range valid {
		put(t, s, key, []byte(key))
	}
	slices.Sort(valid)
	if got := keys(t, s, ""); !slices.Equal(got, valid) {
		t.Errorf("List yields %q,\nwant %q", got, valid)
	}
	for _, key := range valid {
		wantBlob(t, s, key, []byte(key))
		if err := s.Delete(t.Context(), key); err != nil {
			t.Errorf("Delete %q: %v", key, err)
		}
	}
	wantEmpty(t, s)
}

func testInvalidKeys(t *testing.T, s dataexport.BlobStore) {
	put(t, s, "a/b", []byte("there"))
	for _, key := range []string{
		"", "/", ".", "..", "a/", "/a", "//a", "a//b", "a/.", "a/..", "a/./b", "a/../b", "../a", "a/b/..", "/etc/passwd",
		"../../etc/passwd", `a\b`, `..\a`, `C:\a`, "c:a", "a b", " a", "a ", "a\x00b", "a\nb", "a+b", "a~", "~", "a*", "a?b", "a%2fb",
		"a#b", "a@b", "é", "a/é", "日本", "a\u2215b", "\xff", "a/b\xc3", strings.Repeat("k", 201), strings.Repeat("k/", 100) + "k",
		strings.Repeat("k", 1<<20),
	} {
		called := false
		errPut := s.Put(t.Context(), key, format(), func(io.Writer) error { called = true; return nil })
		b, errOpen := s.Open(t.Context(), key)
		if errOpen == nil {
			_ = b.Close()
		}
		for method, err := range map[string]error{"Put": errPut, "Open": errOpen, "Delete": s.Delete(t.Context(), key)} {
			if !errors.Is(err, dataexport.ErrInvalid) {
				t.Errorf("%s of the key %.50q returns %v, want ErrInvalid", method, key, err)
			}
		}
		if called {
			t.Errorf("Put of the key %.50q calls write", key)
		}
	}
	wantBlob(t, s, "a/b", []byte("there"))
	wantAlone(t, s, "a/b")
}

// A prefix with which no key begins is no error, and it is no pattern and no path.
func testOddPrefixes(t *testing.T, s dataexport.BlobStore) {
	for _, key := range []string{"a", "a/b", "a/b/c", "aXb"} {
		put(t, s, key, []byte(key))
	}
	for _, prefix := range []string{
		"/", "//", "./", "../", "a//", "a/./", "a/../", "a/../a", "/a", "a/b//", `a\`, "*", "?", "a*", "a?b", "[a]", "%", "_", "a%",
		" ", "a ", "\x00", "a\x00", "\xff", "é", "+", "a+", "~", ".", "..", strings.Repeat("a", 201), strings.Repeat("a/", 200),
	} {
		if got := keys(t, s, prefix); len(got) > 0 {
			t.Errorf("List %.50q yields %q, want nothing", prefix, got)
		}
	}
}

func testCase(t *testing.T, s dataexport.BlobStore) {
	put(t, s, "job/a", []byte("lower"))
	put(t, s, "job/A", []byte("upper"))
	if len(keys(t, s, "")) == 1 {
		t.Skip("this storage does not tell upper case from lower")
	}
	wantBlob(t, s, "job/a", []byte("lower"))
	wantBlob(t, s, "job/A", []byte("upper"))
}

// A key may begin with another key and a '/', in whichever order they are put.
func testBlobAndDirectory(t *testing.T, s dataexport.BlobStore) {
	for _, order := range [][]string{{"job", "job/1", "job/1/2"}, {"job/1/2", "job/1", "job"}} {
		for _, key := range order {
			put(t, s, key, []byte(key))
		}
		for _, key := range order {
			wantBlob(t, s, key, []byte(key))
		}
		for i, key := range order {
			if err := s.Delete(t.Context(), key); err != nil {
				t.Errorf("Delete %q: %v", key, err)
			}
			for _, other := range order[i+1:] {
				wantBlob(t, s, other, []byte(other))
			}
		}
		wantEmpty(t, s)
	}
}
