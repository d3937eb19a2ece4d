package fileblob

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"

	"github.com/dataexport/dataexport"
)

// Put stores a blob as dataexport.BlobStore says. Its bytes and its name are on the disk (fsync) when Put returns nil. The
// writer has no buffer: each Write is a system call. The format is not kept.
//
// If the key is deleted while write runs, Put stores nothing and returns an error. If the disk fails at the very end, when
// the name is to be made durable, Put returns an error although the new blob is there, whole.
func (s *Store) Put(ctx context.Context, key string, _ dataexport.Format, write func(io.Writer) error) error {
	if err := check(ctx, key); err != nil {
		return err
	}
	p, err := s.begin(ctx, key)
	if err != nil {
		return s.putError(key, err)
	}
	defer p.abandon() // also when write panics
	if err := write(p); err != nil {
		return err
	}
	if err := p.sync(); err != nil {
		return s.putError(key, err)
	}
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if err := p.commit(); err != nil {
		return s.putError(key, err)
	}
	return nil
}

func (s *Store) putError(key string, err error) error {
	return fmt.Errorf("fileblob: put %q in %s: %w", key, s.root.Name(), err)
}

// A part is a blob that is being written.
type part struct {
	ctx       context.Context // of the Put, which the part does not outlive
	store     *Store
	key       string
	name      string
	file      *os.File
	err       error // the first error that Write returned
	committed bool
}

// maxAttempts bounds how often begin makes a directory that others remove. In practice the second attempt succeeds.
const maxAttempts = 100

// begin makes the file of a part. Until that file is in it, a directory is empty and a Delete may remove it.
func (s *Store) begin(ctx context.Context, key string) (*part, error) {
	var err error
	for range maxAttempts {
		if ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		var p *part
		if p, err = s.tryBegin(ctx, key); err == nil {
			return p, nil
		}
		if !errors.Is(err, fs.ErrNotExist) {
			break
		}
	}
	return nil, err
}

func (s *Store) tryBegin(ctx context.Context, key string) (*part, error) {
	if err := s.makeDirectories(path.Dir(key)); err != nil {
		return nil, err
	}
	p := &part{ctx: ctx, store: s, key: key, name: newPartName(key)}
	var err error
	p.file, err = s.root.OpenFile(p.name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, fileMode)
	if err != nil {
		s.removeEmpty(path.Dir(key))
		return nil, err
	}
	if err := p.repairMode(); err != nil {
		p.abandon()
		return nil, err
	}
	return p, nil
}

// makeDirectories makes a directory of the store and those above it where they are missing.
func (s *Store) makeDirectories(dir string) error {
	if dir == "." {
		return nil
	}
	for i := range len(dir) + 1 {
		if i < len(dir) && dir[i] != '/' {
			continue
		}
		if err := s.makeDirectory(dir[:i]); err != nil {
			return err
		}
	}
	return nil
}

func (s *Store) makeDirectory(dir string) error {
	if err := s.root.Mkdir(dir, directoryMode); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	info, err := s.root.Lstat(dir)
	if err != nil {
		return err
	}
	// A umask can take our own rights from us. If another Put has made the directory, it may not have come to this yet.
	if info.IsDir() && info.Mode().Perm()&directoryMode != directoryMode {
		return s.root.Chmod(dir, directoryMode)
	}
	return nil
}

// repairMode undoes a umask that has taken our own rights from us.
func (p *part) repairMode() error {
	info, err := p.file.Stat()
	if err != nil {
		return err
	}
	if info.Mode().Perm()&fileMode == fileMode {
		return nil
	}
	return p.file.Chmod(fileMode)
}

// Write writes to the file. It fails once the context is done, so that a cancelled export stops.
func (p *part) Write(b []byte) (int, error) {
	if p.err != nil {
		return 0, p.err
	}
	if p.ctx.Err() != nil {
		p.err = context.Cause(p.ctx)
		return 0, p.err
	}
	n, err := p.file.Write(b)
	p.err = err
	return n, err
}

// sync brings all that was written to the disk, unless a Write has failed and its error was not passed on.
func (p *part) sync() error {
	if p.err != nil {
		return p.err
	}
	if p.ctx.Err() != nil {
		return context.Cause(p.ctx) // before the sync, which may take long
	}
	if err := p.file.Sync(); err != nil {
		return err
	}
	return p.file.Close()
}

// commit makes the part the blob.
func (p *part) commit() error {
	err := p.store.root.Rename(p.name, blobName(p.key))
	if errors.Is(err, fs.ErrNotExist) {
		return errors.New("the key was deleted while it was written; put it again if it is still wanted")
	}
	if err != nil {
		return err
	}
	p.committed = true
	return p.store.syncUpwards(path.Dir(p.key))
}

// abandon removes the part unless it has become the blob. What cannot be removed, List shows as unfinished.
func (p *part) abandon() {
	if p.committed {
		return
	}
	_ = p.file.Close() // closed already if sync came so far
	_ = p.store.root.Remove(p.name)
	p.store.removeEmpty(path.Dir(p.key))
}
