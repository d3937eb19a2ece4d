// Command bench compares dataexport with what it competes with: renderers with the libraries that there are, exports from
// databases with the databases' own tools, downloads with nginx. Run it from the root of the repository:
//
//	go run ./bench           all of it, in about an hour; writes the table into docs/performance.md
//	go run ./bench -quick    the most important comparisons, in less than two minutes
//
// Each number is a ratio: how many times less time ours takes than theirs. All sides of a comparison run on the same data, one
// after the other, round by round; the ratio of each round is taken, and the median counts. What a machine lacks is named
// as skipped.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/dataexport/dataexport/bench/internal/program"
)

func main() {
	if program.Main() {
		return
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	err := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	if errors.Is(err, flag.ErrHelp) {
		return
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, arguments []string, stdout, stderr io.Writer) (err error) {
	flags := flag.NewFlagSet("bench", flag.ContinueOnError)
	flags.SetOutput(stderr)
	quick := flags.Bool("quick", false, "run the most important comparisons only, with fewer records and rounds")
	only := flags.String("only", "", "run these `sections` only, separated by commas: "+sectionNames())
	document := flags.String("document", "docs/performance.md", "the `file` into which a run of everything writes its table, between its two marks; empty for none")
	directory := flags.String("directory", "", "a `directory` for the files that are written, on the disk to measure; the default is that of the system")
	if err := flags.Parse(arguments); err != nil {
		return err
	}
	start := time.Now()
	b := &bench{quick: *quick, log: func(format string, args ...any) {
		fmt.Fprintf(stderr, "%5.1fs  %s\n", time.Since(start).Seconds(), fmt.Sprintf(format, args...))
	}}
	if b.directory, err = os.MkdirTemp(*directory, "dataexport-bench-"); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(b.directory)) }()
	if err := os.Mkdir(filepath.Join(b.directory, "database"), 0o700); err != nil {
		return err
	}
	if err := b.runSections(ctx, *only); err != nil {
		return err
	}
	table := b.table()
	if !*quick && *only == "" && *document != "" {
		if err := replaceTable(*document, table); err != nil {
			return err
		}
	}
	fmt.Fprintln(stdout, table)
	return b.writeLines(stdout)
}

func sectionNames() string {
	var names []string
	for _, s := range sections() {
		names = append(names, s.name)
	}
	return strings.Join(names, ", ")
}

// runSections runs all sections, or those that are listed.
func (b *bench) runSections(ctx context.Context, only string) error {
	var chosen []string
	if only != "" {
		chosen = strings.Split(only, ",")
	}
	for _, name := range chosen {
		if !slices.ContainsFunc(sections(), func(s section) bool { return s.name == name }) {
			return fmt.Errorf("there is no section %q; there are %s", name, sectionNames())
		}
	}
	for _, s := range sections() {
		wanted := s.quick || !b.quick
		if chosen != nil {
			wanted = slices.Contains(chosen, s.name)
		}
		if !wanted {
			continue
		}
		if err := s.run(ctx, b); err != nil {
			return fmt.Errorf("section %s: %w", s.name, err)
		}
	}
	return nil
}
