package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"

	"github.com/dataexport/dataexport"
	"github.com/dataexport/dataexport/store/compressblob"
	"github.com/dataexport/dataexport/store/fileblob"
)

// files is where the exported files are kept.
type files struct {
	name  string // for the log
	store dataexport.BlobStore
	ready func(context.Context) error // whether they can be reached
	close func() error
}

// openFiles opens where the files are kept, and compresses them if that is wanted.
func openFiles(ctx context.Context, s *settings, log *slog.Logger) (*files, error) {
	kept, err := openStorage(ctx, s, log)
	if err != nil || s.compress == "" {
		return kept, err
	}
	kept.store, err = compressblob.New(kept.store, compressblob.Options{Coding: compressblob.Coding(s.compress)})
	if err != nil {
		return nil, errors.Join(fmt.Errorf("-compress: %w", err), kept.close())
	}
	kept.name += " in " + s.compress
	return kept, nil
}

// openStorage opens the directory or the bucket of -blobs, by default a directory below -data.
func openStorage(ctx context.Context, s *settings, log *slog.Logger) (*files, error) {
	if strings.Contains(s.blobs, "://") {
		return openBucket(ctx, s.blobs, log)
	}
	dir := s.blobs
	if dir == "" {
		dir = filepath.Join(s.data, "files")
	}
	return openDirectory(dir)
}

func openDirectory(dir string) (*files, error) {
	store, err := fileblob.New(dir)
	if err != nil {
		return nil, fmt.Errorf("-blobs: %w", err)
	}
	return &files{
		name:  dir,
		store: store,
		ready: func(context.Context) error {
			_, err := os.Stat(dir)
			return err
		},
		close: store.Close,
	}, nil
}
