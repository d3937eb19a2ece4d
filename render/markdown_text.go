package render

import (
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/dataexport/dataexport/internal/jsontext"
	"github.com/dataexport/dataexport/internal/swar"
)

// appendMarkdownText appends text as one line of a heading or a bullet: escaped, with a blank for each run of white space
// that has a line break.
func appendMarkdownText(dst []byte, text string) []byte {
	dst, flags := appendIfClear(dst, text)
	if flags&pairUnclear != 0 {
		dst = appendUnclearText(dst, text)
	}
	return dst
}

// appendText appends the prefix and a text like that of appendMarkdownText, without blanks at its end. Most texts in a bullet are short
// and clear. It does what copyIfClear does too, since a call is a third of the time of that.
func (p *prefix) appendText(dst []byte, text string) []byte {
	n := len(text)
	if n == 0 || cap(dst)-len(dst)-n < p.room {
		return trimBlanks(appendMarkdownText(p.append(dst), text))
	}
	dst = p.put(dst)
	longer := dst[:len(dst)+n]
	out := longer[len(dst):]
	var flags uint8
	switch {
	case n > 16:
		_, flags = copyClearWords(out, text)
	case n >= 8:
		swar.Store(out, 0, swar.Load(text, 0))
		swar.Store(out, n-8, swar.Load(text, n-8))
		first, last := pairFlagsAt(text, 0), pairFlagsAt(text, n-8)
		if flags = first | last; flags&(pairUnclear|pairDepends) == pairDepends &&
			(first&pairDepends == 0 || dependentAreText(text, 0)) && (last&pairDepends == 0 || dependentAreText(text, n-8)) {
			flags &^= pairDepends
		}
	default:
		flags = copyFewBytes(out, text)
	}
	switch {
	case flags&(pairUnclear|pairDepends|pairNotASCII) == 0 && text[n-1] > ' ':
		return longer
	case flags&(pairUnclear|pairDepends) != 0 || flags&pairNotASCII != 0 && !jsontext.Valid(text):
		longer = appendUnclearText(dst, text)
	}
	return trimBlanks(longer)
}

// appendUnclearText is appendMarkdownText for a text that is not empty.
func appendUnclearText(dst []byte, text string) []byte {
	for {
		var read int
		dst, read = appendMarkdownLine(dst, text)
		text = text[read:]
		text = text[leadingSpace(text).length:]
		if text == "" {
			return dst
		}
		dst = append(dst, ' ')
	}
}

// appendMarkdownLine appends text up to its first line break, escaped so that it is nothing but text to a CommonMark
// parser, wherever in a line it stands. It returns how much of the text it has read. What means something only at the
// beginning of a paragraph is left to appendParagraphStart.
//
// Escaped is only what would mean something where it stands: emphasis needs an opening delimiter, and there is none in
// front of white space; a link needs a bracket that opens; a heading ends in number signs only after a blank.
func appendMarkdownLine(dst []byte, text string) (_ []byte, read int) {
	copied, next := 0, 0 // What is between them has been copied as it is.
	careful := false     // The rest of the line goes from one character that is not ASCII to the next, since it is not UTF-8.
	ascii := -1          // where the next one of these begins
	for {
		room := len(text) - next
		if cap(dst)-len(dst) < room {
			dst = slices.Grow(dst, room)
		}
		rest, end := dst[len(dst):len(dst)+room], next
		if !careful {
			var flags uint8
			end, flags = copyText(rest, text, next)
			careful = flags&pairNotASCII != 0 && !jsontext.Valid(text[next:end])
		}
		if careful {
			if ascii < next { // so that a line in which much is escaped takes no longer than its length
				ascii = jsontext.SkipASCII(text, next)
			}
			end, _ = copyText(rest, text[:min(ascii+1, len(text))], next) // with the byte that tells what a number sign is
			end = min(end, ascii)
		}
		dst = dst[:len(dst)+end-next]
		next = end
		if next == len(text) {
			return dst, next
		}
		c := text[next]
		switch markdownClasses[c] {
		case markdownEscape:
			dst = append(dst, '\\', c)
			next++
			copied = next
		case markdownAddress:
			start, found := addressStart(text, next, copied)
			if !found {
				dst = append(dst, c)
				next++
				continue
			}
			dst = dst[:len(dst)-(next-start)]
			if start < next && mayBeginCode(dst) {
				end := addressEnd(text, next) // Looked for only here, the ends of all addresses take no longer than the text.
				dst = append(dst, '`')
				dst = append(dst, text[start:end]...)
				dst = append(dst, '`')
				for next = end; next < len(text) && text[next] == '_'; next++ {
					dst = append(dst, '\\', '_') // behind punctuation now, it might open emphasis
				}
			} else {
				dst = append(dst, text[start:next]...)
				dst = append(dst, '\\', c)
				next++
			}
			copied = next
		case markdownBreak:
			return dst, next
		case markdownControl:
			dst = appendControlPicture(dst, c)
			next++
			copied = next
		case markdownNotASCII:
			if careful {
				if run := plainRunes(text[next:]); run > 0 {
					dst = append(dst, text[next:next+run]...)
					next += run
					continue
				}
			}
			r, size := utf8.DecodeRuneInString(text[next:])
			if isWideBreak(r) {
				return dst, next
			}
			dst = appendMarkdownRune(dst, r)
			next += size
			copied = next
		}
	}
}

// mayBeginCode reports whether a grave accent behind dst would begin a code span of its own.
func mayBeginCode(dst []byte) bool {
	return len(dst) == 0 || dst[len(dst)-1] != '`' && dst[len(dst)-1] != '\\'
}

// appendMarkdownRune appends a character that is not ASCII. Bidirectional overrides, embeddings and isolates are written
// as character references, so that they do not reorder what a reader of the source sees.
func appendMarkdownRune(dst []byte, r rune) []byte {
	switch {
	case isBidiControl(r):
		dst = append(dst, "&#x"...)
		dst = strconv.AppendInt(dst, int64(r), 16)
		return append(dst, ';')
	case r < 0xA0:
		return append(dst, "\uFFFD"...)
	}
	return utf8.AppendRune(dst, r)
}

// isOnlyText reports whether the byte at index i, which is of class markdownEscape, is only text where it
// stands. Anything may come after the end of the text, such as the comma of a list.
func isOnlyText(text string, i int) bool {
	if i+1 == len(text) {
		return text[i] == '&' || text[i] == '#' && i > 0 && !isMarkdownSpace(text[i-1]) || text[i] == '_' && followsWord(text, i)
	}
	next := text[i+1]
	switch text[i] {
	case '*', '~', '<':
		return isMarkdownSpace(next)
	case '_':
		return isMarkdownSpace(next) || followsWord(text, i)
	case '#':
		return i > 0 && !isMarkdownSpace(text[i-1]) || next != '#' && !mayEndWord(text, i+1)
	case '&':
		return !beginsReference(text[i+1:])
	case '\\':
		return isAlphanumeric(next)
	}
	return false
}

// followsWord reports whether the low line at index i of text stands behind a letter or a digit, or is the second one there. A run
// of low lines behind a letter or a digit is right-flanking and not behind punctuation, and so opens no emphasis (CommonMark 0.31,
// section 6.2, rule 2). It looks no further back than that, so that a long run takes no longer than its length.
func followsWord(text string, i int) bool {
	if i > 1 && text[i-1] == '_' {
		i--
	}
	return i > 0 && isAlphanumeric(text[i-1])
}

// beginsReference reports whether text goes on like an entity or a numeric character reference after its ampersand.
func beginsReference(text string) bool {
	const longest = 40 // more than the longest name that HTML knows has
	for i := range min(len(text), longest) {
		switch c := text[i]; {
		case c == ';':
			return i > 0
		case !isAlphanumeric(c) && (i > 0 || c != '#'):
			return false
		}
	}
	return false
}

// appendMarkdownName appends the name of a column. Since it stands between asterisks that mean something, all of its
// punctuation is escaped but what names commonly have.
func appendMarkdownName(dst []byte, name string) []byte {
	name = strings.TrimSpace(name)
	for i, r := range name {
		switch {
		case r < ' ' || 0x7F <= r && r < 0xA0 || isWideBreak(r) || isBidiControl(r):
			r = '\u00B7'
		case r == '_' && !followsWord(name, i),
			r < utf8.RuneSelf && !isAlphanumeric(byte(r)) && r != '_' && r != '-' && r != ' ':
			dst = append(dst, '\\')
		}
		dst = utf8.AppendRune(dst, r)
	}
	return dst
}
