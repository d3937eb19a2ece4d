package fileblob

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"path"
	"slices"
	"strings"

	"github.com/dataexport/dataexport"
)

// List yields the blobs as dataexport.BlobStore says. Of one key the blob comes before the unfinished ones, whose ModTime
// is that of the last write. It holds the names of one directory at a time, and of those above it. It passes over files
// that are not of the store. An error is the last that it yields.
//
// On its way it removes directories in which there is nothing. A process that is killed leaves one when it has removed the
// last file of it, or has yet to make the first, and nothing else would ever come by.
func (s *Store) List(ctx context.Context, prefix string) iter.Seq2[dataexport.BlobInfo, error] {
	return func(yield func(dataexport.BlobInfo, error) bool) {
		if ctx.Err() != nil {
			yield(dataexport.BlobInfo{}, context.Cause(ctx))
			return
		}
		if !dataexport.ValidBlobKey(prefix) && !dataexport.ValidBlobKey(prefix+"x") {
			return // no key begins so
		}
		dir := path.Dir(prefix + "x") // where the keys with the prefix are; the x stands for what follows it
		err := s.walk(ctx, dir, prefix, func(info dataexport.BlobInfo) bool { return yield(info, nil) })
		switch {
		case err == nil || errors.Is(err, errStopped):
		case ctx.Err() != nil:
			yield(dataexport.BlobInfo{}, context.Cause(ctx))
		default:
			yield(dataexport.BlobInfo{}, fmt.Errorf("fileblob: list %q in %s: %w", prefix, s.root.Name(), err))
		}
	}
}

// errStopped says that the loop over List has been left.
var errStopped = errors.New("stopped")

// An entry is a name in a directory, and where it comes in the order of keys.
type entry struct {
	name  string
	order string // the segment of the key; of a directory with the '/' that all keys in it go on with
	kind  fileKind
}

func (s *Store) walk(ctx context.Context, dir, prefix string, yield func(dataexport.BlobInfo) bool) error {
	entries, err := s.entries(ctx, dir, prefix)
	if err != nil {
		return err
	}
	if len(entries) == 0 {
		s.removeEmpty(dir) // it stays if it holds names that are of no interest here
	}
	for _, e := range entries {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if e.kind == otherFile {
			err = s.walk(ctx, joinKey(dir, e.name), prefix, yield)
		} else {
			err = s.visit(dir, e, yield)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// entries returns what is in a directory and may be, or hold, a blob whose key begins with the prefix, in the order of keys.
func (s *Store) entries(ctx context.Context, dir, prefix string) ([]entry, error) {
	var entries []entry
	for name, err := range s.names(dir) {
		if err != nil {
			return nil, err
		}
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		segment, kind := parseName(name)
		key := joinKey(dir, segment)
		if !dataexport.ValidBlobKey(key) {
			continue
		}
		if kind == otherFile {
			key += "/"
			segment += "/"
		}
		if strings.HasPrefix(key, prefix) {
			entries = append(entries, entry{name: name, order: segment, kind: kind})
		}
	}
	slices.SortFunc(entries, func(a, b entry) int {
		return cmp.Or(cmp.Compare(a.order, b.order), cmp.Compare(a.name, b.name)) // "3+blob" before "3+part-"
	})
	return entries, nil
}

// visit yields a blob or an unfinished one, unless it has gone in the meantime.
func (s *Store) visit(dir string, e entry, yield func(dataexport.BlobInfo) bool) error {
	info, err := s.root.Lstat(path.Join(dir, e.name))
	if missing(err) || err == nil && !info.Mode().IsRegular() {
		return nil
	}
	if err != nil {
		return err
	}
	more := yield(dataexport.BlobInfo{
		Key:        joinKey(dir, e.order),
		Size:       info.Size(),
		ModTime:    info.ModTime().UTC(),
		Unfinished: e.kind == partFile,
	})
	if !more {
		return errStopped
	}
	return nil
}

// names yields the names in a directory of the store, in any order; none if it is missing or not a directory. Only names:
// the rest that os.File.ReadDir knows is looked up by path, outside the os.Root.
func (s *Store) names(dir string) iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		file, err := s.openDirectory(dir)
		if missing(err) {
			return
		}
		if err != nil {
			yield("", err)
			return
		}
		defer func() { _ = file.Close() }() // it was read only
		for {
			names, err := file.Readdirnames(1024)
			for _, name := range names {
				if !yield(name, nil) {
					return
				}
			}
			if err == nil {
				continue
			}
			if !errors.Is(err, io.EOF) && !errors.Is(err, fs.ErrNotExist) {
				yield("", err)
			}
			return
		}
	}
}
