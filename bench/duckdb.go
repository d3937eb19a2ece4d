package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/dataexport/dataexport/bench/internal/program"
	"github.com/dataexport/dataexport/bench/internal/race"
	"github.com/dataexport/dataexport/bench/internal/records"
)

// runDuckDB compares exports from SQLite with DuckDB's COPY of the same records, which it keeps column by column in a file of its own and
// reads with all cores.
func runDuckDB(ctx context.Context, b *bench) error {
	path := filepath.Join(b.directory, "database", "duckdb")
	if err := buildDuckDB(ctx, path); err != nil {
		b.skip(err.Error(), duckdbRatio("csv"), duckdbRatio("json"))
		return nil
	}
	count := b.pick(100_000, 1*million)
	rows := &sqliteTable{file: filepath.Join(b.directory, "database", "rows.db"), generator: records.NewGenerator(records.Dirty)}
	if err := rows.grow(ctx, count); err != nil {
		return err
	}
	file := filepath.Join(b.directory, "database", "memories.csv")
	if _, err := program.Side("load", program.Task{Program: "sqlite", Database: rows.file, Format: "csv", Output: file}).Run(ctx); err != nil {
		return err
	}
	database := filepath.Join(b.directory, "database", "memories.duckdb")
	if output, err := exec.CommandContext(ctx, path, "load", database, file).CombinedOutput(); err != nil {
		return fmt.Errorf("duckdb load: %w: %s", err, output)
	}
	for _, format := range []string{"csv", "json"} {
		r := duckdbRace(rows.file, database, path, b.directory, format)
		if err := verifySides(ctx, r, b.directory, format); err != nil {
			return err
		}
		r.Records = count
		if err := b.run(ctx, r, b.onDisk()); err != nil {
			return err
		}
	}
	return errors.Join(os.Remove(rows.file), os.Remove(database), os.Remove(file))
}

const duckdbCopy = "DuckDB COPY, from its own table"

func duckdbRatio(format string) race.Ratio {
	return race.Ratio{Name: "sqlite-" + format + "/duckdb", Ours: columns, Theirs: []string{duckdbCopy}}
}

func duckdbRace(rows, database, path, directory, format string) *race.Race {
	output := func(name string) string { return filepath.Join(directory, "duckdb-"+name+"."+format) }
	return &race.Race{Title: "SQLite, and a table of DuckDB, to a file of " + format, Ratios: []race.Ratio{duckdbRatio(format)}, Sides: []race.Side{
		program.Side(columns, program.Task{Program: "sqlite", Database: rows, Format: format, Output: output("columns")}),
		program.Foreign(duckdbCopy, output("copy"), false, path, "copy", database, output("copy"), format),
	}}
}

// buildDuckDB builds the program that runs DuckDB. Its module is not in the workspace.
func buildDuckDB(ctx context.Context, target string) error {
	find := exec.CommandContext(ctx, "go", "list", "-m", "-f", "{{.Dir}}", "github.com/dataexport/dataexport/bench")
	directory, err := find.Output()
	if err != nil {
		return fmt.Errorf("the module of DuckDB is not found: go list: %w", err)
	}
	build := exec.CommandContext(ctx, "go", "build", "-o", target, ".")
	build.Dir = filepath.Join(strings.TrimSpace(string(directory)), "duckdb")
	build.Env = append(os.Environ(), "GOWORK=off", "CGO_ENABLED=1")
	if output, err := build.CombinedOutput(); err != nil {
		return fmt.Errorf("the module of DuckDB does not build: %w: %s", err, firstLine(output))
	}
	return nil
}

func firstLine(output []byte) string {
	line, _, _ := strings.Cut(strings.TrimSpace(string(output)), "\n")
	return line
}
