package jsontext

import (
	"unicode/utf8"

	"github.com/dataexport/dataexport/internal/swar"
)

// copyPlain copies s to the beginning of dst, which has room for all of it, up to the first byte that a JSON string cannot
// hold as it is: a quotation mark, a reverse solidus or a control character. It returns the index of that byte, or len(s).
// It is ascii if no byte before that index is 0x80 or above; if it is not, there may be such a byte. The bytes of dst from
// the index on are undefined.
//
// Copying what it looks at anyway spares short texts, which most are, a second pass and a call.
func copyPlain(dst []byte, s string) (end int, ascii bool) {
	dst = dst[:len(s)]
	if len(s) < 8 {
		return copyPlainBytes(dst, s)
	}
	var high uint64
	for i := 0; i < len(s)-8; i += 8 {
		word := swar.Load(s, i)
		swar.Store(dst, i, word)
		high |= word
		if found := mustEscape(word); found != 0 {
			return i + swar.First(found), high&swar.HighBits == 0
		}
	}
	last := len(s) - 8
	word := swar.Load(s, last) // The last word may overlap the one before it.
	swar.Store(dst, last, word)
	high |= word
	end = len(s)
	if found := mustEscape(word); found != 0 {
		end = last + swar.First(found)
	}
	return end, high&swar.HighBits == 0
}

func copyPlainBytes(dst []byte, s string) (end int, ascii bool) {
	var high byte
	dst = dst[:len(s)]
	for end < len(dst) {
		c := s[end]
		if mustEscapeByte(c) {
			break
		}
		dst[end] = c
		high |= c
		end++
	}
	return end, high < utf8.RuneSelf
}

// isPlain reports whether all bytes are ASCII and none of them must be escaped.
func isPlain(word uint64) bool { return mustEscape(word)|word&swar.HighBits == 0 }

// mustEscape marks the bytes that are a quotation mark, a reverse solidus or below a blank. Exchanging bits so that a
// quotation mark becomes a blank, and a blank something above, makes one subtraction find both the control characters and
// the quotation mark.
func mustEscape(word uint64) uint64 {
	const (
		quoteToBlank = ('"' ^ ' ') * swar.EachByte
		solidus      = '\\' * swar.EachByte
	)
	controlsAndQuotes := (word ^ quoteToBlank) - (' '+1)*swar.EachByte
	solidi := (word ^ solidus) - swar.EachByte
	return (controlsAndQuotes | solidi) &^ word & swar.HighBits
}

func mustEscapeByte(c byte) bool { return c < ' ' || c == '"' || c == '\\' }
