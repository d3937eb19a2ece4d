package render

import "math/bits"

// Eight bytes are looked at as one uint64, whose lowest byte is the first of the text. In the constants each byte is the
// same. Additions are made on bytes without their highest bit, so that none carries into the next byte: adding 0x80-n sets
// the highest bit of just those that are n or more.
const (
	eachByte = 0x0101010101010101
	highBits = 0x80 * eachByte
	lowBits  = 0x7F * eachByte
)

// scanText returns the index, from i on, of the first byte of text that appendMarkdownLine may not copy, or the length of
// the text.
//
// Whole words are looked at for what most of a text is: letters, digits, blanks and ",-/".
func scanText(text string, i int) int {
	for ; i <= len(text)-8; i += 8 {
		for found := uncommonBytes(loadWord(text, i)); found != 0; found &= found - 1 {
			if at := i + bits.TrailingZeros64(found)/8; mayMean(text, at) {
				return at
			}
		}
	}
	if len(text) >= 8 && uncommonBytes(loadWord(text, len(text)-8)) == 0 {
		return len(text)
	}
	if i < len(text) {
		for found := uncommonBytes(lastWord(text, i)); found != 0; found &= found - 1 {
			if at := i + bits.TrailingZeros64(found)/8; mayMean(text, at) {
				return at
			}
		}
	}
	return len(text)
}

// mayMean reports whether the byte at index i of text may not be copied.
func mayMean(text string, i int) bool {
	switch c := text[i]; markdownClasses[c] {
	case markdownPlain:
		return false
	case markdownAddress:
		return c == '@' || c == '.' && i > 0 && text[i-1] == 'w' || c == ':' && i+1 < len(text) && text[i+1] == '/'
	case markdownEscape:
		return !isOnlyText(text, i)
	default:
		return true
	}
}

// uncommonBytes marks, with their highest bits, the bytes of a word that are not letters, digits, blanks or ",-/".
func uncommonBytes(word uint64) uint64 {
	ascii := word & lowBits
	lower := ascii | ' '*eachByte
	letters := (lower + (0x80-'a')*eachByte) &^ (lower + (0x80-'z'-1)*eachByte)
	digits := (ascii + (0x80-',')*eachByte) &^ (ascii + (0x80-'9'-1)*eachByte)
	notDot := (ascii ^ '.'*eachByte) + lowBits
	notBlank := (ascii ^ ' '*eachByte) + lowBits
	return (^(letters | digits&notDot | ^notBlank) | word) & highBits
}

// scanVerbatim returns the index, from i on, of the first byte of text that appendVerbatim may not copy, or the length of
// the text: of a control character, or of a character that is not ASCII.
func scanVerbatim(text string, i int) int {
	for ; i <= len(text)-8; i += 8 {
		if found := unprintableBytes(loadWord(text, i)); found != 0 {
			return i + bits.TrailingZeros64(found)/8
		}
	}
	if i < len(text) {
		if found := unprintableBytes(lastWord(text, i)); found != 0 {
			return i + bits.TrailingZeros64(found)/8
		}
	}
	return len(text)
}

// unprintableBytes marks, with their highest bits, the bytes of a word that are control characters or not ASCII.
func unprintableBytes(word uint64) uint64 {
	ascii := word & lowBits
	printable := ascii + (0x80-' ')*eachByte
	deletes := ascii + eachByte
	return (^printable | deletes | word) & highBits
}

// lastWord returns the bytes of text from index i, of which there are one to seven, with blanks behind them.
func lastWord(text string, i int) uint64 {
	if len(text) >= 8 {
		missing := uint(i + 8 - len(text))
		return loadWord(text, len(text)-8)>>(8*missing) | ' '*eachByte<<(64-8*missing)
	}
	word := uint64(' ' * eachByte)
	for last := len(text) - 1; last >= i; last-- {
		word = word<<8 | uint64(text[last])
	}
	return word
}

// loadWord returns eight bytes of text from index i. The compiler makes one instruction of it.
func loadWord(text string, i int) uint64 {
	s := text[i : i+8]
	return uint64(s[0]) | uint64(s[1])<<8 | uint64(s[2])<<16 | uint64(s[3])<<24 |
		uint64(s[4])<<32 | uint64(s[5])<<40 | uint64(s[6])<<48 | uint64(s[7])<<56
}
