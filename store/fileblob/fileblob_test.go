package fileblob_test

import (
	"errors"
	"io"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dataexport/dataexport"
	"github.com/dataexport/dataexport/store/blobtest"
	"github.com/dataexport/dataexport/store/fileblob"
)

func TestStore(t *testing.T) {
	blobtest.Run(t, func(t *testing.T) dataexport.BlobStore { return newStore(t, t.TempDir()) })
}

func newStore(t *testing.T, dir string) *fileblob.Store {
	t.Helper()
	s, err := fileblob.New(dir)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.Close()) })
	return s
}

func text(s string) func(io.Writer) error {
	return func(w io.Writer) error {
		_, err := io.WriteString(w, s)
		return err
	}
}

func put(t *testing.T, s *fileblob.Store, key, content string) {
	t.Helper()
	require.NoError(t, s.Put(t.Context(), key, dataexport.Format{}, text(content)))
}

func read(t *testing.T, s *fileblob.Store, key string) string {
	t.Helper()
	b, err := s.Open(t.Context(), key)
	require.NoError(t, err)
	defer func() { assert.NoError(t, b.Close()) }()
	content, err := io.ReadAll(b)
	require.NoError(t, err)
	return string(content)
}

func list(t *testing.T, s *fileblob.Store, prefix string) (infos []dataexport.BlobInfo) {
	t.Helper()
	for info, err := range s.List(t.Context(), prefix) {
		require.NoError(t, err)
		infos = append(infos, info)
	}
	return infos
}

// tree returns all paths under a directory, with a '/' after those of directories.
func tree(t *testing.T, dir string) []string {
	t.Helper()
	paths := []string{}
	require.NoError(t, filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		name := filepath.ToSlash(strings.TrimPrefix(strings.TrimPrefix(path, dir), string(filepath.Separator)))
		if d.IsDir() {
			name += "/"
		}
		if name != "/" {
			paths = append(paths, name)
		}
		return err
	}))
	return paths
}

func writeFile(t *testing.T, content string, path ...string) {
	t.Helper()
	name := filepath.Join(path...)
	require.NoError(t, os.MkdirAll(filepath.Dir(name), 0o700))
	require.NoError(t, os.WriteFile(name, []byte(content), 0o600))
}

func TestNewMakesDirectory(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "a", "b", "exports")
	put(t, newStore(t, dir), "job/1", "one")
	again := newStore(t, dir)
	assert.Equal(t, "one", read(t, again, "job/1"))
	assert.Equal(t, []string{"job/", "job/1+blob"}, tree(t, dir))
}

func TestNewRefuses(t *testing.T) {
	_, err := fileblob.New("")
	require.ErrorIs(t, err, dataexport.ErrInvalid)

	base := t.TempDir()
	writeFile(t, "a file", base, "file")
	for _, dir := range []string{filepath.Join(base, "file"), filepath.Join(base, "file", "below")} {
		_, err = fileblob.New(dir)
		require.Error(t, err, dir)
		assert.Contains(t, err.Error(), "file")
	}
	assert.Equal(t, []string{"file"}, tree(t, base))
}

func TestClosed(t *testing.T) {
	s, err := fileblob.New(t.TempDir())
	require.NoError(t, err)
	put(t, s, "job/1", "one")
	b, err := s.Open(t.Context(), "job/1")
	require.NoError(t, err)
	require.NoError(t, s.Close())

	content, err := io.ReadAll(b)
	require.NoError(t, err, "a blob that is open stays so")
	assert.Equal(t, "one", string(content))
	require.NoError(t, b.Close())

	require.ErrorIs(t, s.Put(t.Context(), "job/2", dataexport.Format{}, text("two")), os.ErrClosed)
	_, err = s.Open(t.Context(), "job/1")
	require.ErrorIs(t, err, os.ErrClosed)
	require.ErrorIs(t, s.Delete(t.Context(), "job/1"), os.ErrClosed)
	for _, err := range s.List(t.Context(), "") {
		require.ErrorIs(t, err, os.ErrClosed)
	}
}

func TestLeftoversAreListedAndDeleted(t *testing.T) {
	dir := t.TempDir()
	s := newStore(t, dir)
	put(t, s, "job/3", "three")
	writeFile(t, "half", dir, "job", "3+part-AAAA")
	writeFile(t, "other half", dir, "job", "3+part-BBBB")
	writeFile(t, "another's", dir, "job", "33+part-CCCC")
	writeFile(t, "at the top", dir, "job+part-DDDD")

	got := list(t, s, "")
	for i := range got {
		assert.WithinDuration(t, time.Now(), got[i].ModTime, time.Hour)
		assert.Equal(t, time.UTC, got[i].ModTime.Location())
		got[i].ModTime = time.Time{}
	}
	assert.Equal(t, []dataexport.BlobInfo{
		{Key: "job", Size: 10, Unfinished: true},
		{Key: "job/3", Size: 5},
		{Key: "job/3", Size: 4, Unfinished: true},
		{Key: "job/3", Size: 10, Unfinished: true},
		{Key: "job/33", Size: 9, Unfinished: true},
	}, got)

	require.NoError(t, s.Delete(t.Context(), "job/3"))
	assert.Equal(t, []string{"job/", "job/33+part-CCCC", "job+part-DDDD"}, tree(t, dir))
	require.NoError(t, s.Delete(t.Context(), "job/33"))
	assert.Equal(t, []string{"job+part-DDDD"}, tree(t, dir))
	require.NoError(t, s.Delete(t.Context(), "job"))
	assert.Empty(t, tree(t, dir))
}

func TestEmptyDirectoriesAreRemoved(t *testing.T) {
	dir := t.TempDir()
	s := newStore(t, dir)
	put(t, s, "a/b/c/1", "one")
	put(t, s, "a/2", "two")

	failure := errors.New("the source has failed")
	err := s.Put(t.Context(), "x/y/3", dataexport.Format{}, func(io.Writer) error { return failure })
	require.ErrorIs(t, err, failure)
	assert.Equal(t, []string{"a/", "a/2+blob", "a/b/", "a/b/c/", "a/b/c/1+blob"}, tree(t, dir))

	require.NoError(t, s.Delete(t.Context(), "a/b/c/1"))
	assert.Equal(t, []string{"a/", "a/2+blob"}, tree(t, dir))
	require.NoError(t, s.Delete(t.Context(), "a/2"))
	assert.Empty(t, tree(t, dir))
	assert.DirExists(t, dir)
}

// Each Put that fails removes the directory of the others as soon as it is empty. They make it again.
func TestDirectoryComesAndGoes(t *testing.T) {
	dir := t.TempDir()
	s := newStore(t, dir)
	failure := errors.New("the source has failed")
	var group sync.WaitGroup
	for range 8 {
		group.Go(func() {
			for range 300 {
				err := s.Put(t.Context(), "a/b/1", dataexport.Format{}, func(io.Writer) error { return failure })
				if !assert.Equal(t, failure, err) {
					return
				}
			}
		})
	}
	group.Wait()
	assert.Empty(t, tree(t, dir))
}

func TestForeignFilesAreLeftAlone(t *testing.T) {
	dir := t.TempDir()
	s := newStore(t, dir)
	put(t, s, "job/1", "one")
	writeFile(t, "mine", dir, "README")
	writeFile(t, "mine", dir, "lost+found", "1+blob")
	writeFile(t, "mine", dir, "job", "notes.txt")
	writeFile(t, "mine", dir, "job", "bad name+blob")
	before := tree(t, dir)

	infos := list(t, s, "")
	require.Len(t, infos, 1)
	assert.Equal(t, "job/1", infos[0].Key)

	for _, key := range []string{"README", "README/1", "README/1/2", "job/notes.txt", "lost", "job"} {
		_, err := s.Open(t.Context(), key)
		require.ErrorIs(t, err, dataexport.ErrNotFound, key)
		require.NoError(t, s.Delete(t.Context(), key), key)
		assert.Empty(t, list(t, s, key+"/2"), key)
	}
	assert.Equal(t, before, tree(t, dir))

	require.Error(t, s.Put(t.Context(), "README/1", dataexport.Format{}, text("one")), "a file is where the directory should be")
	assert.Equal(t, before, tree(t, dir))
}

// Two stores in one directory are what two processes have.
func TestSharedDirectory(t *testing.T) {
	dir := t.TempDir()
	first, second := newStore(t, dir), newStore(t, dir)
	put(t, first, "job/1", "one")
	assert.Equal(t, "one", read(t, second, "job/1"))

	err := first.Put(t.Context(), "job/2", dataexport.Format{}, func(w io.Writer) error {
		infos := list(t, second, "job/2")
		require.Len(t, infos, 1)
		assert.True(t, infos[0].Unfinished)
		require.NoError(t, second.Delete(t.Context(), "job/1"))
		require.NoError(t, second.Delete(t.Context(), "job/2"))
		return text("two")(w)
	})
	require.ErrorContains(t, err, "deleted while it was written")
	assert.Empty(t, tree(t, dir))
}

// When the directory of the store itself is gone there is nothing to wait for.
func TestDirectoryIsGone(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "exports")
	s := newStore(t, dir)
	if err := os.Remove(dir); err != nil {
		t.Skipf("an open directory cannot be removed here: %v", err)
	}
	require.ErrorIs(t, s.Put(t.Context(), "job/1", dataexport.Format{}, text("one")), fs.ErrNotExist)
	_, err := s.Open(t.Context(), "job/1")
	require.ErrorIs(t, err, dataexport.ErrNotFound)
	require.NoError(t, s.Delete(t.Context(), "job/1"))
}

func TestServeContent(t *testing.T) {
	s := newStore(t, t.TempDir())
	put(t, s, "job/1", "0123456789")
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b, err := s.Open(r.Context(), "job/1")
		if !assert.NoError(t, err) {
			return
		}
		defer func() { assert.NoError(t, b.Close()) }()
		withFile, ok := b.(interface{ File() *os.File })
		if assert.True(t, ok) {
			http.ServeContent(w, r, "job.txt", time.Time{}, withFile.File())
		}
	}))
	defer server.Close()

	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, server.URL, nil)
	require.NoError(t, err)
	request.Header.Set("Range", "bytes=3-5")
	response, err := server.Client().Do(request)
	require.NoError(t, err)
	content, err := io.ReadAll(response.Body)
	require.NoError(t, err)
	require.NoError(t, response.Body.Close())
	assert.Equal(t, http.StatusPartialContent, response.StatusCode)
	assert.Equal(t, "345", string(content))
}
