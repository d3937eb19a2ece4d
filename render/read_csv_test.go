package render

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dataexport/dataexport"
	"github.com/dataexport/dataexport/internal/jsontext"
	"github.com/dataexport/dataexport/memory"
)

// readFields reads all cells of a file.
func readFields(r io.Reader, o CSVReadOptions) (header []string, rows [][]CSVField, err error) {
	reader := NewCSVReader(r, o)
	if header, err = reader.Header(); err != nil {
		return nil, nil, err
	}
	for {
		fields, err := reader.Read()
		if errors.Is(err, io.EOF) {
			return header, rows, nil
		}
		if err != nil {
			return header, rows, err
		}
		rows = append(rows, append([]CSVField{}, fields...))
	}
}

func TestCSVReader(t *testing.T) {
	header, rows, err := readFields(strings.NewReader("\uFEFFid,\"a \"\"b\"\"\"\r\n1,\r\n\"\",\"\"\r\n x ,\"1\r\n2,\"\"3\"\r\n'=1,'x\r\n'''a,'\r\n"), CSVReadOptions{})
	require.NoError(t, err)
	assert.Equal(t, []string{"id", `a "b"`}, header)
	assert.Equal(t, [][]CSVField{
		{{Text: "1"}, {Null: true}},
		{{}, {}},
		{{Text: " x "}, {Text: "1\r\n2,\"3"}},
		{{Text: "=1"}, {Text: "'x"}},
		{{Text: "''a"}, {Text: "'"}},
	}, rows)

	_, rows, err = readFields(strings.NewReader("a\r\n'=1\r\n\r\n"), CSVReadOptions{NoFormulaGuard: true})
	require.NoError(t, err)
	assert.Equal(t, [][]CSVField{{{Text: "'=1"}}, {{Null: true}}}, rows)
}

func TestCSVReaderErrors(t *testing.T) {
	for file, want := range map[string]string{
		"":                          "line 1, column 0: the file has no header row",
		"\uFEFF":                    "line 1, column 0: the file has no header row",
		"a":                         "line 1, column 1: the file ends within a row; the rest of it is missing",
		"a,b\r":                     "line 1, column 4: the file ends within a row; the rest of it is missing",
		"a,b\r\n1,":                 "line 2, column 2: the file ends within a row; the rest of it is missing",
		"a,b\r\n1,\"2":              "line 2, column 4: the file ends within a row; the rest of it is missing",
		"a,b\r\n1,\"2\"":            "line 2, column 5: the file ends within a row; the rest of it is missing",
		"a,b\r\n1,2":                "line 2, column 3: the file ends within a row; the rest of it is missing",
		"a,b\n1,2\n":                "line 1, column 4: a line ends with LF alone, and must end with CR LF",
		"a,b\r\n1,2\rx":             "line 2, column 5: a carriage return stands alone, and a line must end with CR LF",
		"a,b\r\n1,2\"\r\n":          "line 2, column 4: a quotation mark stands in a cell that is not in quotes",
		"a,b\r\n1,\"2\"x\r\n":       "line 2, column 6: there is more behind the quotation mark that ends a cell; inside of one it must be doubled",
		"a,b\r\n1\r\n":              "line 2, column 3: the row has 1 cells, and the header has 2",
		"a,b\r\n1,2,3\r\n":          "line 2, column 4: the row has more than 2 cells",
		"a,b\r\n\r\n":               "line 2, column 2: the row has 1 cells, and the header has 2",
		"a,b\r\n\"1\n\n2\",\"x\n":   "line 4, column 6: the file ends within a row; the rest of it is missing",
		"a\r\nxx\r\n\"1\n2\n\n3\"x": "line 6, column 3: there is more behind the quotation mark that ends a cell; inside of one it must be doubled",
		"a\r\n\"1\n2\n\"x":          "line 4, column 2: there is more behind the quotation mark that ends a cell; inside of one it must be doubled",
		"a\r\n\"\"\"\n1\n23\"x":     "line 4, column 4: there is more behind the quotation mark that ends a cell; inside of one it must be doubled",
		"a\r\n12345678901\r\n":      "line 2, column 11: the cell is larger than 10 bytes, the MaxCell of the options",
		"a\r\n\"12345678901\"":      "line 2, column 12: the cell is larger than 10 bytes, the MaxCell of the options",
	} {
		_, _, err := readFields(strings.NewReader(file), CSVReadOptions{MaxCell: 10})
		var csvErr *CSVError
		require.ErrorAs(t, err, &csvErr, "%q", file)
		assert.EqualError(t, err, "csv: "+want, "%q", file)
		_, _, err = readFields(iotest.OneByteReader(strings.NewReader(file)), CSVReadOptions{MaxCell: 10})
		assert.EqualError(t, err, "csv: "+want, "%q read byte by byte", file)
	}
	_, rows, err := readFields(strings.NewReader("a\r\n1234567890\r\n"), CSVReadOptions{MaxCell: 10})
	require.NoError(t, err)
	assert.Equal(t, "1234567890", rows[0][0].Text)

	_, _, err = readFields(strings.NewReader(strings.Repeat("a,", 1<<20)), CSVReadOptions{})
	require.ErrorContains(t, err, "the row has more than 16384 cells")

	broken := errors.New("the disk is gone")
	_, _, err = readFields(iotest.TimeoutReader(iotest.OneByteReader(strings.NewReader("a\r\n1\r\n"))), CSVReadOptions{})
	require.ErrorIs(t, err, iotest.ErrTimeout)
	_, rows, err = readFields(iotest.OneByteReader(strings.NewReader("a\r\n1\r\n")), CSVReadOptions{})
	require.NoError(t, err)
	require.Len(t, rows, 1)
	_, _, err = readFields(io.MultiReader(strings.NewReader("a\r\n1"), iotest.ErrReader(broken)), CSVReadOptions{})
	require.ErrorIs(t, err, broken)
}

func TestCSVReaderKeepsItsError(t *testing.T) {
	reader := NewCSVReader(strings.NewReader("a\r\nx\"\r\n1\r\n"), CSVReadOptions{})
	_, first := reader.Read()
	require.Error(t, first)
	_, second := reader.Read()
	assert.Equal(t, first, second)
	header, err := reader.Header()
	require.NoError(t, err)
	assert.Equal(t, []string{"a"}, header)
}

// A file that is cut anywhere but behind a row is an error; no part of a cell is taken for a cell.
func TestCSVReaderFindsEveryCut(t *testing.T) {
	file := string(render(t, CSV(), everyKind(), everyKindRows()))
	_, whole, err := readFields(strings.NewReader(file), CSVReadOptions{})
	require.NoError(t, err)
	complete := 0
	for cut := range len(file) {
		_, rows, err := readFields(strings.NewReader(file[:cut]), CSVReadOptions{})
		require.Equal(t, whole[:len(rows)], append([][]CSVField{}, rows...))
		if err == nil {
			require.True(t, strings.HasSuffix(file[:cut], "\r\n"))
			complete++
		}
	}
	assert.Equal(t, len(everyKindRows()), complete)
}

func checkCSVRoundTrip(t *testing.T, list []string, o CSVOptions) {
	t.Helper()
	rows := textRows(list)
	rows = append(rows, dataexport.Row{dataexport.IntValue(int64(len(rows))), {}})
	file := render(t, CSVWith(o), texts(), rows)
	_, back, err := readFields(bytes.NewReader(file), CSVReadOptions{NoFormulaGuard: o.NoFormulaGuard})
	require.NoError(t, err)
	require.Len(t, back, len(rows))
	for i, s := range list {
		require.Equal(t, CSVField{Text: string(jsontext.AppendValid(nil, s))}, back[i][1], "%q", s)
	}
	require.Equal(t, CSVField{Null: true}, back[len(list)][1])
}

func TestCSVRoundTrip(t *testing.T) {
	for _, o := range []CSVOptions{{}, {NoFormulaGuard: true}, {BOM: true}} {
		checkCSVRoundTrip(t, hostileTexts(), o)
	}
}

func FuzzCSVRoundTrip(f *testing.F) {
	for _, s := range hostileTexts() {
		f.Add(s, "next", true)
		f.Add("'"+s, s+"\r\n", false)
	}
	f.Fuzz(func(t *testing.T, a, b string, noGuard bool) {
		checkCSVRoundTrip(t, []string{a, b, a + b}, CSVOptions{NoFormulaGuard: noGuard})
	})
}

// Whatever the reader accepts it also accepts when it is written again, and reads the same from it.
func FuzzCSVReader(f *testing.F) {
	f.Add(string([]byte("a,b\r\n1,\"x\"\"\r\n\"\r\n")))
	f.Add("a\r\n\r\n\"\"\r\n")
	f.Add("a,b\n1,2\n")
	f.Fuzz(func(t *testing.T, file string) {
		header, rows, err := readFields(strings.NewReader(file), CSVReadOptions{NoFormulaGuard: true, MaxCell: 1000})
		if err != nil {
			return
		}
		info := dataexport.Info{Name: "any", Collections: []dataexport.Collection{{Name: "any"}}}
		for _, name := range header {
			info.Collections[0].Columns = append(info.Collections[0].Columns, dataexport.Column{Name: name, Kind: dataexport.KindString, Nullable: true})
		}
		written := make([]dataexport.Row, len(rows))
		for i, fields := range rows {
			written[i] = make(dataexport.Row, len(fields))
			for j, field := range fields {
				if !field.Null {
					written[i][j] = dataexport.StringValue(field.Text)
				}
				rows[i][j].Text = string(jsontext.AppendValid(nil, field.Text))
			}
		}
		again := render(t, CSVWith(CSVOptions{NoFormulaGuard: true}), info, written)
		_, back, err := readFields(bytes.NewReader(again), CSVReadOptions{NoFormulaGuard: true})
		require.NoError(t, err)
		require.Equal(t, rows, back)
	})
}

// A csvMemory is a memory.Record as a program would read it from CSV.
type csvMemory struct {
	ID             string          `csv:"id"`
	WorkspaceID    string          `csv:"workspace_id"`
	Content        string          `csv:"content"`
	UserID         *string         `csv:"user_id"`
	AgentID        *string         `csv:"agent_id"`
	SessionID      *string         `csv:"session_id"`
	Priority       *string         `csv:"priority"`
	Status         *string         `csv:"status"`
	Categories     []string        `csv:"categories"`
	Metadata       json.RawMessage `csv:"metadata"`
	AccessCount    *int64          `csv:"access_count"`
	LastAccessedAt *time.Time      `csv:"last_accessed_at"`
	CreatedAt      time.Time       `csv:"created_at"`
	UpdatedAt      *time.Time      `csv:"updated_at"`
}

func TestReadCSVMemories(t *testing.T) {
	records := benchmarkRecords(300)
	empty, count := "", int64(0)
	at := documentTime.Add(123456789)
	records = append(records,
		memory.Record{ID: "nulls", CreatedAt: at},
		memory.Record{ID: "empty", UserID: &empty, AgentID: &empty, SessionID: &empty, Priority: &empty, Status: &empty, Categories: []string{},
			Metadata: json.RawMessage(`{}`), AccessCount: &count, LastAccessedAt: &at, CreatedAt: at, UpdatedAt: &at},
		memory.Record{ID: "=hostile", Content: "=1+1\r\n\"x\",'\x00", UserID: ptr("'"), AgentID: ptr("'@a"), Categories: []string{"", "a,b", "\"", "=x"},
			Metadata: json.RawMessage(`{"n":12345678901234567890,"t":"'=\u0000"}`), CreatedAt: at},
	)
	for i := range records {
		records[i].WorkspaceID = "ws"
	}
	var file bytes.Buffer
	summary, err := dataexport.Export(context.Background(), &file, memory.Slice(records), CSV(), dataexport.Query{Scope: dataexport.Scope{WorkspaceID: "ws"}})
	require.NoError(t, err)
	require.EqualValues(t, len(records), summary.Records)

	want := make(map[string]memory.Record)
	for _, r := range records {
		want[r.ID] = r
	}
	for record, err := range ReadCSV[csvMemory](&file, CSVReadOptions{}) {
		require.NoError(t, err)
		require.Equal(t, want[record.ID], memory.Record(*record))
		delete(want, record.ID)
	}
	require.Empty(t, want)
}

func ptr[T any](v T) *T { return &v }

func TestReadCSVEveryKind(t *testing.T) {
	type record struct {
		ID      int64            `csv:"id"`
		String  *string          `csv:"string"`
		Int     *int64           `csv:"int"`
		Float   *float64         `csv:"float"`
		Bool    *bool            `csv:"bool"`
		Time    *time.Time       `csv:"time"`
		JSON    *json.RawMessage `csv:"json"`
		Strings []string         `csv:"strings"`
		UUID    *uuid.UUID       `csv:"uuid"`
		Decimal *string          `csv:"decimal"`
	}
	rows := everyKindRows()
	i := 0
	for r, err := range ReadCSV[record](bytes.NewReader(render(t, CSV(), everyKind(), rows)), CSVReadOptions{}) {
		require.NoError(t, err)
		row := rows[i]
		require.Equal(t, row[0].Int(), r.ID)
		if row[1].IsNull() {
			require.Equal(t, &record{ID: 2}, r)
			i++
			continue
		}
		require.Equal(t, string(jsontext.AppendValid(nil, row[1].Text())), *r.String)
		require.Equal(t, row[2].Int(), *r.Int)
		require.InDelta(t, row[3].Float(), *r.Float, 0)
		require.Equal(t, row[4].Bool(), *r.Bool)
		require.True(t, row[5].Time().Equal(*r.Time))
		compact, err := jsontext.AppendCompact(nil, row[6].Text())
		require.NoError(t, err)
		require.Equal(t, string(compact), string(*r.JSON))
		require.NotNil(t, r.Strings)
		require.Len(t, r.Strings, len(row[7].Strings()))
		require.Equal(t, *row[8].UUID(), [16]byte(*r.UUID))
		require.Equal(t, row[9].Text(), *r.Decimal)
		i++
	}
	require.Equal(t, len(rows), i)
}

func TestReadCSVErrors(t *testing.T) {
	type record struct {
		A *int64 `csv:"a"`
		B *int64 `csv:"b"`
	}
	for file, want := range map[string]string{
		"":                     "csv: line 1, column 0: the file has no header row",
		"a,b\r\n1,2\r\n,x\r\n": `csv: line 3, cell 2 (b): strconv.ParseInt: parsing "x": invalid syntax`,
		"a,b\r\n1,2\r\n3,4":    "csv: line 3, column 3: the file ends within a row; the rest of it is missing",
		"a,b\r\n1,2\r\n3\r\n":  "csv: line 3, column 3: the row has 1 cells, and the header has 2",
	} {
		var last error
		for r, err := range ReadCSV[record](strings.NewReader(file), CSVReadOptions{}) {
			require.NoError(t, last)
			require.Equal(t, err == nil, r != nil)
			last = err
		}
		require.EqualError(t, last, want)
	}
	for _, err := range ReadCSV[int](strings.NewReader("a\r\n1\r\n"), CSVReadOptions{}) {
		require.ErrorContains(t, err, "only struct supported")
	}
}

func TestReadCSVStopsWhenAsked(t *testing.T) {
	type record struct {
		A int64 `csv:"a"`
	}
	file := io.MultiReader(strings.NewReader("a\r\n1\r\n2\r\n"), iotest.ErrReader(errors.New("read too far")))
	for r, err := range ReadCSV[record](file, CSVReadOptions{}) {
		require.NoError(t, err)
		require.EqualValues(t, 1, r.A)
		break
	}
}
