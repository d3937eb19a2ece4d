package main

import (
	"context"
	"fmt"

	"github.com/dataexport/dataexport"
	"github.com/dataexport/dataexport/bench/internal/race"
	"github.com/dataexport/dataexport/bench/internal/records"
	"github.com/dataexport/dataexport/bench/internal/rival"
	"github.com/dataexport/dataexport/render"
)

// The sides of ours in the races of renderers.
const (
	renderer = "dataexport, renderer"
	engine   = "dataexport, engine with SHA-256"
	copying  = "copying memory"
)

func runJSON(ctx context.Context, b *bench) error {
	return b.runRenderers(ctx, "json", render.JSON(), rival.JSON(), []race.Ratio{
		{Name: "json/encoding-json", Target: 7, Theirs: []string{"encoding/json"}},
		{Name: "json/best-library", Target: 1.6, Theirs: []string{"goccy/go-json", "bytedance/sonic", "segmentio/encoding"}},
	})
}

func runCSV(ctx context.Context, b *bench) error {
	return b.runRenderers(ctx, "csv", render.CSV(), rival.CSV(), []race.Ratio{
		{Name: "csv/gocsv", Target: 7, Theirs: []string{"gocsv"}},
		{Name: "csv/encoding-csv", Target: 4, Theirs: []string{"encoding/csv"}},
	})
}

func runMarkdown(ctx context.Context, b *bench) error {
	return b.runRenderers(ctx, "markdown", render.Markdown(), rival.Markdown(), []race.Ratio{
		{Name: "markdown/fmt", Target: 6, Theirs: []string{"fmt"}},
	})
}

// runRenderers lets a renderer race against rivals with text of each shape. The ratios that have a target are those of text
// as it comes in practice, and of records that have just been read. In a full run there are those of many different records too, which
// lie in no cache and which no processor can foresee.
func (b *bench) runRenderers(ctx context.Context, format string, r dataexport.Renderer, rivals []rival.Writer, ratios []race.Ratio) error {
	kinds := []recordKind{{name: "dirty text", list: records.NewHotList(records.Dirty, b.pick(20_000, 200_000))}}
	if !b.quick {
		kinds = append(kinds,
			recordKind{name: "dirty text, all records different", suffix: "/different", list: records.NewList(records.Dirty, 100_000)},
			recordKind{name: "clean text", suffix: "/clean", list: records.NewHotList(records.Clean, 200_000)},
			recordKind{name: "non-latin text", suffix: "/non-latin", list: records.NewHotList(records.NonLatin, 200_000)},
		)
	}
	for _, kind := range kinds {
		run, err := rendererRace(ctx, format, kind, r, rivals, ratios)
		if err != nil {
			return err
		}
		if err := b.run(ctx, run, b.inMemory()); err != nil {
			return err
		}
	}
	return nil
}

// A recordKind is a kind of records to measure with.
type recordKind struct {
	name   string
	suffix string // of the names of its ratios; none for those that have a target
	list   *records.List
}

func rendererRace(ctx context.Context, format string, kind recordKind, r dataexport.Renderer, rivals []rival.Writer, ratios []race.Ratio) (*race.Race, error) {
	run := &race.Race{Title: fmt.Sprintf("%s, %s, in memory", format, kind.name), Records: kind.list.Len()}
	data := datasetOf(kind.list)
	size, err := renderAlone(ctx, &race.Discard{}, data, r)
	if err != nil {
		return nil, err
	}
	run.Sides = append(run.Sides,
		race.InProcess(renderer, func(ctx context.Context) (int64, error) { return renderAlone(ctx, &race.Discard{}, data, r) }),
		race.InProcess(engine, func(ctx context.Context) (int64, error) { return export(ctx, &race.Discard{}, data, r) }),
	)
	for _, other := range rivals {
		run.Sides = append(run.Sides, race.InProcess(other.Name, func(context.Context) (int64, error) {
			var written race.Discard
			err := other.Write(&written, kind.list.All())
			return written.Bytes, err
		}))
	}
	for _, ratio := range ratios {
		if kind.suffix != "" {
			ratio.Name, ratio.Target = ratio.Name+kind.suffix, 0
		}
		ratio.Ours = renderer
		run.Ratios = append(run.Ratios, ratio)
		ratio.Name, ratio.Target, ratio.Ours = ratio.Name+"/engine", 0, engine
		run.Ratios = append(run.Ratios, ratio)
	}
	run.Sides = append(run.Sides, race.InProcess(copying, copyMemory(size)))
	run.Ratios = append(run.Ratios, race.Ratio{Name: format + "/memory-bandwidth" + kind.suffix, Ours: renderer, Theirs: []string{copying}})
	return run, nil
}

// copyMemory returns a side that copies a number of bytes from one place to another, neither of which fits a cache.
func copyMemory(size int64) func(context.Context) (int64, error) {
	from, to := make([]byte, 64<<20), make([]byte, 64<<20)
	copy(to, from) // the pages are there from now on
	return func(context.Context) (int64, error) {
		for left := size; left > 0; left -= int64(len(from)) {
			copy(to, from[:min(left, int64(len(from)))])
		}
		return size, nil
	}
}
