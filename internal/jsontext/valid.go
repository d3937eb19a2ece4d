package jsontext

import (
	"unicode/utf8"

	"github.com/dataexport/dataexport/internal/swar"
)

// Valid reports whether s is valid UTF-8, as utf8.ValidString does. It is made for texts in which ASCII and characters of
// several bytes alternate, where that one goes byte by byte from the first such character on.
func Valid(s string) bool {
	for i := 0; i < len(s); {
		switch c := s[i]; {
		case c < utf8.RuneSelf:
			if i++; i < len(s) && s[i] < utf8.RuneSelf { // not a single blank between words
				i = SkipASCII(s, i)
			}
		case 0xC2 <= c && c < 0xE0 && i+1 < len(s) && IsContinuation(s[i+1]):
			if i += 2; i <= len(s)-8 && areTwoBytesEach(swar.Load(s, i)) {
				i += 8
			}
		case 0xE0 <= c && c < 0xF0 && i+2 < len(s) && IsContinuation(s[i+1]) && IsContinuation(s[i+2]) &&
			(c != 0xE0 || s[i+1] >= 0xA0) && (c != 0xED || s[i+1] < 0xA0): // neither too long nor half of a surrogate pair
			i += 3
		default: // what is rare, or is not valid
			r, size := utf8.DecodeRuneInString(s[i:])
			if r == utf8.RuneError && size == 1 {
				return false
			}
			i += size
		}
	}
	return true
}

// areTwoBytesEach reports whether a word is four characters of two bytes, such as Cyrillic letters.
func areTwoBytesEach(word uint64) bool {
	const (
		bits      = 0xC0E0C0E0C0E0C0E0 // which tell first bytes, and those that follow them, from others
		want      = 0x80C080C080C080C0
		letters   = 0x001E001E001E001E // bits of first bytes that are all 0 only in a form that is too long
		makeCarry = 0x007E007E007E007E
		carries   = 0x0080008000800080
	)
	return word&bits == want && (word&letters+makeCarry)&carries == carries
}

// SkipASCII returns the index of the first byte from i on that is not ASCII, or the length of the text.
func SkipASCII(s string, i int) int {
	for ; i <= len(s)-8; i += 8 {
		if high := swar.Load(s, i) & swar.HighBits; high != 0 {
			return i + swar.First(high)
		}
	}
	for i < len(s) && s[i] < utf8.RuneSelf {
		i++
	}
	return i
}

// IsContinuation reports whether c can be a byte of a character in UTF-8 that is not its first one.
func IsContinuation(c byte) bool { return c&0xC0 == 0x80 }
