// Package fileblob keeps the files of exports in a directory, which should be the store's own. Several processes of one
// machine may share it.
//
// The blob of the key "job/3" is the file "job/3+blob" under that directory. While it is written it is "job/3+part-" and
// a random text, so that List can tell what a killed process has left behind. No key contains a '+', so neither name can
// be that of another key, and a file that someone else has put there ("README", "lost+found") is no blob and is left alone.
//
// Files have the mode 0600 and directories 0700, whatever the umask; on Windows they inherit the access rights of the
// directory. No key and no symbolic link leads out of it (os.Root).
//
// On a file system that does not distinguish upper case from lower, the usual one of Windows and macOS, keys that differ
// in nothing else are one key. The keys of the engine are in lower case.
package fileblob

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"syscall"

	"github.com/dataexport/dataexport"
)

const (
	fileMode      = 0o600
	directoryMode = 0o700
)

// A Store is a dataexport.BlobStore in a directory. Its methods are safe for concurrent use, also by several processes.
type Store struct {
	root *os.Root
}

var _ dataexport.BlobStore = (*Store)(nil)

// New returns the store in a directory, which it creates, with the mode 0700, if it is missing. The mode of a directory
// that is there already stays as it is.
func New(dir string) (*Store, error) {
	if dir == "" {
		return nil, fmt.Errorf("fileblob: %w: the directory is empty text; name one that is for the store alone", dataexport.ErrInvalid)
	}
	if err := makeBase(filepath.Clean(dir)); err != nil {
		return nil, fmt.Errorf("fileblob: make the directory of the store: %w", err)
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, fmt.Errorf("fileblob: open the directory of the store: %w", err)
	}
	return &Store{root: root}, nil
}

// makeBase makes a directory and those above it. Each is synced into its parent, for a blob that has survived a power
// failure is of no use if its directory has not.
func makeBase(dir string) error {
	if info, err := os.Stat(dir); err == nil && info.IsDir() {
		return nil
	}
	parent := filepath.Dir(dir)
	if parent != dir {
		if err := makeBase(parent); err != nil {
			return err
		}
	}
	switch err := os.Mkdir(dir, directoryMode); {
	case errors.Is(err, fs.ErrExist):
		return nil // by another process just now, or a file, which OpenRoot refuses
	case err != nil:
		return err
	}
	if err := os.Chmod(dir, directoryMode); err != nil { // the umask may have taken our own rights
		return err
	}
	return syncDirectory(os.Open(parent))
}

// Close frees what the store holds. Its other methods fail from then on; blobs that are open stay so.
func (s *Store) Close() error { return s.root.Close() }

// Open opens a blob as dataexport.BlobStore says. It can be read to its end even if it is deleted or put anew meanwhile.
// The blob is a *Blob.
func (s *Store) Open(ctx context.Context, key string) (dataexport.Blob, error) {
	if err := check(ctx, key); err != nil {
		return nil, err
	}
	b, err := s.open(blobName(key))
	if missing(err) {
		return nil, fmt.Errorf("fileblob: open %q: %w", key, dataexport.ErrNotFound)
	}
	if err != nil {
		return nil, fmt.Errorf("fileblob: open %q in %s: %w", key, s.root.Name(), err)
	}
	return b, nil
}

func (s *Store) open(name string) (*Blob, error) {
	// What is no regular file is no blob. It is not even opened: that of a named pipe would wait for its other end.
	if info, err := s.root.Lstat(name); err != nil {
		return nil, err
	} else if !info.Mode().IsRegular() {
		return nil, fs.ErrNotExist
	}
	file, err := s.root.Open(name)
	if err != nil {
		return nil, err
	}
	info, err := file.Stat()
	if err != nil {
		return nil, errors.Join(err, file.Close())
	}
	return &Blob{file: file, size: info.Size()}, nil
}

// Delete removes a blob as dataexport.BlobStore says, and makes the Puts of the key that are under way fail. It removes
// the directory of the key too if nothing else is in it. It reads all names in that directory, so it is fast for keys
// such as "job/3" and slow for a million keys without a '/'.
func (s *Store) Delete(ctx context.Context, key string) error {
	if err := check(ctx, key); err != nil {
		return err
	}
	if err := s.delete(key); err != nil {
		return fmt.Errorf("fileblob: delete %q in %s: %w", key, s.root.Name(), err)
	}
	return nil
}

func (s *Store) delete(key string) error {
	if err := s.root.Remove(blobName(key)); err != nil && !missing(err) {
		return err
	}
	dir := path.Dir(key)
	for name, err := range s.names(dir) {
		if err != nil {
			return err
		}
		if segment, kind := parseName(name); kind != partFile || segment != path.Base(key) {
			continue
		}
		if err := s.root.Remove(path.Join(dir, name)); err != nil && !missing(err) {
			return err
		}
	}
	s.removeEmpty(dir)
	return s.syncUpwards(dir) // what a user has deleted must not come back after a power failure
}

// removeEmpty removes a directory and those above it as far as they are empty. A Put that has just made one of them and
// has no file in it yet makes it again.
func (s *Store) removeEmpty(dir string) {
	for ; dir != "."; dir = path.Dir(dir) {
		if info, err := s.root.Lstat(dir); err != nil || !info.IsDir() {
			return
		}
		if s.root.Remove(dir) != nil {
			return
		}
	}
}

// openDirectory opens a directory of the store. What is none, such as a named pipe, is not opened, and neither is a link.
func (s *Store) openDirectory(dir string) (*os.File, error) {
	if info, err := s.root.Lstat(dir); err != nil {
		return nil, err
	} else if !info.IsDir() {
		return nil, fs.ErrNotExist
	}
	return s.root.Open(dir)
}

// syncUpwards makes the entries of a directory durable, and those of the directories above, up to that of the store. All
// of them every time: another Put may have made one just now and not have synced it yet.
func (s *Store) syncUpwards(dir string) error {
	for {
		if err := syncDirectory(s.openDirectory(dir)); err != nil && !missing(err) {
			return err
		}
		if dir == "." {
			return nil
		}
		dir = path.Dir(dir)
	}
}

// check is what each method that has a key begins with.
func check(ctx context.Context, key string) error {
	if !dataexport.ValidBlobKey(key) {
		return fmt.Errorf("fileblob: %w: the key %.250q is not what dataexport.ValidBlobKey asks for", dataexport.ErrInvalid, key)
	}
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return nil
}

// missing reports whether there is no such file, also because what should be a directory above it is a file.
func missing(err error) bool {
	return errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ENOTDIR)
}
