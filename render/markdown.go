package render

import (
	"context"
	"fmt"
	"io"

	"github.com/dataexport/dataexport"
)

// Markdown returns the renderer of Markdown documents for people to read (CommonMark 0.31).
//
// A document has a title, the filter in words, and for each record a level-2 section: its id as the heading, a bullet for
// every column that is not null, the id first, and the body as text below them. The last line counts the records.
//
// No content breaks out of its section. What a record holds never becomes a heading, a list, a link, an image, HTML or
// any other markup, neither in CommonMark nor with the extensions of GitHub Flavored Markdown, and reads as it was written
// when the document is parsed, with these exceptions. What a website makes of text beyond that, such as formulas between
// dollar signs, is not looked at.
//
//   - Runs of white space may be folded. In headings and bullets a line break is one blank.
//   - CR, CRLF, vertical tab, form feed, NEL, U+2028 and U+2029 count as line breaks and are written as LF.
//   - Other control characters are shown: U+0000 to U+001F and U+007F as their pictures (U+2400 to U+2421), and U+0080 to
//     U+009F as U+FFFD.
//   - Each byte that is not part of valid UTF-8 becomes U+FFFD.
//
// Directional overrides, embeddings and isolates are written as character references, but for code, where they end with
// their line.
//
// A body whose every line is a paragraph of its own, apart from the next by a blank line and not indented, is written as
// escaped paragraphs. Any other body is written unescaped into a fenced code block, since the structure of its lines
// matters. White space around the body is left out; a body of nothing else is nothing.
//
// Web and mail addresses stand in code spans, so that no parser makes links of them and they can be copied. JSON stands in
// a code span, and so does, as a JSON string, an item of a list that could not be told from others without quotes: one
// that is empty, has white space around it, a comma or a control character in it, or a quotation mark in front.
func Markdown() dataexport.Renderer { return markdownRenderer{} }

type markdownRenderer struct{}

func (markdownRenderer) Format() dataexport.Format {
	return dataexport.Format{Name: "markdown", MediaType: "text/markdown", Extension: "md"}
}

func (markdownRenderer) Check(info dataexport.Info) error {
	if len(info.Collections) != 1 || info.Collections[0].Single || info.Layout.Object {
		return fmt.Errorf("%w: the format markdown is for a dataset that is one list of records, and %q is not one; choose json",
			dataexport.ErrInvalid, info.Name)
	}
	return nil
}

func (r markdownRenderer) Open(_ context.Context, w io.Writer, doc *dataexport.Doc) (dataexport.Encoder, error) {
	if err := r.Check(doc.Info); err != nil {
		return nil, err
	}
	e := &markdownEncoder{output: newOutput(w)}
	var err error
	if e.buffer, err = e.values.appendHead(e.buffer, doc); err != nil {
		return nil, err
	}
	return e, nil
}
