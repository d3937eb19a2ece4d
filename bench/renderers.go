package main

import (
	"context"
	"fmt"

	"github.com/dataexport/dataexport"
	"github.com/dataexport/dataexport/bench/internal/race"
	"github.com/dataexport/dataexport/bench/internal/records"
	"github.com/dataexport/dataexport/bench/internal/rival"
	"github.com/dataexport/dataexport/memory"
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
// as it comes in practice.
func (b *bench) runRenderers(ctx context.Context, format string, r dataexport.Renderer, rivals []rival.Writer, ratios []race.Ratio) error {
	for _, shape := range records.Shapes() {
		if b.quick && shape != records.Dirty {
			continue
		}
		list := records.Make(shape, b.pick(20_000, 200_000))
		if err := b.run(ctx, rendererRace(format, shape, list, r, rivals, ratios), b.pick(15, 25)); err != nil {
			return err
		}
	}
	return nil
}

func rendererRace(format string, shape records.Shape, list []memory.Record, r dataexport.Renderer, rivals []rival.Writer, ratios []race.Ratio) *race.Race {
	run := &race.Race{Title: fmt.Sprintf("%s, %s text, in memory", format, shape), Records: len(list)}
	data := inOrder(list)
	run.Sides = append(run.Sides,
		race.InProcess(renderer, func(ctx context.Context) (int64, error) { return renderAlone(ctx, &race.Discard{}, data, r) }),
		race.InProcess(engine, func(ctx context.Context) (int64, error) { return export(ctx, &race.Discard{}, data, r) }),
	)
	for _, other := range rivals {
		run.Sides = append(run.Sides, race.InProcess(other.Name, func(context.Context) (int64, error) {
			var written race.Discard
			err := other.Write(&written, list)
			return written.Bytes, err
		}))
	}
	for _, ratio := range ratios {
		if shape != records.Dirty {
			ratio.Name, ratio.Target = ratio.Name+"/"+string(shape), 0
		}
		ratio.Ours = renderer
		run.Ratios = append(run.Ratios, ratio)
		ratio.Name, ratio.Target, ratio.Ours = ratio.Name+"/engine", 0, engine
		run.Ratios = append(run.Ratios, ratio)
	}
	return run
}
