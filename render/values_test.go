package render

import (
	"bytes"
	"context"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/dataexport/dataexport"
)

// documentTime is the clock of the documents in tests.
var documentTime = time.Date(2026, 1, 15, 10, 30, 0, 0, time.UTC)

// everyKind is a dataset with a column of each kind, all of them nullable but the first.
func everyKind() dataexport.Info {
	columns := []dataexport.Column{{Name: "id", Kind: dataexport.KindInt, Key: 1}}
	for _, kind := range []dataexport.Kind{
		dataexport.KindString, dataexport.KindInt, dataexport.KindFloat, dataexport.KindBool, dataexport.KindTime,
		dataexport.KindJSON, dataexport.KindStrings, dataexport.KindUUID, dataexport.KindDecimal,
	} {
		columns = append(columns, dataexport.Column{Name: kind.String(), Kind: kind, Nullable: true})
	}
	return dataexport.Info{Name: "kinds", Collections: []dataexport.Collection{{Name: "kinds", Columns: columns}}}
}

// everyKindRows are rows of everyKind: plain ones, extremes of each kind, and null in every column.
func everyKindRows() []dataexport.Row {
	id := [16]byte{0x01, 0x8f, 0x3c, 0x2a, 0x9b, 0x1d, 0x7e, 0x4f, 0x8a, 0x6b, 0x5c, 0xde, 0xf0, 0x12, 0x34, 0x56}
	return []dataexport.Row{
		{
			dataexport.IntValue(1), dataexport.StringValue("plain text"), dataexport.IntValue(42), dataexport.FloatValue(0.1),
			dataexport.BoolValue(true), dataexport.TimeValue(documentTime), dataexport.JSONValue([]byte(`{"a": [1, 2.50, "x"]}`)),
			dataexport.StringsValue([]string{"one", "two, three"}), dataexport.UUIDValue(&id), dataexport.DecimalValue("19.90"),
		},
		{dataexport.IntValue(2), {}, {}, {}, {}, {}, {}, {}, {}, {}},
		{
			dataexport.IntValue(3), dataexport.StringValue(""), dataexport.IntValue(math.MinInt64), dataexport.FloatValue(-1e21),
			dataexport.BoolValue(false), dataexport.UnixValue(0, 1), dataexport.JSONValue([]byte(" null ")),
			dataexport.StringsValue(nil), dataexport.UUIDValue(new([16]byte)), dataexport.DecimalValue("-3e7"),
		},
		{
			dataexport.IntValue(4), dataexport.StringValue("=1+1"), dataexport.IntValue(math.MaxInt64), dataexport.FloatValue(5e-324),
			dataexport.BoolValue(true), dataexport.UnixValue(-62167219200, 0), dataexport.TrustedJSONValue([]byte(`{"id":12345678901234567890}`)),
			dataexport.StringsValue([]string{"", "=x", "\n"}), dataexport.UUIDValue(&id), dataexport.DecimalValue("12345678901234567890.123456789"),
		},
		{
			dataexport.IntValue(5), dataexport.StringValue("line\r\nline \"quoted\"\t\x00\x1f\u202e\xff"), dataexport.IntValue(-1), dataexport.FloatValue(1e-7),
			dataexport.BoolValue(false), dataexport.UnixValue(253402300799, 999_999_999), dataexport.JSONValue([]byte("\"\xff\\ud800\"")),
			dataexport.StringsValue([]string{"\xff", "日本語"}), dataexport.UUIDValue(&id), dataexport.DecimalValue("0"),
		},
	}
}

// hostileTexts break a writer or a reader that is not careful. They are also the seeds of fuzz targets.
func hostileTexts() []string {
	texts := []string{
		"", " ", "a", " a", "a ", "a,b", ",", "\"", "\"\"", "a\"b", "\"a\"", "\n", "\r", "\r\n", "a\nb", "a\r\nb", "\t", "\x00", "\x1b[31m", "\x7f",
		"=1+1", "+1", "-1", "@x", "\t=1", "\r=1", "\n=1", "'", "''", "'=1", "''=1", "'a", "'''", "=", "＝1", "＋1", "－1", "＠x", "'＝1",
		"\uFFFD", "\xff", "\xff=1", "=\xff", "a\xc3", "\xef", "\xef\xbc", "\xef\xbc\x9d", "\uFEFF", "\uFEFFa", "\u2028\u2029\u0085", "\u202e\u2066",
		"é", "日本語", "😀", "12345678", "1234567,", "1234567\"9", "12345678\"", "1234567 ", "a\u00a0", "\\", `\"`, "null", "[]", "{}", "true", "1,5",
		strings.Repeat("long line without an end ", 4000), strings.Repeat("\"", 1000), strings.Repeat("é,", 1000), strings.Repeat("x", 70_000),
	}
	for length := 1; length < 20; length++ {
		for _, special := range []string{"\"", ",", "\n", "\xff"} {
			texts = append(texts, strings.Repeat("m", length)+special, strings.Repeat("m", length)+special+"mm")
		}
	}
	return texts
}

// render renders a document of all collections of info.
func render(tb testing.TB, renderer dataexport.Renderer, info dataexport.Info, collections ...[]dataexport.Row) []byte {
	tb.Helper()
	var out bytes.Buffer
	require.NoError(tb, renderer.Check(info))
	encoder, err := renderer.Open(context.Background(), &out, &dataexport.Doc{Info: info, Time: documentTime})
	require.NoError(tb, err)
	summary := dataexport.Summary{Counts: make([]int64, len(info.Collections))}
	for i := range info.Collections {
		require.NoError(tb, encoder.Begin(&info.Collections[i]))
		for _, row := range collections[i] {
			require.NoError(tb, encoder.Row(row))
			summary.Counts[i]++
			if !info.Collections[i].Single {
				summary.Records++
			}
		}
	}
	require.NoError(tb, encoder.Finish(summary))
	require.NoError(tb, encoder.Close())
	return out.Bytes()
}

// texts is a dataset of one text column that may be null, behind a number.
func texts() dataexport.Info {
	return dataexport.Info{Name: "texts", Collections: []dataexport.Collection{{Name: "texts", Columns: []dataexport.Column{
		{Name: "id", Kind: dataexport.KindInt, Key: 1}, {Name: "text", Kind: dataexport.KindString, Nullable: true},
	}}}}
}

func textRows(list []string) []dataexport.Row {
	rows := make([]dataexport.Row, len(list))
	for i, s := range list {
		rows[i] = dataexport.Row{dataexport.IntValue(int64(i)), dataexport.StringValue(s)}
	}
	return rows
}
