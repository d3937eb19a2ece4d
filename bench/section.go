package main

import (
	"context"

	"github.com/dataexport/dataexport/bench/internal/race"
)

// A section measures what belongs together, such as everything that needs PostgreSQL.
type section struct {
	name string
	run  func(ctx context.Context, b *bench) error
}

// sections returns all sections. Those that the quick run leaves out are in full alone.
func sections(quick bool) []section {
	list := []section{
		{"JSON", runJSON},
		{"CSV", runCSV},
		{"Markdown", runMarkdown},
	}
	return list
}

// A bench is one run of all sections.
type bench struct {
	quick     bool
	directory string // for files, on the disk that is measured
	log       func(format string, args ...any)
	outcomes  []outcome
}

// An outcome is a ratio that was measured, or why it was not.
type outcome struct {
	race.Ratio
	finding race.Finding
	result  *race.Result
	skipped string
}

// records returns the first number in a quick run and the second in a full one.
func (b *bench) pick(quick, full int) int {
	if b.quick {
		return quick
	}
	return full
}

// run runs a race and keeps its ratios.
func (b *bench) run(ctx context.Context, r *race.Race) error {
	b.log("%s, %d records", r.Title, r.Records)
	result, err := r.Run(ctx, b.pick(3, 7))
	if err != nil {
		return err
	}
	for _, ratio := range r.Ratios {
		b.outcomes = append(b.outcomes, outcome{Ratio: ratio, finding: result.Find(ratio), result: result})
	}
	return nil
}

// skip says of ratios why they cannot be measured.
func (b *bench) skip(why string, ratios ...race.Ratio) {
	b.log("skipped: %s", why)
	for _, ratio := range ratios {
		b.outcomes = append(b.outcomes, outcome{Ratio: ratio, skipped: why})
	}
}
