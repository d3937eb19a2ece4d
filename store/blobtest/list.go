package blobtest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"testing"
	"time"

	"github.com/dataexport/dataexport"
)

func listTests() map[string]func(*testing.T, dataexport.BlobStore) {
	return map[string]func(*testing.T, dataexport.BlobStore){
		"empty store":       testListEmpty,
		"infos":             testListInfos,
		"order":             testListOrder,
		"prefix":            testListPrefix,
		"many":              testListMany,
		"early stop":        testListEarlyStop,
		"iterated twice":    testListTwice,
		"unfinished":        testListUnfinished,
		"cancelled before":  testListCancelledBefore,
		"cancelled during":  testListCancelledDuring,
		"put while listing": testPutWhileListing,
	}
}

func testListEmpty(t *testing.T, s dataexport.BlobStore) {
	wantEmpty(t, s)
	if got := keys(t, s, "job/"); len(got) > 0 {
		t.Errorf("List yields %q, want nothing", got)
	}
}

func testListInfos(t *testing.T, s dataexport.BlobStore) {
	put(t, s, "job/1", content(1234, 1))
	put(t, s, "job/2", nil)
	infos := list(t.Context(), t, s, "job/")
	if len(infos) != 2 {
		t.Fatalf("List yields %+v, want two blobs", infos)
	}
	for i, want := range []dataexport.BlobInfo{{Key: "job/1", Size: 1234}, {Key: "job/2", Size: 0}} {
		got := infos[i]
		// The clock of a storage may be another than ours, but not by much.
		if age := time.Since(got.ModTime).Abs(); age > 24*time.Hour {
			t.Errorf("%q has the time %v, want about now", got.Key, got.ModTime)
		}
		got.ModTime = time.Time{}
		if got != want {
			t.Errorf("List yields %+v, want %+v", got, want)
		}
	}
}

// awkwardKeys are in ascending order, which is not that of a walk through directories: '-' and '.' come before '/', and
// what is both a blob and the beginning of others comes first.
func awkwardKeys() []string {
	return []string{
		"-", ".a", "0", "A", "_", "a", "a-b", "a-b/1", "a.b", "a.b/c", "a/1", "a/10", "a/1/x", "a/2", "a0", "a0/1", "aa", "b",
	}
}

func testListOrder(t *testing.T, s dataexport.BlobStore) {
	// "a" and "A" are not both in here: storage in a file system without case would take them for one.
	all := slices.DeleteFunc(awkwardKeys(), func(key string) bool { return key == "A" })
	slices.Sort(all)
	for i := range all {
		put(t, s, all[(i*7+3)%len(all)], []byte("x")) // in any other order; 7 and 17 have no common divisor
	}
	if got := keys(t, s, ""); !slices.Equal(got, all) {
		t.Errorf("List yields %q,\nwant %q", got, all)
	}
}

func testListPrefix(t *testing.T, s dataexport.BlobStore) {
	all := []string{"a", "a-b", "a/.x", "a/1", "a/1/x", "a/10", "a/2", "aa", "b/1/2/3"}
	slices.Sort(all)
	for _, key := range all {
		put(t, s, key, []byte(key))
	}
	for prefix, want := range map[string][]string{
		"":           all,
		"a":          {"a", "a-b", "a/.x", "a/1", "a/1/x", "a/10", "a/2", "aa"},
		"a/":         {"a/.x", "a/1", "a/1/x", "a/10", "a/2"},
		"a/1":        {"a/1", "a/1/x", "a/10"},
		"a/1/":       {"a/1/x"},
		"a/10":       {"a/10"},
		"a/.":        {"a/.x"},
		"a-":         {"a-b"},
		"aa":         {"aa"},
		"aa/":        {},
		"aaa":        {},
		"b":          {"b/1/2/3"},
		"b/1/":       {"b/1/2/3"},
		"b/1/2/3":    {"b/1/2/3"},
		"b/1/2/3/":   {},
		"b/1/2/33":   {},
		"c":          {},
		"A":          {},
		"1":          {},
		"missing/at": {},
	} {
		if got := keys(t, s, prefix); !slices.Equal(got, want) {
			t.Errorf("List %q yields %q, want %q", prefix, got, want)
		}
	}
}

// More blobs than a page of S3 has (1000).
func testListMany(t *testing.T, s dataexport.BlobStore) {
	if testing.Short() {
		t.Skip("many blobs, not with -short")
	}
	const jobs, versions = 55, 20
	inParallel(t, func(worker int) error {
		for job := worker; job < jobs; job += workers {
			for version := range versions {
				key := fmt.Sprintf("job%d/%d", job, version)
				if err := s.Put(t.Context(), key, format(), writing([]byte(key))); err != nil {
					return err
				}
			}
		}
		return nil
	})
	got := keys(t, s, "")
	if len(got) != jobs*versions || !slices.IsSorted(got) || len(slices.Compact(slices.Clone(got))) != len(got) {
		t.Errorf("List yields %d blobs, sorted: %v, want %d different ones in order", len(got), slices.IsSorted(got), jobs*versions)
	}
	if got := len(keys(t, s, "job1/")); got != versions {
		t.Errorf("List %q yields %d blobs, want %d", "job1/", got, versions)
	}
}

// A loop that is left early ends without a panic, and the store goes on.
func testListEarlyStop(t *testing.T, s dataexport.BlobStore) {
	for _, key := range awkwardKeys() {
		put(t, s, key, []byte("x"))
	}
	for stop := 1; stop < 5; stop++ {
		seen := 0
		for _, err := range s.List(t.Context(), "") {
			if err != nil {
				t.Fatalf("List: %v", err)
			}
			if seen++; seen == stop {
				break
			}
		}
		if seen != stop {
			t.Errorf("the loop has seen %d blobs, want %d", seen, stop)
		}
	}
	put(t, s, "z", []byte("x"))
	wantBlob(t, s, "z", []byte("x"))
}

func testListTwice(t *testing.T, s dataexport.BlobStore) {
	put(t, s, "job/1", []byte("one"))
	sequence := s.List(t.Context(), "job/")
	for range 2 {
		seen := 0
		for info, err := range sequence {
			if err != nil || info.Key != "job/1" {
				t.Errorf("List yields %+v, %v, want job/1", info, err)
			}
			seen++
		}
		if seen != 1 {
			t.Errorf("the loop has seen %d blobs, want 1", seen)
		}
	}
}

// What is unfinished need not be in the list, for some storage does not show it; but as a blob it must not be.
func testListUnfinished(t *testing.T, s dataexport.BlobStore) {
	put(t, s, "job/1", content(10, 2))
	seen := false
	err := s.Put(t.Context(), "job/2", format(), func(w io.Writer) error {
		_, err := w.Write(content(100_000, 3))
		for _, info := range list(t.Context(), t, s, "job/") {
			seen = seen || info.Key == "job/2"
			if info.Unfinished != (info.Key == "job/2") {
				t.Errorf("List yields %+v during a Put of job/2", info)
			}
		}
		for _, info := range list(t.Context(), t, s, "job/1") {
			if info.Key != "job/1" {
				t.Errorf("List %q yields %+v", "job/1", info)
			}
		}
		return err
	})
	if err != nil {
		t.Fatalf("Put: %v", err)
	}
	if got := keys(t, s, ""); !slices.Equal(got, []string{"job/1", "job/2"}) {
		t.Errorf("List yields %q after the Put, want job/1 and job/2", got)
	}
	if !seen {
		t.Skip("this storage does not list what is unfinished")
	}
}

func testListCancelledBefore(t *testing.T, s dataexport.BlobStore) {
	put(t, s, "job/1", []byte("one"))
	var errs []error
	for info, err := range s.List(cancelled(t), "") {
		if err == nil {
			t.Errorf("List yields %+v", info)
		}
		errs = append(errs, err)
	}
	if len(errs) != 1 || !errors.Is(errs[0], errCancel) {
		t.Errorf("List yields the errors %v, want the cause of the context once", errs)
	}
}

// After the end of the context comes its cause, if not all blobs have come, and after an error comes nothing.
func testListCancelledDuring(t *testing.T, s dataexport.BlobStore) {
	all := awkwardKeys()
	for _, key := range all {
		put(t, s, key, []byte("x"))
	}
	ctx, cancel := context.WithCancelCause(t.Context())
	defer cancel(nil)
	seen := 0
	var failure error
	for _, err := range s.List(ctx, "") {
		if failure != nil {
			t.Fatal("List goes on after an error")
		}
		if failure = err; err == nil {
			seen++
		}
		cancel(errCancel)
	}
	if failure != nil || seen < len(all)-1 { // one less where "a" and "A" are the same
		wantCancelled(t, failure)
	}
}

// A store that holds a lock while it lists would wait for itself here.
func testPutWhileListing(t *testing.T, s dataexport.BlobStore) {
	put(t, s, "a", []byte("x"))
	put(t, s, "b", []byte("x"))
	var got []string
	for info, err := range s.List(t.Context(), "") {
		if err != nil {
			t.Fatalf("List: %v", err)
		}
		got = append(got, info.Key)
		put(t, s, "a", []byte("new"))
		put(t, s, "0/1", []byte("new"))
		wantBlob(t, s, "b", []byte("x"))
	}
	got = slices.DeleteFunc(got, func(key string) bool { return key == "0/1" })
	if !slices.Equal(got, []string{"a", "b"}) {
		t.Errorf("List yields %q, want a and b", got)
	}
}
