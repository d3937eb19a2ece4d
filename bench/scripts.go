package main

import (
	"context"

	"github.com/dataexport/dataexport"
	"github.com/dataexport/dataexport/bench/internal/race"
	"github.com/dataexport/dataexport/bench/internal/records"
	"github.com/dataexport/dataexport/render"
)

// runScripts measures how much longer text in other scripts takes than ASCII that needs no escapes, byte by byte: both sides write
// as many bytes.
func runScripts(ctx context.Context, b *bench) error {
	const ascii, other = "clean ASCII", "other scripts"
	for _, r := range []dataexport.Renderer{render.JSON(), render.CSV(), render.Markdown()} {
		foreign, clean, err := asLong(ctx, r)
		if err != nil {
			return err
		}
		name := r.Format().Name
		side := func(name string, list *records.List) race.Side {
			data := datasetOf(list)
			return race.InProcess(name, func(ctx context.Context) (int64, error) { return renderAlone(ctx, &race.Discard{}, data, r) })
		}
		if err := b.run(ctx, &race.Race{
			Title: name + ", as many bytes of text in other scripts and in ASCII", Records: foreign.Len(),
			Ratios: []race.Ratio{{Name: name + "/other-scripts", Target: 0.5, Ours: other, Theirs: []string{ascii}}},
			Sides:  []race.Side{side(other, foreign), side(ascii, clean)},
		}, b.inMemory()); err != nil {
			return err
		}
	}
	return nil
}

// asLong returns records of text in other scripts and of ASCII that make files of the same size.
func asLong(ctx context.Context, r dataexport.Renderer) (foreign, clean *records.List, err error) {
	const n = 100_000
	foreign, clean = records.NewHotList(records.NonLatin, n), records.NewHotList(records.Clean, n)
	foreignSize, err := renderAlone(ctx, &race.Discard{}, datasetOf(foreign), r)
	if err != nil {
		return nil, nil, err
	}
	cleanSize, err := renderAlone(ctx, &race.Discard{}, datasetOf(clean), r)
	return foreign, records.NewHotList(records.Clean, int(n*foreignSize/cleanSize)), err
}
