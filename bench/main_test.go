package main

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dataexport/dataexport/bench/internal/program"
	"github.com/dataexport/dataexport/bench/internal/race"
)

// The programs that are measured are in this binary too.
func TestMain(m *testing.M) {
	if program.Main() {
		return
	}
	os.Exit(m.Run())
}

func newBench(t *testing.T) *bench {
	b := &bench{quick: true, directory: t.TempDir(), log: t.Logf}
	require.NoError(t, os.Mkdir(filepath.Join(b.directory, "database"), 0o700))
	return b
}

// took makes a side that claims to take a time.
func took(name string, milliseconds ...int) race.Side {
	next := 0
	return race.Side{Name: name, Run: func(context.Context) (race.Sample, error) {
		sample := race.Sample{Time: time.Duration(milliseconds[next%len(milliseconds)]) * time.Millisecond, Bytes: 1 << 20}
		next++
		return sample, nil
	}}
}

func TestReport(t *testing.T) {
	b := newBench(t)
	require.NoError(t, b.run(t.Context(), &race.Race{
		Title: "Something", Records: 1000,
		Sides: []race.Side{took("ours", 999, 10, 10, 20), took("slow", 999, 40, 60, 100), took("fast", 999, 30, 20, 10)},
		Ratios: []race.Ratio{
			{Name: "something/slow", Target: 4, Ours: "ours", Theirs: []string{"slow"}},
			{Name: "something/best", Ours: "ours", Theirs: []string{"slow", "fast"}},
		},
	}, race.Effort{Least: 3, Most: 3}))
	b.skip("no such program", race.Ratio{Name: "other/program", Target: 2})

	table := b.table()
	assert.Contains(t, table, "| something/slow | 5.00 | 4.00 to 6.00 | 4.00 |\n")
	assert.Contains(t, table, "| something/best | 2.00 | 0.50 to 3.00 |  |\n")
	assert.Contains(t, table, "| other/program | skipped: no such program | | 2.00 |\n")
	assert.Contains(t, table, "| ours | 0.010 s | 10000 ns | 100.0 MiB |  |\n")

	var lines bytes.Buffer
	require.NoError(t, b.writeLines(&lines))
	assert.Equal(t, `{"name":"something/slow","ratio":5,"target":4}
{"name":"other/program","target":2,"skipped":"no such program"}
`, lines.String())
}

func TestReplaceTable(t *testing.T) {
	file := filepath.Join(t.TempDir(), "performance.md")
	require.NoError(t, os.WriteFile(file, []byte("before\n"+tableBegin+"old\n"+tableEnd+"after\n"), 0o600))
	for range 2 {
		require.NoError(t, replaceTable(file, "new\n"))
		content, err := os.ReadFile(file)
		require.NoError(t, err)
		assert.Equal(t, "before\n"+tableBegin+"\nnew\n\n"+tableEnd+"after\n", string(content))
	}
	require.NoError(t, os.WriteFile(file, []byte("nothing"), 0o600))
	assert.ErrorContains(t, replaceTable(file, "new"), "has not the lines")
}

// The document has the place for the table.
func TestTheDocumentHasItsMarks(t *testing.T) {
	content, err := os.ReadFile("../docs/performance.md")
	require.NoError(t, err)
	assert.Equal(t, 1, strings.Count(string(content), tableBegin))
	assert.Equal(t, 1, strings.Count(string(content), tableEnd))
}

// The quick run has these ratios, measured or skipped, on every machine.
func TestTheRatiosOfTheQuickRun(t *testing.T) {
	if testing.Short() {
		t.Skip("runs for some seconds")
	}
	b := newBench(t)
	b.brief = true
	require.NoError(t, b.runSections(t.Context(), ""))
	var lines bytes.Buffer
	require.NoError(t, b.writeLines(&lines))
	var names []string
	for text := range strings.Lines(lines.String()) {
		var l line
		require.NoError(t, json.Unmarshal([]byte(text), &l))
		assert.Positive(t, l.Target)
		assert.True(t, (l.Ratio > 0) != (l.Skipped != ""), text)
		names = append(names, l.Name)
	}
	assert.ElementsMatch(t, []string{
		"json/encoding-json", "json/best-library", "csv/gocsv", "csv/encoding-csv", "markdown/fmt", "postgres-csv/psql", "postgres-json/psql",
		"postgres-csv/typical", "sqlite-csv/shell", "sqlite-json/shell", "download/nginx",
	}, names)
}

func TestUnknownSection(t *testing.T) {
	assert.ErrorContains(t, newBench(t).runSections(t.Context(), "json,yaml"), `there is no section "yaml"; there are json, csv`)
}
