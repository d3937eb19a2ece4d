//go:build unix

package fileblob_test

import (
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dataexport/dataexport"
	"github.com/dataexport/dataexport/store/fileblob"
)

// outside returns a directory with a secret in it, in the form of a blob.
func outside(t *testing.T) string {
	dir := t.TempDir()
	writeFile(t, "secret", dir, "1+blob")
	writeFile(t, "secret", dir, "sub", "1+blob")
	return dir
}

func wantUntouched(t *testing.T, dir string) {
	t.Helper()
	assert.Equal(t, []string{"1+blob", "sub/", "sub/1+blob"}, tree(t, dir))
	for _, name := range []string{"1+blob", "sub/1+blob"} {
		content, err := os.ReadFile(filepath.Join(dir, name))
		require.NoError(t, err)
		assert.Equal(t, "secret", string(content))
	}
}

// A link in place of a directory leads nowhere.
func TestLinkedDirectory(t *testing.T) {
	for name, target := range map[string]func(dir string) string{
		"absolute": func(dir string) string { return dir },
		"relative": func(dir string) string { return filepath.Join("..", "..", "..", "..", "..", "..", dir) },
	} {
		t.Run(name, func(t *testing.T) {
			dir, secret := t.TempDir(), outside(t)
			s := newStore(t, dir)
			require.NoError(t, os.Symlink(target(secret), filepath.Join(dir, "job")))

			for _, key := range []string{"job/1", "job/sub/1", "job/new", "job/new/1"} {
				_, err := s.Open(t.Context(), key)
				require.Error(t, err, key)
				require.Error(t, s.Put(t.Context(), key, dataexport.Format{}, text("mine")), key)
				_ = s.Delete(t.Context(), key) // whether this is an error does not matter
			}
			assert.Empty(t, list(t, s, ""))
			assert.Empty(t, list(t, s, "job/"))
			wantUntouched(t, secret)
		})
	}
}

// A link in place of a blob is no blob, also if it stays within the directory.
func TestLinkedBlob(t *testing.T) {
	dir, secret := t.TempDir(), outside(t)
	s := newStore(t, dir)
	put(t, s, "job/1", "one")
	for name, target := range map[string]string{
		"2+blob":      filepath.Join(secret, "1+blob"),
		"3+blob":      "1+blob",
		"4+blob":      "missing",
		"5+part-AAAA": filepath.Join(secret, "1+blob"),
	} {
		require.NoError(t, os.Symlink(target, filepath.Join(dir, "job", name)))
	}

	infos := list(t, s, "")
	require.Len(t, infos, 1)
	assert.Equal(t, "job/1", infos[0].Key)
	for _, key := range []string{"job/2", "job/3", "job/4", "job/5"} {
		_, err := s.Open(t.Context(), key)
		require.ErrorIs(t, err, dataexport.ErrNotFound, key)
		put(t, s, key, "mine") // replaces the link, not what it points at
		assert.Equal(t, "mine", read(t, s, key))
		require.NoError(t, s.Delete(t.Context(), key))
	}
	assert.Equal(t, "one", read(t, s, "job/1"))
	assert.Equal(t, []string{"job/", "job/1+blob"}, tree(t, dir))
	wantUntouched(t, secret)
}

// Delete of a link removes the link.
func TestDeleteLink(t *testing.T) {
	dir, secret := t.TempDir(), outside(t)
	s := newStore(t, dir)
	require.NoError(t, os.Symlink(filepath.Join(secret, "1+blob"), filepath.Join(dir, "1+blob")))
	require.NoError(t, s.Delete(t.Context(), "1"))
	assert.Empty(t, tree(t, dir))
	wantUntouched(t, secret)
}

// To open a named pipe would wait for its other end.
func TestNamedPipe(t *testing.T) {
	dir := t.TempDir()
	s := newStore(t, dir)
	require.NoError(t, syscall.Mkfifo(filepath.Join(dir, "pipe+blob"), 0o600))
	require.NoError(t, syscall.Mkfifo(filepath.Join(dir, "job"), 0o600))
	_, err := s.Open(t.Context(), "pipe")
	require.ErrorIs(t, err, dataexport.ErrNotFound)
	assert.Empty(t, list(t, s, ""))
	assert.Empty(t, list(t, s, "job/"))
	require.NoError(t, s.Delete(t.Context(), "job/1"))
}

// The directory of the store may itself be a link: whoever starts the process has named it.
func TestStoreInLinkedDirectory(t *testing.T) {
	base := t.TempDir()
	link := filepath.Join(base, "link")
	require.NoError(t, os.Mkdir(filepath.Join(base, "real"), 0o700))
	require.NoError(t, os.Symlink("real", link))
	s, err := fileblob.New(link)
	require.NoError(t, err)
	put(t, s, "job/1", "one")
	require.NoError(t, s.Close())
	assert.FileExists(t, filepath.Join(base, "real", "job", "1+blob"))
}
