package render

import "strings"

// appendMarkdownBody appends the body of a record below a blank line: as paragraphs if every line is one, and else as a
// code block. A body of white space only is nothing.
func appendMarkdownBody(dst []byte, body string) []byte {
	begin := len(dst)
	text := body
	if text == "" || !isAlphanumeric(text[0]) {
		if text = text[leadingSpace(text).length:]; text == "" {
			return dst
		}
	}
	for {
		dst = append(dst, '\n')
		dst, text = appendParagraphStart(dst, text)
		var read int
		dst, read = appendMarkdownLine(dst, text)
		dst = append(dst, '\n')
		text = text[read:]
		if text == "" {
			return dst
		}
		space := leadingSpace(text)
		text = text[space.length:]
		if text == "" {
			return dst
		}
		if space.breaks < 2 || space.indented {
			return appendMarkdownFence(dst[:begin], body)
		}
	}
}

// appendParagraphStart escapes what would begin another block than a paragraph, and returns the rest of the text.
// Everything that appendMarkdownLine escapes in any place is left to it.
func appendParagraphStart(dst []byte, text string) ([]byte, string) {
	c := text[0]
	if isLetter(c) {
		return dst, text
	}
	spaceFollows := mayEndWord(text, 1)
	switch {
	case c == '*', c == '_', c == '>', // emphasis is escaped elsewhere, but "* * *" has none
		c == '-' && (spaceFollows || text[1] == '-'),
		(c == '+' || c == ':') && spaceFollows:
		return append(dst, '\\', c), text[1:]
	}
	digits := 0
	for digits < len(text) && '0' <= text[digits] && text[digits] <= '9' {
		digits++
	}
	if digits == 0 || digits == len(text) || text[digits] != '.' && text[digits] != ')' {
		return dst, text
	}
	if !mayEndWord(text, digits+1) {
		return dst, text
	}
	dst = append(dst, text[:digits]...)
	return append(dst, '\\', text[digits]), text[digits+1:]
}

// appendMarkdownFence appends text as a fenced code block below a blank line, without the blank lines around the text.
// The fence is longer than any run of grave accents in the text, so that nothing in it can be its end.
func appendMarkdownFence(dst []byte, text string) []byte {
	text = text[leadingSpace(text).lastLine:]
	length := max(3, longestGraves(text)+1)
	dst = append(dst, '\n')
	dst = appendGraves(dst, length)
	dst = append(dst, '\n')
	dst = appendVerbatim(dst, text, '\n')
	end := len(dst)
	for isMarkdownSpace(dst[end-1]) {
		end--
	}
	dst = append(dst[:end], '\n')
	dst = appendGraves(dst, length)
	return append(dst, '\n')
}

// appendMarkdownCode appends text as a code span of one line.
func appendMarkdownCode(dst []byte, text string) []byte {
	if len(text) == 0 {
		return dst
	}
	length := longestGraves(text) + 1
	first, last := text[0], text[len(text)-1]
	// One blank is taken off both ends of a code span that has one at both.
	padded := first == '`' || last == '`' || first <= ' ' && last <= ' '
	dst = appendGraves(dst, length)
	if padded {
		dst = append(dst, ' ')
	}
	dst = appendVerbatim(dst, text, ' ')
	if padded {
		dst = append(dst, ' ')
	}
	return appendGraves(dst, length)
}

func appendGraves(dst []byte, n int) []byte {
	for range n {
		dst = append(dst, '`')
	}
	return dst
}

// longestGraves returns the length of the longest run of grave accents in text.
func longestGraves(text string) int {
	first := strings.IndexByte(text, '`')
	if first < 0 {
		return 0
	}
	longest, run := 0, 0
	for i := first; i < len(text); i++ {
		if text[i] != '`' {
			run = 0
			continue
		}
		run++
		longest = max(longest, run)
	}
	return longest
}
