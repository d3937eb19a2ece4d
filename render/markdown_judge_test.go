package render

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"html"
	"slices"
	"strconv"
	"strings"

	"github.com/google/uuid"
	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/extension"
	"github.com/yuin/goldmark/text"

	"github.com/dataexport/dataexport"
)

// markdownParsers are those that must find nothing in a document but what the renderer means.
var markdownParsers = map[string]goldmark.Markdown{
	"commonmark": goldmark.New(),
	"gfm":        goldmark.New(goldmark.WithExtensions(extension.GFM)),
	"extended":   goldmark.New(goldmark.WithExtensions(extension.GFM, extension.Footnote, extension.DefinitionList)),
}

// judgeMarkdown parses a document with every parser and reports the first promise of Markdown that it breaks. It knows the
// rules of the renderer from its documentation, and shares no code with it.
func judgeMarkdown(source []byte, doc *dataexport.Doc, rows []dataexport.Row) error {
	for name, parser := range markdownParsers {
		j := &markdownJudge{parser: parser, source: source, collection: &doc.Info.Collections[0]}
		if err := j.document(doc, rows); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	return nil
}

type markdownJudge struct {
	parser     goldmark.Markdown
	source     []byte
	collection *dataexport.Collection
	next       ast.Node // the next block of the document
}

func (j *markdownJudge) document(doc *dataexport.Doc, rows []dataexport.Row) error {
	root := j.parser.Parser().Parse(text.NewReader(j.source))
	if err := j.nothingElse(root); err != nil {
		return err
	}
	j.next = root.FirstChild()
	if err := j.head(doc); err != nil {
		return err
	}
	for i, row := range rows {
		if err := j.section(i+1, row); err != nil {
			return fmt.Errorf("record %d: %w", i+1, err)
		}
	}
	if j.next == nil || j.next.Kind() != ast.KindThematicBreak {
		return fmt.Errorf("where the thematic break should be is %s", j.describe())
	}
	j.next = j.next.NextSibling()
	count := fmt.Sprintf("%d records.", len(rows))
	if len(rows) == 1 {
		count = "1 record."
	}
	if err := j.block(ast.KindParagraph, count); err != nil {
		return err
	}
	if j.next != nil {
		return fmt.Errorf("below the count is %s", j.describe())
	}
	if !bytes.HasSuffix(j.source, []byte("\n\n"+count+"\n")) {
		return fmt.Errorf("the last line is not %q", count)
	}
	return nil
}

// nothingElse reports any node that no export has.
func (j *markdownJudge) nothingElse(root ast.Node) error {
	return ast.Walk(root, func(n ast.Node, entering bool) (ast.WalkStatus, error) {
		if !entering {
			return ast.WalkContinue, nil
		}
		switch n.Kind() {
		case ast.KindDocument, ast.KindHeading, ast.KindParagraph, ast.KindList, ast.KindListItem, ast.KindTextBlock,
			ast.KindFencedCodeBlock, ast.KindText, ast.KindCodeSpan:
			return ast.WalkContinue, nil
		case ast.KindThematicBreak:
			if n.Parent() == root {
				return ast.WalkContinue, nil
			}
		case ast.KindEmphasis: // the label of a bullet
			if n.Parent().Kind() == ast.KindTextBlock && n.PreviousSibling() == nil {
				return ast.WalkContinue, nil
			}
		}
		return ast.WalkStop, fmt.Errorf("there is a %s in %.500q", n.Kind(), n.Parent().Lines().Value(j.source))
	})
}

func (j *markdownJudge) head(doc *dataexport.Doc) error {
	if err := j.heading(1, "Export of "+doc.Info.Name); err != nil {
		return err
	}
	if !doc.Time.IsZero() {
		if err := j.block(ast.KindParagraph, "Time of the export: "+doc.Time.UTC().Format("2006-01-02T15:04:05.000Z")); err != nil {
			return err
		}
	}
	conditions := len(doc.Filter.Names())
	if conditions == 0 {
		return j.block(ast.KindParagraph, "All records.")
	}
	if err := j.block(ast.KindParagraph, "The records that meet all of these conditions:"); err != nil {
		return err
	}
	items, err := j.list()
	if err != nil {
		return err
	}
	if len(items) != conditions {
		return fmt.Errorf("%d conditions are shown as %d", conditions, len(items))
	}
	want := func(set bool, words string) {
		if set && err == nil {
			if got := j.textOf(items[0]); got != plain(words) {
				err = fmt.Errorf("the condition %q reads %q", plain(words), got)
			}
			items = items[1:]
		}
	}
	f := doc.Filter
	want(f.UserID != "", "user_id is "+f.UserID)
	want(f.AgentID != "", "agent_id is "+f.AgentID)
	want(f.SessionID != "", "session_id is "+f.SessionID)
	want(f.Priority != "", "priority is "+string(f.Priority))
	if f.Categories != nil && err == nil {
		words, ok := strings.CutPrefix(j.textOf(items[0]), "categories has at least one of ")
		if !ok {
			return fmt.Errorf("the categories read %q", words)
		}
		err = sameList(words, f.Categories)
		items = items[1:]
	}
	want(!f.CreatedAfter.IsZero(), "created after "+f.CreatedAfter.Format("2006-01-02T15:04:05.000Z"))
	want(!f.CreatedBefore.IsZero(), "created before "+f.CreatedBefore.Format("2006-01-02T15:04:05.000Z"))
	return err
}

func (j *markdownJudge) section(number int, row dataexport.Row) error {
	id, body := j.collection.Column(dataexport.RoleID), j.collection.Column(dataexport.RoleBody)
	title := ""
	if id >= 0 && !row[id].IsNull() {
		title = asText(row[id])
	}
	if strings.Trim(unixLines(title), " \t\n") == "" {
		title = "Record " + strconv.Itoa(number)
	}
	if err := j.heading(2, title); err != nil {
		return err
	}
	var columns []int
	for i := range row {
		if i != body && i != id && !row[i].IsNull() {
			columns = append(columns, i)
		}
	}
	if id >= 0 && !row[id].IsNull() {
		columns = slices.Insert(columns, 0, id)
	}
	if len(columns) > 0 {
		items, err := j.list()
		if err != nil {
			return err
		}
		if len(items) != len(columns) {
			return fmt.Errorf("%d columns are shown as %d bullets", len(columns), len(items))
		}
		for i, column := range columns {
			if err := j.bullet(items[i], j.collection.Columns[column].Name, row[column]); err != nil {
				return err
			}
		}
	}
	if body >= 0 && !row[body].IsNull() {
		return j.body(row[body].Text())
	}
	return nil
}

// list returns what the next block, a list, has in its items.
func (j *markdownJudge) list() ([]ast.Node, error) {
	list, ok := j.next.(*ast.List)
	if !ok || list.IsOrdered() || !list.IsTight {
		return nil, fmt.Errorf("where a list should be is %s", j.describe())
	}
	var items []ast.Node
	for item := list.FirstChild(); item != nil; item = item.NextSibling() {
		if item.ChildCount() != 1 || item.FirstChild().Kind() != ast.KindTextBlock {
			return nil, fmt.Errorf("a bullet has more than a line: %q", item.Lines().Value(j.source))
		}
		items = append(items, item.FirstChild())
	}
	j.next = j.next.NextSibling()
	return items, nil
}

func (j *markdownJudge) bullet(item ast.Node, name string, value dataexport.Value) error {
	label, ok := item.FirstChild().(*ast.Emphasis)
	if !ok || label.Level != 2 || j.textOf(label) != plain(strings.TrimSpace(name)+":") {
		return fmt.Errorf("column %q: the bullet has no label: %q", name, j.textOf(item))
	}
	item.RemoveChild(item, label)
	got := j.textOf(item)
	if value.Kind() == dataexport.KindStrings {
		return sameList(got, value.Strings())
	}
	if want := plain(asText(value)); got != want {
		return fmt.Errorf("column %q: %q reads %q", name, want, got)
	}
	return nil
}

// sameList reports whether a line is the items with commas between them, some of them as JSON strings.
func sameList(line string, items []string) error {
	for i, item := range items {
		if i > 0 {
			var ok bool
			if line, ok = strings.CutPrefix(strings.TrimSpace(line), ","); !ok {
				return fmt.Errorf("item %d has no end: %q", i, line)
			}
			line = strings.TrimSpace(line)
		}
		if !strings.HasPrefix(line, `"`) {
			rest, ok := strings.CutPrefix(line, plain(item))
			if !ok {
				return fmt.Errorf("item %q reads %q", item, line)
			}
			line = rest
			continue
		}
		var got string
		decoder := json.NewDecoder(strings.NewReader(line))
		if err := decoder.Decode(&got); err != nil {
			return fmt.Errorf("item %q: %w in %q", item, err, line)
		}
		if plain(got) != plain(item) {
			return fmt.Errorf("item %q reads %q", item, got)
		}
		line = line[decoder.InputOffset():]
	}
	if line != "" {
		return fmt.Errorf("after the last item: %q", line)
	}
	return nil
}

func (j *markdownJudge) body(body string) error {
	want := unixLines(body)
	if strings.Trim(want, " \t\n") == "" {
		return nil
	}
	structured := hasStructure(want)
	if (j.next.Kind() == ast.KindFencedCodeBlock) != structured {
		return fmt.Errorf("the body is shown as %s, and its lines matter: %t", j.describe(), structured)
	}
	if structured {
		want = strings.TrimRight(want, " \t\n")
		for {
			line, rest, _ := strings.Cut(want, "\n")
			if strings.Trim(line, " \t") != "" {
				break
			}
			want = rest
		}
		got := string(j.next.Lines().Value(j.source))
		if got != want+"\n" {
			return fmt.Errorf("the body %q reads %q", want, got)
		}
		j.next = j.next.NextSibling()
		return nil
	}
	for paragraph := range strings.SplitSeq(want, "\n") {
		if strings.Trim(paragraph, " \t") == "" {
			continue
		}
		if err := j.block(ast.KindParagraph, paragraph); err != nil {
			return err
		}
	}
	return nil
}

// hasStructure reports whether two lines follow each other or a line but the first one is indented.
func hasStructure(body string) bool {
	lines := strings.Split(strings.Trim(body, " \t\n"), "\n")
	for i := 1; i < len(lines); i++ {
		if strings.Trim(lines[i], " \t") == "" {
			continue
		}
		if strings.Trim(lines[i-1], " \t") != "" || strings.ContainsAny(lines[i][:1], " \t") {
			return true
		}
	}
	return false
}

func (j *markdownJudge) heading(level int, title string) error {
	if h, ok := j.next.(*ast.Heading); !ok || h.Level != level {
		return fmt.Errorf("where a heading of level %d should be is %s", level, j.describe())
	}
	return j.block(ast.KindHeading, title)
}

// block takes the next block, which must be of a kind and have a text.
func (j *markdownJudge) block(kind ast.NodeKind, want string) error {
	if j.next == nil || j.next.Kind() != kind {
		return fmt.Errorf("where the %s %q should be is %s", kind, want, j.describe())
	}
	if got := j.textOf(j.next); got != plain(want) {
		return fmt.Errorf("the %s %q reads %q", kind, plain(want), got)
	}
	j.next = j.next.NextSibling()
	return nil
}

func (j *markdownJudge) describe() string {
	if j.next == nil {
		return "the end"
	}
	return fmt.Sprintf("the %s %q", j.next.Kind(), j.textOf(j.next))
}

// textOf returns the text that a reader of the parsed block sees, with white space folded.
func (j *markdownJudge) textOf(n ast.Node) string {
	if n.Kind() == ast.KindFencedCodeBlock {
		return string(n.Lines().Value(j.source))
	}
	var page bytes.Buffer
	w := bufio.NewWriterSize(&page, 16) // what Render flushes, and makes larger ones of if it is not given one
	_ = ast.Walk(n, func(n ast.Node, entering bool) (ast.WalkStatus, error) {
		if !entering {
			return ast.WalkContinue, nil
		}
		if n.Kind() == ast.KindCodeSpan {
			for c := n.FirstChild(); c != nil; c = c.NextSibling() {
				page.WriteString(html.EscapeString(string(c.(*ast.Text).Segment.Value(j.source))))
			}
			return ast.WalkSkipChildren, nil
		}
		if n.Kind() == ast.KindText {
			return ast.WalkContinue, j.parser.Renderer().Render(w, j.source, n)
		}
		return ast.WalkContinue, nil
	})
	return strings.Join(strings.Fields(html.UnescapeString(page.String())), " ")
}

var lineBreaks = strings.NewReplacer(
	"\r\n", "\n", "\r", "\n", "\v", "\n", "\f", "\n", "\u0085", "\n", "\u2028", "\n", "\u2029", "\n")

// unixLines returns a text with LF for all line breaks, and pictures and U+FFFD for what is not shown.
func unixLines(s string) string {
	s = lineBreaks.Replace(s)
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\n' || r == '\t':
			return r
		case r < ' ':
			return 0x2400 + r
		case r == 0x7F:
			return 0x2421
		case 0x80 <= r && r < 0xA0:
			return 0xFFFD
		}
		return r
	}, s)
}

func plain(s string) string { return strings.Join(strings.Fields(unixLines(s)), " ") }

// asText returns a value as it reads in other formats.
func asText(v dataexport.Value) string {
	switch v.Kind() {
	case dataexport.KindJSON:
		var compact bytes.Buffer
		if err := json.Compact(&compact, []byte(v.Text())); err != nil {
			return v.Text()
		}
		return compact.String()
	case dataexport.KindString, dataexport.KindDecimal:
		return v.Text()
	case dataexport.KindInt:
		return strconv.FormatInt(v.Int(), 10)
	case dataexport.KindFloat:
		number, _ := json.Marshal(v.Float())
		return string(number)
	case dataexport.KindBool:
		return strconv.FormatBool(v.Bool())
	case dataexport.KindTime:
		return v.Time().Format("2006-01-02T15:04:05.000Z") // the tests have no finer ones
	case dataexport.KindUUID:
		return uuid.UUID(*v.UUID()).String()
	}
	return ""
}
