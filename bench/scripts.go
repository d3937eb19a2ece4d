package main

import (
	"context"

	"github.com/dataexport/dataexport"
	"github.com/dataexport/dataexport/bench/internal/race"
	"github.com/dataexport/dataexport/bench/internal/records"
	"github.com/dataexport/dataexport/memory"
	"github.com/dataexport/dataexport/render"
)

// runScripts measures how much longer text in other scripts takes than ASCII that needs no escapes, byte by byte: both sides write
// as many bytes.
func runScripts(ctx context.Context, b *bench) error {
	const ascii, other = "clean ASCII", "other scripts"
	for _, r := range []dataexport.Renderer{render.JSON(), render.CSV(), render.Markdown()} {
		foreign := records.Make(records.NonLatin, 100_000)
		foreignSize, err := renderAlone(ctx, &race.Discard{}, inOrder(foreign), r)
		if err != nil {
			return err
		}
		clean := records.Make(records.Clean, 120_000)
		cleanSize, err := renderAlone(ctx, &race.Discard{}, inOrder(clean), r)
		if err != nil {
			return err
		}
		if n := int64(len(clean)) * foreignSize / cleanSize; n < int64(len(clean)) {
			clean = clean[:n]
		} else {
			foreign = foreign[:int64(len(foreign))*cleanSize/foreignSize]
		}
		name := r.Format().Name
		side := func(name string, list []memory.Record) race.Side {
			return race.InProcess(name, func(ctx context.Context) (int64, error) {
				return renderAlone(ctx, &race.Discard{}, inOrder(list), r)
			})
		}
		if err := b.run(ctx, &race.Race{
			Title: name + ", as many bytes of text in other scripts and in ASCII", Records: len(foreign),
			Ratios: []race.Ratio{{Name: name + "/other-scripts", Target: 0.5, Ours: other, Theirs: []string{ascii}}},
			Sides:  []race.Side{side(other, foreign), side(ascii, clean)},
		}, 15); err != nil {
			return err
		}
	}
	return nil
}
