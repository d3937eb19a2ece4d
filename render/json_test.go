package render

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dataexport/dataexport"
	"github.com/dataexport/dataexport/internal/jsontext"
	"github.com/dataexport/dataexport/memory"
)

func TestJSONFormat(t *testing.T) {
	assert.Equal(t, dataexport.Format{Name: "json", MediaType: "application/json", Extension: "json"}, JSON().Format())
}

// account is a dataset in the shape of an archive.
func account() dataexport.Info {
	key := []dataexport.Column{{Name: "id", Kind: dataexport.KindInt, Key: 1}}
	return dataexport.Info{
		Name: "account",
		Layout: dataexport.Layout{
			Object: true,
			Head: []dataexport.HeadField{
				{Name: "format", Value: "example.\"account\".v1"}, {Name: "exportedAt", Clock: true},
			},
			CountsKey: "counts",
		},
		Collections: []dataexport.Collection{
			{Name: "account", Single: true, Columns: []dataexport.Column{
				{Name: "id", Kind: dataexport.KindInt}, {Name: "e-mail", Kind: dataexport.KindString},
			}},
			{Name: "notes", Columns: key}, {Name: "nothing", Columns: key}, {Name: "tags", Columns: key},
		},
	}
}

func accountRows() [][]dataexport.Row {
	ids := func(ids ...int64) (rows []dataexport.Row) {
		for _, id := range ids {
			rows = append(rows, dataexport.Row{dataexport.IntValue(id)})
		}
		return rows
	}
	return [][]dataexport.Row{{{dataexport.IntValue(7), dataexport.StringValue("a@example.com")}}, ids(1, 2, 3), nil, ids(9)}
}

func TestJSONGolden(t *testing.T) {
	onlySingle := account()
	onlySingle.Collections = onlySingle.Collections[:1]
	bareObject := account()
	bareObject.Layout = dataexport.Layout{Object: true}

	for name, c := range map[string]struct {
		info dataexport.Info
		rows [][]dataexport.Row
	}{
		"kinds":       {everyKind(), [][]dataexport.Row{everyKindRows()}},
		"empty":       {everyKind(), [][]dataexport.Row{nil}},
		"one":         {texts(), [][]dataexport.Row{textRows([]string{"only"})}},
		"account":     {account(), accountRows()},
		"only_single": {onlySingle, accountRows()},
		"bare_object": {bareObject, accountRows()},
	} {
		t.Run(name, func(t *testing.T) {
			got := render(t, JSON(), c.info, c.rows...)
			require.True(t, json.Valid(got), "%s", got)
			requireGolden(t, "testdata/json/"+name+".json", string(got))
		})
	}
}

// The values that encoding/json reads are those that were written.
func TestJSONReadBack(t *testing.T) {
	var rows []map[string]any
	decoder := json.NewDecoder(bytes.NewReader(render(t, JSON(), everyKind(), everyKindRows())))
	decoder.UseNumber()
	require.NoError(t, decoder.Decode(&rows))
	for i, row := range everyKindRows() {
		for j, column := range everyKind().Collections[0].Columns {
			assert.Equal(t, decodedJSON(t, row[j]), rows[i][column.Name], "row %d, column %s", i, column.Name)
		}
	}
	_, err := decoder.Token()
	require.ErrorIs(t, err, io.EOF)
}

// decodedJSON is what encoding/json makes of a value that is written as JSON.
func decodedJSON(t *testing.T, v dataexport.Value) any {
	var written any
	switch v.Kind() {
	case dataexport.KindString, dataexport.KindDecimal:
		written = v.Text()
	case dataexport.KindInt:
		written = v.Int()
	case dataexport.KindFloat:
		written = v.Float()
	case dataexport.KindBool:
		written = v.Bool()
	case dataexport.KindTime:
		text := v.Time().Format("2006-01-02T15:04:05.999999999Z")
		if v.Time().Nanosecond() == 0 {
			text = v.Time().Format("2006-01-02T15:04:05.000Z")
		}
		written = text
	case dataexport.KindJSON:
		written = json.RawMessage(v.Text())
	case dataexport.KindStrings:
		written = append([]string{}, v.Strings()...)
	case dataexport.KindUUID:
		written = uuid.UUID(*v.UUID()).String()
	case dataexport.KindNull:
	}
	text, err := json.Marshal(written)
	require.NoError(t, err)
	var back any
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.UseNumber()
	require.NoError(t, decoder.Decode(&back))
	return back
}

func TestJSONHostileTexts(t *testing.T) {
	list := hostileTexts()
	got := render(t, JSON(), texts(), textRows(list))
	require.True(t, utf8.Valid(got))
	var back []struct {
		ID   int
		Text string
	}
	require.NoError(t, json.Unmarshal(got, &back))
	require.Len(t, back, len(list))
	for i, s := range list {
		require.Equal(t, string(jsontext.AppendValid(nil, s)), back[i].Text)
	}
	require.Equal(t, len(list)+2, bytes.Count(got, []byte("\n")), "a record a line")
}

func TestJSONErrors(t *testing.T) {
	info := everyKind()
	open := func() dataexport.Encoder {
		encoder, err := JSON().Open(context.Background(), io.Discard, &dataexport.Doc{Info: info})
		require.NoError(t, err)
		require.NoError(t, encoder.Begin(&info.Collections[0]))
		return encoder
	}
	for _, c := range []struct {
		column int
		value  dataexport.Value
		want   string
	}{
		{6, dataexport.JSONValue([]byte(`{"a": }`)), `column "json": invalid JSON at byte 6: "}" stands where a value is expected`},
		{6, dataexport.JSONValue(nil), `column "json": invalid JSON at byte 0: the text ends where a value is expected`},
		{5, dataexport.UnixValue(1<<60, 0), `column "time": the year of the time is not in 0000 to 9999, the years of RFC 3339`},
	} {
		row := everyKindRows()[0]
		row[c.column] = c.value
		err := open().Row(row)
		require.ErrorIs(t, err, dataexport.ErrBadRow)
		require.ErrorContains(t, err, c.want)
	}

	_, err := JSON().Open(context.Background(), io.Discard, &dataexport.Doc{Info: account(), Time: time.Unix(1<<60, 0)})
	require.ErrorIs(t, err, dataexport.ErrInvalid)
}

// Large records do not split, and small ones are gathered.
func TestJSONWritesInPieces(t *testing.T) {
	var sizes []int
	info := texts()
	w := writerFunc(func(p []byte) (int, error) {
		sizes = append(sizes, len(p))
		return len(p), nil
	})
	encoder, err := JSON().Open(context.Background(), w, &dataexport.Doc{Info: info})
	require.NoError(t, err)
	require.NoError(t, encoder.Begin(&info.Collections[0]))
	for range 1000 {
		require.NoError(t, encoder.Row(dataexport.Row{dataexport.IntValue(1), dataexport.StringValue(strings.Repeat("x", 1000))}))
	}
	require.NoError(t, encoder.Row(dataexport.Row{dataexport.IntValue(1), dataexport.StringValue(strings.Repeat("x", 1_000_000))}))
	require.NoError(t, encoder.Finish(dataexport.Summary{}))
	require.NoError(t, encoder.Close())
	for _, size := range sizes[:len(sizes)-2] {
		assert.InDelta(t, outputSize, size, 1100)
	}
	assert.Greater(t, sizes[len(sizes)-2], 1_000_000)
}

func TestNoAllocationForARecord(t *testing.T) {
	rows := benchmarkRows(t, benchmarkRecords(200))
	info := memory.Info()
	kinds := everyKind()
	for _, renderer := range []dataexport.Renderer{JSON(), CSV()} {
		encoder, err := renderer.Open(context.Background(), io.Discard, &dataexport.Doc{Info: info})
		require.NoError(t, err)
		require.NoError(t, encoder.Begin(&info.Collections[0]))
		assert.Zero(t, testing.AllocsPerRun(20, func() {
			for _, row := range rows {
				_ = encoder.Row(row)
			}
		}), renderer.Format().Name)

		encoder, err = renderer.Open(context.Background(), io.Discard, &dataexport.Doc{Info: kinds})
		require.NoError(t, err)
		require.NoError(t, encoder.Begin(&kinds.Collections[0]))
		all := everyKindRows()
		assert.Zero(t, testing.AllocsPerRun(200, func() {
			for _, row := range all {
				_ = encoder.Row(row)
			}
		}), renderer.Format().Name)
	}
}

func FuzzJSON(f *testing.F) {
	for _, s := range hostileTexts() {
		f.Add(s, `{"a":1}`)
	}
	f.Fuzz(func(t *testing.T, s, raw string) {
		if !json.Valid([]byte(raw)) {
			raw = "[ ]"
		}
		info := everyKind()
		row := everyKindRows()[0]
		row[1], row[6], row[7] = dataexport.StringValue(s), dataexport.JSONValue([]byte(raw)), dataexport.StringsValue([]string{s, s})
		var back []struct {
			String  string
			JSON    json.RawMessage
			Strings []string
		}
		require.NoError(t, json.Unmarshal(render(t, JSON(), info, []dataexport.Row{row}), &back))
		want := string(jsontext.AppendValid(nil, s))
		require.Equal(t, want, back[0].String)
		require.Equal(t, []string{want, want}, back[0].Strings)
		var compact bytes.Buffer
		require.NoError(t, json.Compact(&compact, []byte(raw)))
		require.Equal(t, string(jsontext.AppendValid(nil, compact.String())), string(back[0].JSON))
	})
}
