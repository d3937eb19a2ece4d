package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"runtime"
	"strings"

	"github.com/dataexport/dataexport/bench/internal/race"
)

// table returns all that was measured, in Markdown.
func (b *bench) table() string {
	var t strings.Builder
	fmt.Fprintf(&t, "%d cores, %s, %s/%s\n\n", runtime.NumCPU(), runtime.Version(), runtime.GOOS, runtime.GOARCH)
	t.WriteString("| Comparison | Ratio | Range | Target |\n|---|---:|---:|---:|\n")
	for _, result := range b.results {
		for _, ratio := range result.Race.Ratios {
			f := result.Find(ratio)
			fmt.Fprintf(&t, "| %s | %.2f | %.2f to %.2f | %s |\n", nameOf(result.Race, ratio), f.Median, f.Low, f.High, targetOf(ratio))
		}
	}
	for _, s := range b.skipped {
		for _, ratio := range s.ratios {
			fmt.Fprintf(&t, "| %s | skipped: %s | | %s |\n", ratio.Name, s.why, targetOf(ratio))
		}
	}
	for _, result := range b.results {
		writeRace(&t, result)
	}
	return t.String()
}

// nameOf tells apart the same ratio of exports of several sizes.
func nameOf(r *race.Race, ratio race.Ratio) string {
	if r.Records%million == 0 && r.Records > 0 {
		return fmt.Sprintf("%s, %d million", ratio.Name, r.Records/million)
	}
	return ratio.Name
}

func targetOf(ratio race.Ratio) string {
	if ratio.Target == 0 {
		return ""
	}
	return fmt.Sprintf("%.2f", ratio.Target)
}

// writeRace writes what each side has taken.
func writeRace(t *strings.Builder, result *race.Result) {
	fmt.Fprintf(t, "\n**%s, %d records**\n\n", result.Race.Title, result.Race.Records)
	t.WriteString("| | Time | A record | Bytes a second | Peak memory |\n|---|---:|---:|---:|---:|\n")
	for _, side := range result.Race.Sides {
		elapsed := result.Time(side.Name)
		fmt.Fprintf(t, "| %s | %.3f s | %d ns | %s | %s |\n", side.Name, elapsed.Seconds(), elapsed.Nanoseconds()/int64(max(1, result.Race.Records)),
			size(int64(float64(result.Bytes(side.Name))/elapsed.Seconds())), size(result.PeakMemory(side.Name)))
	}
}

// size writes a number of bytes in units of 1024.
func size(n int64) string {
	switch {
	case n == 0:
		return ""
	case n < 1<<30:
		return fmt.Sprintf("%.1f MiB", float64(n)/(1<<20))
	}
	return fmt.Sprintf("%.2f GiB", float64(n)/(1<<30))
}

// A line is one ratio for programs to read.
type line struct {
	Name    string  `json:"name"`
	Ratio   float64 `json:"ratio,omitempty"`
	Target  float64 `json:"target"`
	Skipped string  `json:"skipped,omitempty"` // why there is no ratio
}

// writeLines writes one JSON object a line for each ratio that has a target.
func (b *bench) writeLines(w io.Writer) error {
	encoder := json.NewEncoder(w)
	for _, result := range b.results {
		for _, ratio := range result.Race.Ratios {
			if ratio.Target == 0 {
				continue
			}
			hundredths := float64(int64(result.Find(ratio).Median*100 + 0.5))
			if err := encoder.Encode(line{Name: nameOf(result.Race, ratio), Ratio: hundredths / 100, Target: ratio.Target}); err != nil {
				return err
			}
		}
	}
	for _, s := range b.skipped {
		for _, ratio := range s.ratios {
			if ratio.Target == 0 {
				continue
			}
			if err := encoder.Encode(line{Name: ratio.Name, Target: ratio.Target, Skipped: s.why}); err != nil {
				return err
			}
		}
	}
	return nil
}

// The marks between which a document has the table.
const (
	tableBegin = "<!-- the table of go run ./bench begins -->\n"
	tableEnd   = "<!-- the table of go run ./bench ends -->\n"
)

// replaceTable puts the table into a document.
func replaceTable(name, table string) error {
	content, err := os.ReadFile(name)
	if err != nil {
		return err
	}
	before, rest, found := strings.Cut(string(content), tableBegin)
	_, after, foundEnd := strings.Cut(rest, tableEnd)
	if !found || !foundEnd {
		return fmt.Errorf("%s has not the lines %q and %q, between which the table would be written", name, tableBegin, tableEnd)
	}
	return os.WriteFile(name, []byte(before+tableBegin+"\n"+table+"\n"+tableEnd+after), 0o644)
}
