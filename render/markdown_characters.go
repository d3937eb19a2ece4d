package render

import (
	"unicode/utf8"

	"github.com/dataexport/dataexport/internal/jsontext"
)

// What a byte is to the functions that write Markdown.
const (
	markdownPlain    = iota // copied
	markdownEscape          // may mean something
	markdownAddress         // may be in the middle of a web or mail address
	markdownBreak           // ends a line
	markdownControl         // is shown by its picture
	markdownNotASCII        // begins a character of several bytes, or is not UTF-8
)

var markdownClasses = classifyMarkdown()

func classifyMarkdown() (classes [256]byte) {
	for c := range classes {
		switch {
		case c == '\n', c == '\v', c == '\f', c == '\r':
			classes[c] = markdownBreak
		case c < ' ' && c != '\t', c == 0x7F:
			classes[c] = markdownControl
		case c >= utf8.RuneSelf:
			classes[c] = markdownNotASCII
		}
	}
	for _, c := range "\\`*_~[<&#" {
		classes[c] = markdownEscape
	}
	for _, c := range ":.@" {
		classes[c] = markdownAddress
	}
	return classes
}

// appendVerbatim appends text as it stands in code, where nothing can be escaped: with newline for each line break, and
// without control characters and invalid UTF-8.
func appendVerbatim(dst []byte, text string, newline byte) []byte {
	copied, next := 0, 0
	for {
		next = scanVerbatim(text, next)
		if next == len(text) {
			return append(dst, text[copied:]...)
		}
		if text[next] == '\t' || text[next] == '\n' && newline == '\n' {
			next++
			continue
		}
		class := markdownClasses[text[next]]
		if class == markdownNotASCII {
			if run := plainRunes(text[next:]); run > 0 {
				next += run
				continue
			}
		}
		dst = append(dst, text[copied:next]...)
		switch class {
		case markdownBreak:
			if text[next] == '\r' && next+1 < len(text) && text[next+1] == '\n' {
				next++
			}
			dst = append(dst, newline)
			next++
		case markdownControl:
			dst = appendControlPicture(dst, text[next])
			next++
		default:
			r, size := utf8.DecodeRuneInString(text[next:])
			switch {
			case isWideBreak(r):
				dst = append(dst, newline)
			case r < 0xA0:
				dst = append(dst, "\uFFFD"...)
			default:
				dst = utf8.AppendRune(dst, r)
			}
			next += size
		}
		copied = next
	}
}

// appendControlPicture appends the character of Unicode that is the picture of an ASCII control character.
func appendControlPicture(dst []byte, c byte) []byte {
	const pictures, pictureOfDelete = 0x2400, 0x2421
	if c == 0x7F {
		return utf8.AppendRune(dst, pictureOfDelete)
	}
	return utf8.AppendRune(dst, pictures+rune(c))
}

// isMarkdownSpace reports whether c is white space of ASCII.
func isMarkdownSpace(c byte) bool { return c == ' ' || '\t' <= c && c <= '\r' }

// mayEndWord reports whether there is white space, a line break or the end of the text at index i. It takes all characters
// whose first byte is that of a line break for one.
func mayEndWord(text string, i int) bool {
	return i == len(text) || isMarkdownSpace(text[i]) || text[i] == 0xC2 || text[i] == 0xE2
}

// isCopied reports whether r, which is not ASCII, is copied as it is: it is no control character, line break or directional control.
func isCopied(r rune) bool { return r >= 0xA0 && !isWideBreak(r) && !isBidiControl(r) }

// isWideBreak reports whether r is a line break outside of ASCII: NEL, LINE SEPARATOR or PARAGRAPH SEPARATOR.
func isWideBreak(r rune) bool { return r == 0x85 || r == 0x2028 || r == 0x2029 }

// isBidiControl reports whether r is an explicit directional embedding, override or isolate, or the end of one (Unicode
// Standard Annex 9, section 2).
func isBidiControl(r rune) bool { return 0x202A <= r && r <= 0x202E || 0x2066 <= r && r <= 0x2069 }

// commonRunes is plainRunes for characters of two and three bytes whose first byte says that they need no care, and for
// single blanks between them. That is nearly all of a text in another script.
func commonRunes(text string) int {
	n := 0
	for n < len(text) {
		switch c := text[n]; {
		case c == ' ' && n+1 < len(text) && text[n+1] >= utf8.RuneSelf:
			n++
		case 0xC2 < c && c < 0xE0 && n+1 < len(text) && jsontext.IsContinuation(text[n+1]):
			n += 2
		case 0xE0 <= c && c < 0xF0 && c != 0xE2 && c != 0xED && n+2 < len(text) && jsontext.IsContinuation(text[n+1]) && jsontext.IsContinuation(text[n+2]) &&
			(c > 0xE0 || text[n+1] >= 0xA0):
			n += 3
		default:
			return n
		}
	}
	return n
}

// plainRunes returns how many bytes at the beginning of text, which begins with a byte that is not ASCII, are characters
// that need no care. It may stop before the last of them.
func plainRunes(text string) int {
	if run := commonRunes(text); run > 0 {
		return run
	}
	if r, size := utf8.DecodeRuneInString(text); r == utf8.RuneError && size == 1 {
		return 0
	}
	const most = 256 // so that bytes that are not UTF-8 are not looked at again and again
	n := 0
	// 0xC2 and 0xE2 are the first bytes of all characters that need care: of the control characters up to U+009F, and of
	// the separators and directional controls of General Punctuation.
	for n < len(text) && n < most && text[n] >= utf8.RuneSelf && text[n] != 0xC2 && text[n] != 0xE2 {
		n++
	}
	for n > 0 && n < len(text) && !utf8.RuneStart(text[n]) {
		n--
	}
	if n > 0 && utf8.ValidString(text[:n]) {
		return n
	}
	for n = 0; n < len(text) && n < most && text[n] >= utf8.RuneSelf; {
		r, size := utf8.DecodeRuneInString(text[n:])
		if r == utf8.RuneError && size == 1 || !isCopied(r) {
			break
		}
		n += size
	}
	return n
}

// leadingWhiteSpace describes the white space that a text begins with.
type leadingWhiteSpace struct {
	length   int  // in bytes
	breaks   int  // how many lines end in it
	lastLine int  // the index of the first byte of the line that it ends in
	indented bool // there is white space in front of that line
}

// leadingSpace looks at the blanks, tabs and line breaks that a text begins with.
func leadingSpace(text string) (space leadingWhiteSpace) {
	for space.length < len(text) {
		c := text[space.length]
		width, breaks := 1, isMarkdownSpace(c)
		switch {
		case c == ' ', c == '\t':
			space.length++
			continue
		case c == '\r' && space.length+1 < len(text) && text[space.length+1] == '\n':
			width = 2
		case c >= utf8.RuneSelf:
			var r rune
			r, width = utf8.DecodeRuneInString(text[space.length:])
			breaks = isWideBreak(r)
		}
		if !breaks {
			break
		}
		space.length += width
		space.breaks++
		space.lastLine = space.length
	}
	space.indented = space.length > space.lastLine
	return space
}
