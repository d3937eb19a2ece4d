package render

import (
	"bytes"
	"context"
	"encoding/csv"
	"io"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dataexport/dataexport"
	"github.com/dataexport/dataexport/internal/jsontext"
)

func TestCSVFormat(t *testing.T) {
	assert.Equal(t, dataexport.Format{Name: "csv", MediaType: "text/csv", Extension: "csv"}, CSV().Format())
}

func TestCSVCheck(t *testing.T) {
	single := account()
	single.Collections = single.Collections[:1]
	object := texts()
	object.Layout.Object = true

	require.NoError(t, CSV().Check(texts()))
	require.EqualError(t, CSV().Check(account()), "csv holds one list of records, and account is made of 4; choose another format")
	require.EqualError(t, CSV().Check(single), "csv holds one list of records, and account is an object; choose another format")
	require.EqualError(t, CSV().Check(object), "csv holds one list of records, and texts is an object; choose another format")
	require.Error(t, CSV().Check(dataexport.Info{}))
}

// headerOnly is a dataset whose column names need care.
func headerOnly() dataexport.Info {
	info := dataexport.Info{Name: "names", Collections: []dataexport.Collection{{Name: "names"}}}
	for _, name := range []string{"\uFEFFid", "plain", "a,b", "say \"x\"", " padded ", "line\nend", "=name", "naïve", "bad\xff"} {
		info.Collections[0].Columns = append(info.Collections[0].Columns, dataexport.Column{Name: name, Kind: dataexport.KindInt})
	}
	return info
}

func TestCSVGolden(t *testing.T) {
	short := []string{}
	for _, s := range hostileTexts() {
		if len(s) < 40 {
			short = append(short, s)
		}
	}
	for name, c := range map[string]struct {
		renderer dataexport.Renderer
		info     dataexport.Info
		rows     []dataexport.Row
	}{
		"kinds":    {CSV(), everyKind(), everyKindRows()},
		"empty":    {CSV(), everyKind(), nil},
		"hostile":  {CSV(), texts(), textRows(short)},
		"no_guard": {CSVWith(CSVOptions{NoFormulaGuard: true}), texts(), textRows(short)},
		"bom":      {CSVWith(CSVOptions{BOM: true}), texts(), textRows([]string{"ä"})},
		"header":   {CSV(), headerOnly(), nil},
	} {
		t.Run(name, func(t *testing.T) {
			requireGolden(t, "testdata/csv/"+name+".csv", string(render(t, c.renderer, c.info, c.rows)))
		})
	}
}

// encoding/csv reads the same cells, but for CR LF in a cell, which it turns into LF, and null, which it does not know.
func TestCSVReadByEncodingCSV(t *testing.T) {
	list := hostileTexts()
	out := render(t, CSVWith(CSVOptions{NoFormulaGuard: true}), texts(), textRows(list))
	require.True(t, utf8.Valid(out))
	rows, err := csv.NewReader(bytes.NewReader(out)).ReadAll()
	require.NoError(t, err)
	require.Len(t, rows, len(list)+1)
	for i, s := range list {
		want := strings.ReplaceAll(string(jsontext.AppendValid(nil, s)), "\r\n", "\n")
		require.Equal(t, want, rows[i+1][1])
	}
}

// No cell of a text can be taken for a formula by a program that looks at its first character.
func TestCSVFormulaGuard(t *testing.T) {
	rows, err := csv.NewReader(bytes.NewReader(render(t, CSV(), texts(), textRows(hostileTexts())))).ReadAll()
	require.NoError(t, err)
	guarded := 0
	for _, row := range rows[1:] {
		require.False(t, strings.ContainsAny(firstRune(row[1]), "=+-@\t\r\n＝＋－＠"), "%q", row[1])
		if strings.HasPrefix(row[1], "'") {
			guarded++
		}
	}
	require.Greater(t, guarded, 20)
}

func firstRune(s string) string {
	_, size := utf8.DecodeRuneInString(s)
	return s[:size]
}

func TestCSVLeavesOtherKindsAlone(t *testing.T) {
	info := everyKind()
	for _, c := range []struct {
		column int
		value  dataexport.Value
		want   string
	}{
		{2, dataexport.IntValue(-1), "-1"},
		{3, dataexport.FloatValue(-1.5), "-1.5"},
		{6, dataexport.JSONValue([]byte(" -1 ")), "-1"},
		{6, dataexport.JSONValue([]byte(` "=1" `)), `"""=1"""`},
		{6, dataexport.TrustedJSONValue([]byte(`{"a":1}`)), `"{""a"":1}"`},
		{7, dataexport.StringsValue([]string{"=1"}), `"[""=1""]"`},
		{9, dataexport.DecimalValue("-19.90"), "-19.90"},
		{9, dataexport.DecimalValue("+1e-7"), "+1e-7"},
		{9, dataexport.DecimalValue("-1+cmd|x"), "'-1+cmd|x"}, // which is no decimal
		{9, dataexport.DecimalValue("1e"), "1e"},
		{9, dataexport.DecimalValue("-"), "'-"},
		{9, dataexport.DecimalValue("=1"), "'=1"},
		{9, dataexport.DecimalValue("1-1"), "1-1"},
	} {
		row := make(dataexport.Row, 10)
		row[0], row[c.column] = dataexport.IntValue(1), c.value
		_, got, _ := strings.Cut(string(render(t, CSV(), info, []dataexport.Row{row})), "\r\n")
		assert.Equal(t, "1"+strings.Repeat(",", c.column)+c.want+strings.Repeat(",", 9-c.column)+"\r\n", got)
	}
}

func TestCSVErrors(t *testing.T) {
	info := everyKind()
	for _, c := range []struct {
		column int
		value  dataexport.Value
		want   string
	}{
		{6, dataexport.JSONValue([]byte(`{"a"`)), `column "json": invalid JSON at byte 4: the text ends where ':' is expected`},
		{5, dataexport.UnixValue(-1<<60, 0), `column "time": the year of the time is not in 0000 to 9999`},
	} {
		encoder, err := CSV().Open(context.Background(), io.Discard, &dataexport.Doc{Info: info})
		require.NoError(t, err)
		require.NoError(t, encoder.Begin(&info.Collections[0]))
		row := everyKindRows()[0]
		row[c.column] = c.value
		err = encoder.Row(row)
		require.ErrorIs(t, err, dataexport.ErrBadRow)
		require.ErrorContains(t, err, c.want)
		require.NoError(t, encoder.Close())
	}
}

// appendCSVTextPlain is the plain twin of csvText.append.
func appendCSVTextPlain(s string, guard bool) string {
	s = string(jsontext.AppendValid(nil, s))
	if guard && s != "" && strings.ContainsAny(firstRune(s), "=+-@\t\r\n'＝＋－＠") {
		s = "'" + s
	}
	control := strings.ContainsFunc(s, func(r rune) bool { return r < ' ' })
	if s == "" || control || strings.ContainsAny(s, `",`) || strings.HasPrefix(s, " ") || strings.HasSuffix(s, " ") {
		return `"` + strings.ReplaceAll(s, `"`, `""`) + `"`
	}
	return s
}

func checkCSVText(t *testing.T, s string) {
	t.Helper()
	for _, guard := range []bool{true, false} {
		text := csvText{guard: guard}
		require.Equal(t, "x"+appendCSVTextPlain(s, guard), string(text.append([]byte("x"), s)), "%q", s)
		require.Equal(t, appendCSVTextPlain(s, guard), string(text.append(make([]byte, 0, 4*len(s)), s)), "%q", s)
	}
}

func TestCSVText(t *testing.T) {
	for _, s := range hostileTexts() {
		checkCSVText(t, s)
	}
	for length := 1; length <= 20; length++ {
		for place := range length {
			for c := range 256 {
				text := []byte(strings.Repeat("m", length))
				text[place] = byte(c)
				checkCSVText(t, string(text))
			}
		}
	}
}

func FuzzCSVText(f *testing.F) {
	for _, s := range hostileTexts() {
		f.Add(s)
	}
	f.Fuzz(checkCSVText)
}
