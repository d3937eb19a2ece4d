package main

import (
	"context"
	"time"

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
	brief     bool   // one round with few records, to see that it works
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
	switch {
	case b.brief:
		return min(quick, verified)
	case b.quick:
		return quick
	}
	return full
}

// run runs a race and keeps what it has measured.
func (b *bench) run(ctx context.Context, r *race.Race, effort race.Effort) error {
	b.log("%s, %d records", r.Title, r.Records)
	result, err := r.Run(ctx, effort)
	if err != nil {
		return err
	}
	b.results = append(b.results, result)
	return nil
}

// inMemory is the effort of races that take milliseconds.
func (b *bench) inMemory() race.Effort {
	if b.brief {
		return race.Effort{Least: 1, Most: 1}
	}
	if b.quick {
		return race.Effort{Least: 5, Most: 25, Time: 4 * time.Second}
	}
	return race.Effort{Least: 11, Most: 51, Time: 20 * time.Second}
}

// onDisk is the effort of races that take seconds.
func (b *bench) onDisk() race.Effort {
	if b.brief {
		return race.Effort{Least: 1, Most: 1}
	}
	if b.quick {
		return race.Effort{Least: 3, Most: 7, Time: 10 * time.Second}
	}
	return race.Effort{Least: 5, Most: 11, Time: 2 * time.Minute}
}

// atLength is the effort of races that take minutes: they show that nothing grows but the time.
func (b *bench) atLength() race.Effort {
	return race.Effort{Least: 1, Most: 3, Time: time.Minute, OneWarmsUp: true}
}

// skip says of ratios why they cannot be measured here.
func (b *bench) skip(why string, ratios ...race.Ratio) {
	b.log("skipped: %s", why)
	b.skipped = append(b.skipped, skipped{ratios, why})
}
