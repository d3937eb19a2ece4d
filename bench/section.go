package main

import (
	"context"

	"github.com/dataexport/dataexport/bench/internal/race"
)

// A section measures what belongs together, such as everything that needs PostgreSQL.
type section struct {
	name  string
	quick bool // part of the quick run
	run   func(ctx context.Context, b *bench) error
}

// sections returns all sections in the order of the table.
func sections() []section {
	return []section{
		{"json", true, runJSON},
		{"csv", true, runCSV},
		{"markdown", true, runMarkdown},
		{"scripts", false, runScripts},
		{"hash", false, runHash},
		{"postgres", true, runPostgres},
		{"sqlite", true, runSQLite},
		{"duckdb", false, runDuckDB},
		{"download", true, runDownload},
	}
}

// A bench is one run of sections.
type bench struct {
	quick     bool
	directory string // for files, on the disk that is measured
	log       func(format string, args ...any)
	results   []*race.Result
	skipped   []skipped
}

// skipped are ratios that this machine cannot measure.
type skipped struct {
	ratios []race.Ratio
	why    string
}

// pick returns the first number in a quick run and the second in a full one.
func (b *bench) pick(quick, full int) int {
	if b.quick {
		return quick
	}
	return full
}

// run runs a race and keeps what it has measured.
func (b *bench) run(ctx context.Context, r *race.Race, rounds int) error {
	b.log("%s, %d records", r.Title, r.Records)
	result, err := r.Run(ctx, rounds)
	if err != nil {
		return err
	}
	b.results = append(b.results, result)
	return nil
}

// skip says of ratios why they cannot be measured here.
func (b *bench) skip(why string, ratios ...race.Ratio) {
	b.log("skipped: %s", why)
	b.skipped = append(b.skipped, skipped{ratios, why})
}
