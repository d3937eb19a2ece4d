package main

import (
	"bytes"
	"context"
	"encoding/csv"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dataexport/dataexport"
	"github.com/dataexport/dataexport/bench/internal/records"
	"github.com/dataexport/dataexport/bench/internal/rival"
	"github.com/dataexport/dataexport/render"
)

// What is compared must be the same work: each rival writes the records that ours does.
func TestRivalsWriteTheSameRecords(t *testing.T) {
	for _, shape := range records.Shapes() {
		list := records.NewHotList(shape, 1300)
		for _, test := range []struct {
			ours   dataexport.Renderer
			rivals []rival.Writer
			parse  func(*testing.T, []byte) any
		}{
			{render.JSON(), rival.JSON(), parseJSON},
			{render.CSV(), rival.CSV(), parseCSV},
			{render.Markdown(), rival.Markdown(), headings},
		} {
			want := test.parse(t, exported(t, list, test.ours))
			require.Len(t, want, list.Len())
			assert.Equal(t, want, test.parse(t, renderedAlone(t, list, test.ours)))
			for _, other := range test.rivals {
				var b bytes.Buffer
				require.NoError(t, other.Write(&b, list.All()))
				assert.Equal(t, want, test.parse(t, b.Bytes()), "%s, %s", other.Name, shape)
			}
		}
	}
}

func exported(t *testing.T, list *records.List, r dataexport.Renderer) []byte {
	var b bytes.Buffer
	n, err := export(t.Context(), &b, datasetOf(list), r)
	require.NoError(t, err)
	require.EqualValues(t, b.Len(), n)
	return b.Bytes()
}

func renderedAlone(t *testing.T, list *records.List, r dataexport.Renderer) []byte {
	var b bytes.Buffer
	n, err := renderAlone(context.Background(), &b, datasetOf(list), r)
	require.NoError(t, err)
	require.EqualValues(t, b.Len(), n)
	return b.Bytes()
}

// parseJSON returns the objects of an array, with times in one form.
func parseJSON(t *testing.T, document []byte) any {
	var list []map[string]any
	require.NoError(t, json.Unmarshal(document, &list))
	for _, record := range list {
		for _, name := range []string{"created_at", "updated_at", "last_accessed_at"} {
			if text, ok := record[name].(string); ok {
				record[name] = instant(t, text)
			}
		}
	}
	return list
}

// parseCSV returns the records of a file, with times and lists in one form.
func parseCSV(t *testing.T, document []byte) any {
	rows, err := csv.NewReader(bytes.NewReader(document)).ReadAll()
	require.NoError(t, err)
	var list []map[string]any
	for _, cells := range rows[1:] {
		record := make(map[string]any)
		for i, name := range rows[0] {
			record[name] = cells[i]
			switch {
			case strings.HasSuffix(name, "_at") && cells[i] != "":
				record[name] = instant(t, cells[i])
			case (name == "categories" || name == "metadata") && cells[i] != "":
				var v any
				require.NoError(t, json.Unmarshal([]byte(cells[i]), &v))
				record[name] = v
			}
		}
		list = append(list, record)
	}
	return list
}

func instant(t *testing.T, text string) time.Time {
	at, err := time.Parse(time.RFC3339Nano, text)
	require.NoError(t, err)
	return at.UTC()
}

// headings returns what the sections of a Markdown document are called. The rival escapes nothing, so that texts differ.
func headings(_ *testing.T, document []byte) any {
	var list []string
	for line := range strings.Lines(string(document)) {
		if name, ok := strings.CutPrefix(line, "## "); ok {
			list = append(list, strings.TrimSpace(name))
		}
	}
	return list
}
