// Command verify checks an account archive of the format 3ngram.account-export.v1, JSON or zip:
//
//	go run ./examples/verify account.json
//
// It prints what the archive is, how many records it has, and every fault with its place. The exit status is 0 if there is
// no fault and 1 if there is one, or if the archive cannot be read.
package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"text/tabwriter"
	"time"

	"github.com/dataexport/dataexport/archive"
	"github.com/dataexport/dataexport/archive/threengram"
)

const usage = "Usage: verify FILE\n\nChecks an account archive, JSON or zip, and prints a report. The exit status is 0 if it has no fault, else 1.\n"

func main() {
	if err := run(os.Args[1:], os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "verify:", err)
		os.Exit(1)
	}
}

// run is the whole command. It returns an error if the archive has faults or cannot be read.
func run(args []string, out io.Writer) error {
	if len(args) != 1 {
		return errors.New("give it the name of one file: verify FILE")
	}
	if args[0] == "-h" || args[0] == "-help" || args[0] == "--help" {
		_, err := io.WriteString(out, usage)
		return err
	}
	a, err := threengram.Archive()
	if err != nil {
		return err
	}
	report, err := verify(a, args[0])
	if err != nil {
		return err
	}
	buffered := bufio.NewWriter(out)
	printReport(buffered, a, args[0], &report)
	if err := buffered.Flush(); err != nil {
		return fmt.Errorf("printing the report: %w", err)
	}
	if !report.OK() {
		return fmt.Errorf("the archive %s has faults: %d", args[0], int64(len(report.Faults))+report.More)
	}
	return nil
}

func verify(a *archive.Archive, name string) (archive.Report, error) {
	file, err := os.Open(name)
	if err != nil {
		return archive.Report{}, err
	}
	defer file.Close() // it was only read
	info, err := file.Stat()
	if err != nil {
		return archive.Report{}, err
	}
	if !info.Mode().IsRegular() {
		return archive.Report{}, fmt.Errorf("%s is no regular file, which can be read at any place", name)
	}
	return a.Verify(file, info.Size())
}

// printReport writes the report for people. The writer keeps its first error, which Flush tells.
func printReport(w *bufio.Writer, a *archive.Archive, name string, r *archive.Report) {
	format, exportedAt := "not found", "not found"
	if r.Header.Format != "" {
		format = strconv.Quote(r.Header.Format) // it may be anything
	}
	if !r.Header.ExportedAt.IsZero() {
		exportedAt = r.Header.ExportedAt.UTC().Format(time.RFC3339Nano)
	}
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintf(table, "file\t%s\n", name)
	fmt.Fprintf(table, "format\t%s\n", format)
	fmt.Fprintf(table, "exported at\t%s\n", exportedAt)
	_ = table.Flush() // into a buffer that keeps its error
	fmt.Fprint(w, "\nrecords found:\n")
	counts := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	for _, c := range a.Info().Collections {
		fmt.Fprintf(counts, "\t%d\t %s\n", r.Records[c.Name], c.Name)
	}
	_ = counts.Flush() // likewise
	if r.OK() {
		fmt.Fprint(w, "\nno faults\n")
		return
	}
	fmt.Fprintf(w, "\nfaults: %d\n", int64(len(r.Faults))+r.More)
	for i := range r.Faults {
		fmt.Fprintf(w, "  %s\n", r.Faults[i].Error())
	}
	if r.More > 0 {
		fmt.Fprintf(w, "  and %d more\n", r.More)
	}
}
