package render

import (
	"slices"
	"unicode/utf8"

	"github.com/dataexport/dataexport/internal/jsontext"
	"github.com/dataexport/dataexport/internal/swar"
)

// Masks of this file make additions on bytes without their highest bit, so that none carries into the next byte. Adding 0x80-n
// sets the highest bit of just those that are n or more.
const (
	eachByte = swar.EachByte
	lowBits  = 0x7F * eachByte
	blanks   = ' ' * eachByte
)

// copyText copies text from index start on to the beginning of dst, which has room for it, up to the first byte that
// appendMarkdownLine may not copy. It returns the index of that byte, or the length of the text, and flags of what it has looked
// at, which may be a little more. If one of them is pairNotASCII, it is up to the caller to tell whether what has been copied is
// UTF-8. The bytes of dst behind that are undefined.
func copyText(dst []byte, text string, start int) (end int, flags uint8) {
	for i := start; i < len(text); i += 8 {
		n, more := copyClearWords(dst[i-start:], text[i:])
		flags |= more
		i += n
		if i > len(text)-8 {
			end, more = copyTextBytes(dst, text, start, i)
			return end, flags | more
		}
		for unclear := unclearBytes(swar.Load(text, i)); unclear != 0; unclear &= unclear - 1 {
			at := i + swar.First(unclear)
			if dot := webDot(text, at); dot >= 0 {
				copy(dst[at-start:dot-start], text[at:dot])
				return dot, flags
			}
			if mayMean(text, at) {
				return at, flags
			}
		}
	}
	return len(text), flags
}

// copyClearWords copies words of eight bytes up to the first one that is unclear, that included, and returns its index and the
// flags of all pairs so far, among them pairUnclear. If none is unclear it returns how much of s it has copied, which is nothing
// if s is shorter than a word, and else all of it; pairDepends is then not among the flags. The last word may overlap the one
// before it, so that its index may be less than what is known to be clear.
func copyClearWords(dst []byte, s string) (n int, flags uint8) {
	dst = dst[:len(s)]
	last := len(s) - 8
	for ; n <= last; n += 8 {
		swar.Store(dst, n, swar.Load(s, n))
		flags |= pairFlagsAt(s, n)
		if flags&(pairUnclear|pairDepends) != 0 {
			if flags&pairUnclear != 0 || !dependentAreText(s, n) {
				return n, flags | pairUnclear
			}
			flags &^= pairDepends
		}
	}
	if n == 0 || n == len(s) {
		return n, flags
	}
	n = last
	swar.Store(dst, n, swar.Load(s, n))
	flags |= pairFlagsAt(s, n)
	if flags&(pairUnclear|pairDepends) != 0 {
		if flags&pairUnclear != 0 || !dependentAreText(s, n) {
			return n, flags | pairUnclear
		}
		flags &^= pairDepends
	}
	return len(s), flags
}

// dependentAreText reports whether all low lines and ampersands among the eight bytes at index n of s, which are otherwise clear, are
// only text. It looks at the pairs of which low lines are the second byte and ampersands the first one, and may err to the side of
// false. It is not inlined, so that fast callers need not keep registers for it.
//
//go:noinline
func dependentAreText(s string, n int) bool {
	word := s[n : n+8]
	between := markdownPairs[uint16(word[1])|uint16(word[2])<<8] | markdownPairs[uint16(word[3])|uint16(word[4])<<8] |
		markdownPairs[uint16(word[5])|uint16(word[6])<<8]
	if n > 0 {
		between |= markdownPairs[uint16(s[n-1])|uint16(s[n])<<8]
	} else if word[0] == '_' {
		return false
	}
	return between&pairUnclear == 0 && (word[7] != '&' || !mayMean(s, n+7))
}

// webDot returns the index of the dot of a "www." of which the byte at index i is the second or third one, or -1.
func webDot(text string, i int) int {
	if text[i] == 'w' {
		for dot := i + 1; dot <= i+2 && dot < len(text); dot++ {
			if text[dot] == '.' && mayMean(text, dot) {
				return dot
			}
		}
	}
	return -1
}

// copyTextBytes is the rest of copyText, from index i on, for the few bytes at the end of a text. It looks at every one.
func copyTextBytes(dst []byte, text string, start, i int) (end int, flags uint8) {
	for ; i < len(text) && !mayMean(text, i); i++ {
		dst[i-start] = text[i]
		flags |= byteFlags(text[i])
	}
	return i, flags
}

// copyIfClear copies text to dst, which is as long, and returns the flags of its pairs. If one of them is pairUnclear, text is
// not written as it is, and dst is undefined. Most texts in a heading or a bullet are short and clear. Words that overlap spare
// them a loop, whose end the processor could seldom foresee.
func copyIfClear(dst []byte, text string) (flags uint8) {
	switch n := len(text); {
	case n > 16:
		_, flags = copyClearWords(dst, text)
	case n >= 8:
		swar.Store(dst, 0, swar.Load(text, 0))
		swar.Store(dst, n-8, swar.Load(text, n-8))
		first, last := pairFlagsAt(text, 0), pairFlagsAt(text, n-8)
		if flags = first | last; flags&(pairUnclear|pairDepends) == pairDepends &&
			(first&pairDepends == 0 || dependentAreText(text, 0)) && (last&pairDepends == 0 || dependentAreText(text, n-8)) {
			flags &^= pairDepends
		}
	default:
		flags = copyFewBytes(dst, text)
	}
	if flags&(pairDepends|pairNotASCII) != 0 && (flags&pairDepends != 0 || !jsontext.Valid(text)) {
		flags |= pairUnclear
	}
	return flags
}

// appendIfClear appends text if it is written as it is, and returns the flags of its pairs. If one of them is pairUnclear, it
// has appended nothing.
func appendIfClear(dst []byte, text string) (_ []byte, flags uint8) {
	if cap(dst)-len(dst) < len(text) {
		dst = slices.Grow(dst, len(text))
	}
	longer := dst[:len(dst)+len(text)]
	if flags = copyIfClear(longer[len(dst):], text); flags&pairUnclear != 0 {
		return dst, flags
	}
	return longer, flags
}

// copyFewBytes copies a text of less than eight bytes and returns the flags of its pairs. The last byte is always the second
// one of a pair, since what is behind it is not known.
func copyFewBytes(dst []byte, text string) uint8 {
	n := len(text)
	switch {
	case n >= 4:
		first, last := swar.Load4(text, 0), swar.Load4(text, n-4)
		swar.Store4(dst, 0, first)
		swar.Store4(dst, n-4, last)
		return pairFlags(uint64(first) | uint64(last)<<32)
	case n >= 2:
		first, last := uint16(text[0])|uint16(text[1])<<8, uint16(text[n-2])|uint16(text[n-1])<<8
		dst[0], dst[1] = byte(first), byte(first>>8)
		dst[n-2], dst[n-1] = byte(last), byte(last>>8)
		return markdownPairs[first] | markdownPairs[last]
	case n == 1:
		dst[0] = text[0]
		return markdownPairs[' '|uint16(text[0])<<8]
	}
	return 0
}

// mayMean reports whether the byte at index i of text may not be copied. A character that is not ASCII is judged by its first byte,
// and what is not UTF-8 is not found.
func mayMean(text string, i int) bool {
	switch c := text[i]; markdownClasses[c] {
	case markdownPlain:
		return false
	case markdownNotASCII:
		if byteFlags(c)&pairUnclear == 0 {
			return false
		}
		r, _ := utf8.DecodeRuneInString(text[i:])
		return !isCopied(r)
	case markdownAddress:
		return c == '@' || c == '.' && i >= 3 && text[i-3:i] == "www" || c == ':' && i+1 < len(text) && text[i+1] == '/'
	case markdownEscape:
		return !isOnlyText(text, i)
	default:
		return true
	}
}

// unclearBytes marks the bytes of a word that are ASCII and not letters, digits, blanks or ",-./", which most of a text is, and those that
// begin a character that may not be copied. A full stop means something only in a web address without a scheme. So it also marks a
// "w" behind another one: of the two such pairs in "www." one is always within a word.
func unclearBytes(word uint64) uint64 {
	ascii := word & lowBits
	lower := ascii | blanks
	common := (lower + (0x80-'a')*eachByte) ^ (lower + (0x80-'z'-1)*eachByte) ^
		(ascii + (0x80-',')*eachByte) ^ (ascii + (0x80-'9'-1)*eachByte)
	notBlank := (ascii ^ blanks) + lowBits
	notW := word ^ 'w'*eachByte
	notWs := notW | (notW<<8 | notW>>56)
	const both, first = (0xC2 ^ 0xE2) * eachByte, 0xE2 * eachByte
	return (^common&notBlank|(notWs-eachByte)&^notWs)&^word&swar.HighBits | equalBytes(word|both, first)
}

// scanVerbatim returns the index, from i on, of the first byte of text that appendVerbatim may not copy, or the length of
// the text: of a control character, or of a character that is not ASCII.
func scanVerbatim(text string, i int) int {
	for ; i <= len(text)-8; i += 8 {
		if found := unprintableBytes(swar.Load(text, i)); found != 0 {
			return i + swar.First(found)
		}
	}
	if i < len(text) {
		if found := unprintableBytes(lastWord(text, i)); found != 0 {
			return i + swar.First(found)
		}
	}
	return len(text)
}

// unprintableBytes marks the bytes of a word that are control characters or not ASCII.
func unprintableBytes(word uint64) uint64 {
	ascii := word & lowBits
	printable := ascii + (0x80-' ')*eachByte
	deletes := ascii + eachByte
	return (^printable | deletes | word) & swar.HighBits
}

// isPlainCode reports whether a text can stand in a code span as it is, between single grave accents: it is ASCII, without
// control characters and grave accents, and does not begin and end with blanks.
func isPlainCode(text string) bool {
	const graves = '`' * eachByte
	if len(text) < 8 {
		return false
	}
	special := uint64(0)
	for i := 0; i < len(text)-8; i += 8 {
		word := swar.Load(text, i)
		special |= unprintableBytes(word) | equalBytes(word, graves)
	}
	word := swar.Load(text, len(text)-8)
	return special|unprintableBytes(word)|equalBytes(word, graves) == 0 && text[0] != ' '
}

// equalBytes marks bytes that two words have at the same place, and may mark more bytes of a word that has one.
func equalBytes(a, b uint64) uint64 { return ((a ^ b) - eachByte) &^ (a ^ b) & swar.HighBits }

// lastWord returns the bytes of text from index i, of which there are one to seven, with blanks behind them.
func lastWord(text string, i int) uint64 {
	n := len(text)
	if n >= 8 {
		missing := uint(i + 8 - n)
		return swar.Load(text, n-8)>>(8*missing) | blanks<<(64-8*missing)
	}
	var word uint64
	if n >= 4 {
		word = uint64(swar.Load4(text, 0)) | uint64(swar.Load4(text, n-4))<<(8*uint(n-4))
	} else {
		word = uint64(text[0]) | uint64(text[n/2])<<(8*uint(n/2)) | uint64(text[n-1])<<(8*uint(n-1))
	}
	word |= blanks << (8 * uint(n)) // of which those that the shift adds are missing
	return word>>(8*uint(i)) | blanks<<(64-8*uint(i))
}
