package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"github.com/dataexport/dataexport/bench/internal/race"
	"github.com/dataexport/dataexport/bench/internal/verify"
)

// A table of a database can grow.
type table interface {
	grow(ctx context.Context, n int) error
}

// verified is how many records a table has when the files of all sides are compared.
const verified = 2000

// runDatabase runs a race for each format with tables that grow. Before that it compares what the sides have written.
func (b *bench) runDatabase(ctx context.Context, t table, formats []string, newRace func(format string, records int) *race.Race) error {
	if err := t.grow(ctx, verified); err != nil {
		return err
	}
	for _, format := range formats {
		if err := verifySides(ctx, newRace(format, verified), b.directory, format); err != nil {
			return err
		}
	}
	size := verified
	for i, n := range b.sizes() {
		effort := b.onDisk()
		if i > 0 {
			effort = b.atLength()
		}
		b.log("adding records, to %d", n)
		if err := t.grow(ctx, n-size); err != nil {
			return err
		}
		size = n
		for _, format := range formats {
			r := newRace(format, n)
			r.Records = n
			if err := b.run(ctx, r, effort); err != nil {
				return err
			}
			if err := emptyDirectory(b.directory); err != nil {
				return err
			}
		}
	}
	return nil
}

const million = 1_000_000

// sizes returns how many records are exported from databases.
func (b *bench) sizes() []int {
	if b.quick {
		return []int{b.pick(200_000, 0)}
	}
	return []int{1 * million, 2 * million, 5 * million, 10 * million}
}

// verifySides lets each side write its file and compares the records.
func verifySides(ctx context.Context, r *race.Race, directory, format string) error {
	digests := make(map[verify.Digest]string)
	for _, side := range r.Sides {
		if err := emptyDirectory(directory); err != nil {
			return err
		}
		if _, err := side.Run(ctx); err != nil {
			return fmt.Errorf("%s: %w", side.Name, err)
		}
		files, err := filepath.Glob(filepath.Join(directory, "*."+format))
		if err != nil || len(files) != 1 {
			return fmt.Errorf("%s has written %d files: %w", side.Name, len(files), err)
		}
		digest, err := verify.File(files[0], format)
		if err != nil {
			return err
		}
		digests[digest] = side.Name
	}
	if len(digests) != 1 {
		return fmt.Errorf("%s: the sides have written different records: %v", r.Title, digests)
	}
	return emptyDirectory(directory)
}

func emptyDirectory(directory string) error {
	entries, err := os.ReadDir(directory)
	if err != nil {
		return err
	}
	for _, entry := range entries {
		if entry.Type().IsRegular() {
			if err := os.Remove(filepath.Join(directory, entry.Name())); err != nil {
				return err
			}
		}
	}
	return nil
}
