package render

import (
	"bytes"
	"context"
	"errors"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dataexport/dataexport"
)

// notes is a collection with a column of every kind.
var notes = dataexport.Info{Name: "notes", Collections: []dataexport.Collection{{
	Name: "notes",
	Columns: []dataexport.Column{
		{Name: "text", Kind: dataexport.KindString, Role: dataexport.RoleBody, Nullable: true},
		{Name: "id", Kind: dataexport.KindString, Role: dataexport.RoleID, Key: 1},
		{Name: "user_id", Kind: dataexport.KindString, Nullable: true},
		{Name: "tags", Kind: dataexport.KindStrings, Nullable: true},
		{Name: "meta*data", Kind: dataexport.KindJSON, Nullable: true},
		{Name: "count", Kind: dataexport.KindInt, Nullable: true},
		{Name: "score", Kind: dataexport.KindFloat, Nullable: true},
		{Name: "is done", Kind: dataexport.KindBool, Nullable: true},
		{Name: "made_at", Kind: dataexport.KindTime, Nullable: true},
		{Name: "owner", Kind: dataexport.KindUUID, Nullable: true},
		{Name: "price", Kind: dataexport.KindDecimal, Nullable: true},
	},
}}}

// note returns a row of notes with null in the columns that values leave out.
func note(id, body string, values ...dataexport.Value) dataexport.Row {
	row := make(dataexport.Row, len(notes.Collections[0].Columns))
	row[0], row[1] = dataexport.StringValue(body), dataexport.StringValue(id)
	copy(row[2:], values)
	return row
}

func renderRows(tb testing.TB, renderer dataexport.Renderer, doc *dataexport.Doc, rows ...dataexport.Row) []byte {
	tb.Helper()
	var out bytes.Buffer
	encoder, err := renderer.Open(context.Background(), &out, doc)
	require.NoError(tb, err)
	require.NoError(tb, encoder.Begin(&doc.Info.Collections[0]))
	for _, row := range rows {
		require.NoError(tb, encoder.Row(row))
	}
	require.NoError(tb, encoder.Finish(dataexport.Summary{Records: int64(len(rows)), Counts: []int64{int64(len(rows))}}))
	require.NoError(tb, encoder.Close())
	return out.Bytes()
}

// renderJudged renders rows as Markdown and lets the judge look at the document.
func renderJudged(tb testing.TB, doc *dataexport.Doc, rows ...dataexport.Row) string {
	tb.Helper()
	source := renderRows(tb, Markdown(), doc, rows...)
	if err := judgeMarkdown(source, doc, rows); err != nil {
		tb.Fatalf("%.2000v\n%.5000s", err, source)
	}
	return string(source)
}

func TestMarkdownGolden(t *testing.T) {
	owner := [16]byte{0x01, 0x9b, 0xc0, 0xde, 0x12, 0x34, 0x70, 0x00, 0x80, 0, 0, 0, 0, 0, 0, 1}
	made := dataexport.UnixValue(1768473000, 123_000_000)
	made9 := time.Date(2026, 1, 15, 10, 30, 0, 0, time.UTC)
	everyKind := note("note-1", "Prefers short answers without a preamble; works from home.\n\nHas two cats.",
		dataexport.StringValue("user_007"),
		dataexport.StringsValue([]string{"work", "food & drink", "Paris, France", "", `"quoted"`}),
		dataexport.JSONValue([]byte(" {\"source\": \"chat\",\n \"turn\": 3} ")),
		dataexport.IntValue(-3), dataexport.FloatValue(0.25), dataexport.BoolValue(true), made,
		dataexport.UUIDValue(&owner), dataexport.DecimalValue("19.90"))
	for _, c := range []struct {
		name string
		doc  dataexport.Doc
		rows []dataexport.Row
	}{
		{"empty", dataexport.Doc{Info: notes}, nil},
		{"kinds", dataexport.Doc{Info: notes, Time: made9}, []dataexport.Row{everyKind, note("note-2", "")}},
		{"filter", dataexport.Doc{Info: notes, Time: made9, Filter: dataexport.Filter{
			UserID: "*bold*\n# user", AgentID: "agent_1", SessionID: "s", Priority: dataexport.PriorityHigh,
			Categories: []string{"work", "a, b"}, CreatedAfter: made9.AddDate(-1, 0, 0), CreatedBefore: made9,
		}}, []dataexport.Row{note("note-1", "One line.")}},
		{"prose", dataexport.Doc{Info: notes}, []dataexport.Row{
			note("snake_case-id.v2", "Costs 5 * 3 = 15 < 20 & AT&T_s <b>bold</b> &copy; [link](http://example.com) ![x](y)."),
			note("links", "See https://example.com/a_b?c=d&e=f#g, (www.example.org/x_(y)) or write to jane.doe+tag@example.com."),
			note("starts", "# Title\n\n- item\n\n1. one\n\n2026) two\n\n> quote\n\n***\n\n---\n\n===\n\n#hashtag\n\n-5 degrees"),
			note("# heading #", "C:\\Users\\jane\\*.txt, `code`, ~~gone~~, __init__.py and snake_case"),
			note("controls", "tab\there, escape \x1b[31m, null \x00, override \u202Egnp.exe, invalid \xff\xfe, soft\u00ADhyphen"),
		}},
		{"code", dataexport.Doc{Info: notes}, []dataexport.Row{
			note("lines", "Steps to deploy:\n1. run the tests\n2. tag the release\n\n\n"),
			note("fence", "```go\nfunc main() {}\n```\n\n## Not a section\n\n````\n"),
			note("indented", "First:\n\n    code\r\n\tmore\rlone\u2028separator"),
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := renderJudged(t, &c.doc, c.rows...)
			requireGolden(t, filepath.Join("testdata", "markdown", c.name+".md"), got)
		})
	}
}

// requireGolden compares with a file, which it writes first if UPDATE_GOLDEN is set in the environment.
func requireGolden(t *testing.T, path, got string) {
	t.Helper()
	if os.Getenv("UPDATE_GOLDEN") != "" {
		require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o700))
		require.NoError(t, os.WriteFile(path, []byte(got), 0o600))
	}
	want, err := os.ReadFile(path)
	require.NoError(t, err)
	assert.Equal(t, string(want), got)
}

// markdownNasties are texts that would be markup if they were not escaped.
func markdownNasties() []string {
	return []string{
		"", " ", "\n", "\r\n\t ", "\u00a0", "\u0085", "\u2028\n", "\ufeff", "\x00", "\x7f", "\x80", "\xc2", "\xe2\x80", "\u200b",
		"# one", "## two", "###### six", "####### seven", "#", "##", "# ", "#\t#", "a #", "a ##", "a\t#", "#nospace", "# a #", "C#", "a \\#",
		"Title\n=====", "Title\n-----", "=", "===", "-", "--", "---", "- - -", "-\t-\t-", "***", "* * *", "*\t*\t*", "___", "_ _ _", "+++",
		"* item", "*", "+ item", "+", "- item", "-\titem", "1. one", "1) one", "1.", "0. zero", "123456789. nine", "1234567890. ten", "1.5", "-1",
		"> quote", ">quote", ">", ">>> deep", "> quote\nlazy", "a\n> quote",
		"    indented", "\tindented", "a\n\n    indented", "a\n\n\tindented", " a\n\n b", "a\n\n b", "\n\n  a",
		"```", "```\ncode\n```", "~~~", "~~~\ncode\n~~~", "````\n```\n````", "``` info", "`````", "```\n\n## x", "a\n```\nb", "~~~ `x`",
		"[foo]: /url", "[foo]: /url \"title\"\n\n[foo]", "[foo]:\n/url", "[^1]: note\n\na[^1]", "[foo]", "[foo][]", "[a](b)", "![a](b)",
		"[a](<b>)", "[a][b]\n\n[b]: c", "![a]", "]: x", "[x](javascript:alert(1))", "[ ] task", "[x] task", "[[wiki]]",
		"<script>alert(1)</script>", "<pre>", "<style>", "<textarea>", "<!-- comment -->", "<!--", "<?php echo ?>", "<!DOCTYPE html>",
		"<![CDATA[x]]>", "<div>\n\nx", "</div>", "<custom-element>", "<a href=\"x\">y</a>", "</a >", "<br/>", "< b>", "<3", "<-", "<", "a<b>c",
		"<http://example.com>", "<mailto:a@example.com>", "<a@example.com>", "<=@example.com>", "<x:y>",
		"http://example.com", "https://example.com/a_b_c*d*", "ftp://example.com", "www.example.com", "WWW.example.com", "HTTP://EXAMPLE.COM",
		"(http://example.com)", "_www.example.com_", "*www.example.com*", "~www.example.com", "foo_www.example.com", "a:www.example.com",
		"jane@example.com", "jane.doe+x@example.co.uk.", "a_b@example.com", "*a*b@example.com", "`a@example.com`", "`www.example.com`",
		"\\www.example.com", "\\a@example.com", "www.a.com`www.b.com", "http://a.com`b@c.com`", "a@b.c@d.e", "@jane", "a@", "@", "://", "a://",
		"http://www.example.com/a(b)c)d.", "http://example.com/&copy;&amp;", "mailto:jane@example.com", "xmpp:a@b.com/c", "\u00e9www.example.com",
		"www.example.com\u3002", "http://example.com|", "www.\nexample.com", "a@b\n.com", "http:/\n/example.com", "www.www.www.www.a.b",
		"*a*", "**a**", "***a***", "_a_", "__a__", "*a **b** c*", "a*b*c", "a_b_c", "_a", "a_", "a _ b _ c", "a * b * c", "*a_ b* c_", "** a **",
		"~a~", "~~a~~", "~", "~~", "a~ b~", "~ a ~", "`a`", "``a`b``", "`", "a`", "`a", "\\`a`", "\\", "\\\\", "a\\", "\\*a*", "\\a", "\\ ", "a\\\nb", "a  \nb",
		"a  \n\nb  ", "&amp;", "&copy;", "&#35;", "&#x23;", "&#0;", "&", "&;", "&&amp;;", "AT&T", "&a b;", "&unknown;", "&#x;", "\\&amp;", "&amp\n;",
		"| a | b |\n|---|---|\n| c | d |", "a | b\n- | -\n", "|---|", "| a |\n\n|---|", ":-:", "term\n: definition", "term\n\n: definition", ": x",
		"a\nb", "a\n\nb", "a\r\rb", "a\r\n\r\nb", "a\rb", "a\vb", "a\fb", "a\u0085b", "a\u2028b", "a\u2029\u2029b", "a\n \t\nb", "a\n\n\n\nb", "\n\na\n\n",
		"a\u202Eb", "\u2066a\u2069", "\u200Fa", "a\tb", "\ta", "a\t", "\x1b[31mred", "a\x00b", "\u009bx", "caf\u00e9\u202e", "\u3000# x", "\u00a0- x",
		"\u2028# x", "a\u0085# x", "a\u2029---", "\xff# x", "é\xffé\u2028é", "日本語の文。\n\n次の段落。", "{#id .class}", "{{ x }}", "$x$ and $$y$$",
		"www.#a.bc", "1.www.x.yywx@y.zz", "x=https://a@b.cd", "#\u0085", "a #\u2028", "-\u0085", "1.\u2029", "+\u2028x", "\u00a0\"}!", "\u00a0",
		`x@y.zz_"a_`, `x@y.zz__"a_`, `http://a.b_"c_`, `www.a.b_"c_`, "a_b_", "(a_) b_", "a__ __b", "a_\tb_", "_\tb_",
		"a, b", ",", `"`, `"a", "b"`, `"a`, "a\\,b", "Setext\n\n===", "Setext\n\n---", "* a\n\n  b", "1. a\n   - b", "- a\n- b\n\n\n- c",
	}
}

// markdownLongLines are texts that a careless parser or renderer takes too long for.
func markdownLongLines() []string {
	return []string{
		strings.Repeat("*", 100_000), strings.Repeat("a ", 50_000), strings.Repeat("[", 10_000), strings.Repeat("`", 1000) + "\n" + strings.Repeat("`", 1000),
		strings.Repeat("> ", 1000), strings.Repeat("www.", 1000), strings.Repeat("a@", 1000), strings.Repeat("&a", 1000), strings.Repeat("é", 50_000),
		strings.Repeat("http://a", 1000), strings.Repeat("(", 1000) + "http://a.bc" + strings.Repeat(")", 1000), strings.Repeat("\xffé", 1000),
		strings.Repeat("\xff", 20_000), strings.Repeat("\xbf", 20_000), strings.Repeat("é\n\n", 5_000), strings.Repeat("日", 1000) + "\xe6",
		strings.Repeat("\u00a0\u2014", 10_000), strings.Repeat("\xc2", 20_000), strings.Repeat("\\a://", 20_000), strings.Repeat("\\www.a", 20_000),
		strings.Repeat("a@b://", 20_000), strings.Repeat("_", 100_000), "a" + strings.Repeat("_", 100_000), strings.Repeat("a_", 50_000),
		strings.Repeat("a\u2028", 50_000), strings.Repeat("a\u0085", 50_000), strings.Repeat("a\u2029\u2029", 20_000), strings.Repeat("a\u202e", 20_000),
		strings.Repeat("\xff\u2028", 50_000), "\xff" + strings.Repeat("a_", 50_000), "\xff" + strings.Repeat("a_", 50_000) + "é", strings.Repeat("\xff a_", 20_000),
	}
}

// markdownSystematic returns fences of many lengths, and every ASCII character in places where one may mean something.
func markdownSystematic() (nasties []string) {
	for length := 3; length < 12; length++ {
		for _, c := range []string{"`", "~"} {
			fence := strings.Repeat(c, length)
			nasties = append(nasties, fence, fence+"\nx", "x\n"+fence, "x\n  "+fence+"\n## y", "x\r"+fence, "x\u2028"+fence)
		}
	}
	for c := byte(1); c < 0x80; c++ {
		s := string([]byte{c})
		nasties = append(nasties, s, s+" x", s+s+s, "x "+s, "x\n"+s+" y", "x\n\n"+s+" y", s+"_"+s, "*"+s+"a"+s+"*", "\\"+s, "a"+s+"www.b.cd", "a"+s+"b@c.de"+s)
	}
	return nasties
}

func TestMarkdownNasties(t *testing.T) {
	for name, form := range map[string]func(string) string{
		"as it is":       func(s string) string { return s },
		"twice":          func(s string) string { return s + "\n\n" + s },
		"two lines":      func(s string) string { return s + "\n" + s },
		"last line":      func(s string) string { return "x\n" + s },
		"last paragraph": func(s string) string { return "x\n\n" + s },
		"between":        func(s string) string { return "a " + s + " b" },
		"in a word":      func(s string) string { return "x" + s + "x" },
	} {
		t.Run(name, func(t *testing.T) {
			nasties := markdownNasties()
			if name == "as it is" || name == "two lines" {
				nasties = append(nasties, markdownSystematic()...)
			}
			rows := make([]dataexport.Row, len(nasties))
			for i, nasty := range nasties {
				s := form(nasty)
				rows[i] = note(s, s, dataexport.StringValue(s), dataexport.StringsValue([]string{s, "x", s}), jsonOf(s))
			}
			for chunk := range slices.Chunk(rows, 50) {
				renderJudged(t, &dataexport.Doc{Info: notes}, chunk...)
			}
		})
	}
}

// TestMarkdownRandom strings together what means something in Markdown, in ways that nobody would think of.
func TestMarkdownRandom(t *testing.T) {
	const documents, records = 30, 50
	pieces := strings.Split("*|**|_|__|~|~~|`|``|```|[|]|(|)|](|![|<|>|</|<!--|&|amp;|&#|35;|;|#|##| | | |  |\t|\n|\n|\n\n|\r|\r\n|\f|"+
		"\\|\\\\|-|--|+|=|===|1.|2)|:|://|http|https://|ftp://|www.|www|w|.|.|,|\"|'|@|a|b|ab|a.bc|é|日|\u00a0|\u0085|\u2028|\u202e|"+
		"\x00|\x1b|\xff|\xc2|\xe2|!|{|}|$|^|/|?|x@y.zz|www.x.yy|[x]:|: |- |> |%", "|")
	pieces = append(pieces, "|", " | ")
	random := rand.New(rand.NewPCG(1, 2))
	text := func() string {
		var b strings.Builder
		for range random.IntN(12) {
			b.WriteString(pieces[random.IntN(len(pieces))])
		}
		return b.String()
	}
	for range documents {
		rows := make([]dataexport.Row, records)
		for i := range rows {
			rows[i] = note(text(), text(), dataexport.StringValue(text()), dataexport.StringsValue([]string{text(), text()}), jsonOf(text()))
		}
		renderJudged(t, withFilter(&dataexport.Doc{Info: notes}, text()), rows...)
	}
}

func TestMarkdownLongLines(t *testing.T) {
	for _, s := range markdownLongLines() {
		renderJudged(t, &dataexport.Doc{Info: notes}, note("a", s), note("b", "x", dataexport.StringValue(s)))
	}
}

// TestMarkdownVeryLongLines renders texts for which everything that looks from each byte to the end of the text would take hours.
func TestMarkdownVeryLongLines(t *testing.T) {
	const size = 8 << 20
	repeat := func(unit string) string { return strings.Repeat(unit, size/len(unit)) }
	for _, body := range []string{
		repeat("*a"), "\xff" + repeat("*a"), "\xff" + repeat("*a") + "é", repeat("\xff *a"), repeat("\xff"), repeat("\\a://"), repeat("a@b://"),
		repeat("a\u2028"), repeat("[`"),
	} {
		renderRows(t, Markdown(), &dataexport.Doc{Info: notes}, note("a", body))
	}
}

func TestMarkdownNastyFilters(t *testing.T) {
	for _, s := range markdownNasties() {
		renderJudged(t, withFilter(&dataexport.Doc{Info: notes}, s), note("a", "b"))
	}
}

// withFilter returns the document with a filter that has s in every text, if it may be there.
func withFilter(doc *dataexport.Doc, s string) *dataexport.Doc {
	filtered := *doc
	filtered.Filter = dataexport.Filter{UserID: s, AgentID: s, SessionID: s, Categories: []string{s, "x"}}
	return &filtered
}

func TestMarkdownCheck(t *testing.T) {
	require.NoError(t, Markdown().Check(notes))
	single, object, two := notes, notes, notes
	single.Collections = []dataexport.Collection{{Name: "account", Single: true, Columns: notes.Collections[0].Columns}}
	object.Layout.Object = true
	two.Collections = append(two.Collections, two.Collections...)
	for _, info := range []dataexport.Info{single, object, two, {Name: "none"}} {
		err := Markdown().Check(info)
		require.ErrorIs(t, err, dataexport.ErrInvalid)
		assert.Contains(t, err.Error(), "one list of records")
		_, err = Markdown().Open(context.Background(), &bytes.Buffer{}, &dataexport.Doc{Info: info})
		require.ErrorIs(t, err, dataexport.ErrInvalid)
	}
}

func TestMarkdownErrors(t *testing.T) {
	outside := dataexport.TimeValue(time.Date(10_000, 1, 1, 0, 0, 0, 0, time.UTC))
	null := dataexport.Value{}
	for _, c := range []struct {
		row  dataexport.Row
		want string
	}{
		{note("a", "", null, null, dataexport.JSONValue([]byte(`{"a":`))), `record 2: .*column "meta\*data": invalid JSON`},
		{note("a", "", null, null, null, null, null, null, outside), `record 2: .*column "made_at": .*year`},
	} {
		encoder, err := Markdown().Open(context.Background(), &bytes.Buffer{}, &dataexport.Doc{Info: notes})
		require.NoError(t, err)
		require.NoError(t, encoder.Begin(&notes.Collections[0]))
		require.NoError(t, encoder.Row(note("a", "")))
		err = encoder.Row(c.row)
		require.ErrorIs(t, err, dataexport.ErrBadRow)
		assert.Regexp(t, c.want, err.Error())
		require.NoError(t, encoder.Close())
	}
	_, err := Markdown().Open(context.Background(), &bytes.Buffer{}, &dataexport.Doc{Info: notes, Time: outside.Time()})
	require.ErrorIs(t, err, dataexport.ErrInvalid)
}

func TestMarkdownWriterFails(t *testing.T) {
	broken := errors.New("disk full")
	encoder, err := Markdown().Open(context.Background(), writerFunc(func([]byte) (int, error) { return 0, broken }), &dataexport.Doc{Info: notes})
	require.NoError(t, err)
	require.NoError(t, encoder.Begin(&notes.Collections[0]))
	require.ErrorIs(t, encoder.Row(note("a", strings.Repeat("x", 100_000))), broken)
	require.NoError(t, encoder.Close())
}

type writerFunc func([]byte) (int, error)

func (f writerFunc) Write(p []byte) (int, error) { return f(p) }

func TestMarkdownWithoutID(t *testing.T) {
	info := dataexport.Info{Name: "lines", Collections: []dataexport.Collection{{
		Name: "lines", Columns: []dataexport.Column{{Name: "text", Kind: dataexport.KindString, Role: dataexport.RoleBody}},
	}}}
	got := renderJudged(t, &dataexport.Doc{Info: info},
		dataexport.Row{dataexport.StringValue("one")}, dataexport.Row{dataexport.StringValue("two")})
	assert.Equal(t, "# Export of lines\n\nAll records.\n\n## Record 1\n\none\n\n## Record 2\n\ntwo\n\n---\n\n2 records.\n", got)
}

func TestMarkdownColumnNames(t *testing.T) {
	for _, name := range []string{
		"a", "snake_case", "_private", "dunder__name", "Last name", " padded ", "a*b", "*", "**", "a* b", "~a~", "`x`", "[x](y)", "<b>",
		"a.b", "http://a.bc", "www.a.bc", "a@b.cd", "&amp;", "\\", "line\nbreak", "\u202Ex", "\u0085x", "#", "naïve", "日本", "a:", "-", "a_", "x\u00a0", "_\tb_", "x _\ny_", "a _ b",
	} {
		info := dataexport.Info{Name: "names", Collections: []dataexport.Collection{{
			Name: "names", Columns: []dataexport.Column{{Name: name, Kind: dataexport.KindString}, {Name: "b", Kind: dataexport.KindInt}},
		}}}
		source := string(renderRows(t, Markdown(), &dataexport.Doc{Info: info}, dataexport.Row{dataexport.StringValue("v*"), dataexport.IntValue(1)}))
		info.Collections[0].Columns[0].Name = strings.NewReplacer("\n", "·", "\t", "·", "\u202E", "·", "\u0085x", "x").Replace(name)
		err := judgeMarkdown([]byte(source), &dataexport.Doc{Info: info}, []dataexport.Row{{dataexport.StringValue("v*"), dataexport.IntValue(1)}})
		require.NoError(t, err, "%q\n%s", name, source)
	}
}

func TestMarkdownTrustedJSON(t *testing.T) {
	for trusted, want := range map[string]string{
		`{"a":"b"}`:        "`{\"a\":\"b\"}`",
		"\"`\"":            "``\"`\"``",
		"`":                "`` ` ``",
		"[1,\n# 2]":        "`[1, # 2]`",
		" [] ":             "`  []  `",
		"\"\xff\u2028\x00": "`\"\uFFFD ␀`",
	} {
		row := note("a", "", dataexport.Value{}, dataexport.Value{}, dataexport.TrustedJSONValue([]byte(trusted)))
		assert.Contains(t, string(renderRows(t, Markdown(), &dataexport.Doc{Info: notes}, row)), "- **meta\\*data:** "+want+"\n")
	}
}
