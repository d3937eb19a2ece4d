package render

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/dataexport/dataexport"
)

// FuzzMarkdown puts texts into every place that content has in a document, and lets the judge look for content that broke
// out.
func FuzzMarkdown(f *testing.F) {
	for _, s := range markdownNasties() {
		f.Add(s, s, s)
	}
	f.Add("id", "first\n\nsecond", "a\x1eb, c\x1e")
	f.Add("#", "- a\n- b", "www.example.com\x1e`x@example.com")
	doc := &dataexport.Doc{Info: notes, Time: time.Date(2026, 1, 15, 10, 30, 0, 0, time.UTC)}
	f.Fuzz(func(t *testing.T, a, b, c string) {
		items := strings.Split(c, "\x1e")
		renderJudged(t, withFilter(doc, a),
			note(a, b, dataexport.StringValue(c), dataexport.StringsValue(items), jsonOf(b)),
			note(b, c, dataexport.StringValue(a), dataexport.StringsValue([]string{a, b}), jsonOf(c)),
			note(c, a, dataexport.StringValue(b)),
			note("last", "text"))
	})
}

// jsonOf returns a JSON value that holds a text.
func jsonOf(s string) dataexport.Value {
	raw, err := json.MarshalIndent(map[string]any{"text": s, "list": []string{s}}, "", "  ")
	if err != nil {
		panic(err) // a map of text can always be marshaled
	}
	return dataexport.JSONValue(raw)
}
