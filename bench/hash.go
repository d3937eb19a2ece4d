package main

import (
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"

	"github.com/dataexport/dataexport/bench/internal/program"
	"github.com/dataexport/dataexport/bench/internal/race"
	"github.com/dataexport/dataexport/bench/internal/records"
	"github.com/dataexport/dataexport/render"
)

// withoutHash is the side that does what the one beside it does, but for the SHA-256 of the file.
const withoutHash = "the same without SHA-256"

// hashRatio says what the SHA-256 of a file costs: an export against the same one without. 15 % are allowed for it.
func hashRatio(source, ours string) race.Ratio {
	return race.Ratio{Name: "file/without-sha256/" + source, Target: 0.87, Ours: ours, Theirs: []string{withoutHash}}
}

// runHash measures what it costs where reading costs nothing, and everybody waits for the slowest of rendering, hashing and
// writing.
func runHash(ctx context.Context, b *bench) error {
	const withHash = "dataexport, engine with SHA-256"
	list := records.NewHotList(records.Dirty, 200_000)
	data := datasetOf(list)
	file := filepath.Join(b.directory, "hash")
	return b.run(ctx, &race.Race{
		Title: "JSON to a file", Records: list.Len(),
		Ratios: []race.Ratio{hashRatio("memory", withHash)},
		Sides: []race.Side{
			fileSide(withHash, file, func(ctx context.Context, w io.Writer) (int64, error) { return export(ctx, w, data, render.JSON()) }),
			fileSide(withoutHash, file, func(ctx context.Context, w io.Writer) (int64, error) {
				return program.ExportUnhashed(ctx, w, data, render.JSON(), everything())
			}),
		},
	}, b.onDisk())
}

// fileSide makes a side of what writes a file.
func fileSide(name, file string, write func(context.Context, io.Writer) (int64, error)) race.Side {
	side := race.InProcess(name, func(ctx context.Context) (int64, error) {
		f, err := os.Create(file)
		if err != nil {
			return 0, err
		}
		n, err := write(ctx, f)
		return n, errors.Join(err, f.Close())
	})
	run := side.Run
	side.Run = func(ctx context.Context) (race.Sample, error) {
		if err := os.Remove(file); err != nil && !errors.Is(err, os.ErrNotExist) {
			return race.Sample{}, err
		}
		return run(ctx)
	}
	return side
}
