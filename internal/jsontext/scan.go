package jsontext

import "math/bits"

// Eight bytes are looked at as one uint64, whose lowest byte is the first of the text. In the constants each byte is the
// same, and in the masks a byte of 0x80 stands for a byte that was found.
const (
	eachByte = 0x0101010101010101
	highBits = 0x80 * eachByte
)

// scanPlain returns the index of the first byte of s that a JSON string cannot hold as it is (a quotation mark, a reverse
// solidus or a control character), or len(s). It is ascii if no byte before that index is 0x80 or above; if it is not,
// there may be such a byte.
func scanPlain(s string) (end int, ascii bool) {
	if len(s) < 8 {
		return scanPlainBytes(s, 0, true)
	}
	var high uint64
	i := 0
	for ; i <= len(s)-8; i += 8 {
		word := load(s, i)
		high |= word
		if found := mustEscape(word); found != 0 {
			return i + bits.TrailingZeros64(found)/8, high&highBits == 0
		}
	}
	if i < len(s) {
		i = len(s) - 8 // The last word overlaps the one before it.
		word := load(s, i)
		high |= word
		if found := mustEscape(word); found != 0 {
			return i + bits.TrailingZeros64(found)/8, high&highBits == 0
		}
	}
	return len(s), high&highBits == 0
}

func scanPlainBytes(s string, i int, ascii bool) (int, bool) {
	for ; i < len(s); i++ {
		c := s[i]
		if c < ' ' || c == '"' || c == '\\' {
			return i, ascii
		}
		ascii = ascii && c < 0x80
	}
	return i, ascii
}

// mustEscape marks the bytes that are a quotation mark, a reverse solidus or below a blank. Bytes above the first marked
// one may be marked wrongly, since a subtraction borrows from them.
//
// Exchanging bits so that a quotation mark becomes a blank, and a blank something above, makes one subtraction find both
// the control characters and the quotation mark.
func mustEscape(word uint64) uint64 {
	const (
		quoteToBlank = ('"' ^ ' ') * eachByte
		solidus      = '\\' * eachByte
	)
	controlsAndQuotes := (word ^ quoteToBlank) - (' '+1)*eachByte
	solidi := (word ^ solidus) - eachByte
	return (controlsAndQuotes | solidi) & ^word & highBits
}

// load returns eight bytes of s from index i. The compiler makes one instruction of it.
func load(s string, i int) uint64 {
	s = s[i : i+8]
	return uint64(s[0]) | uint64(s[1])<<8 | uint64(s[2])<<16 | uint64(s[3])<<24 |
		uint64(s[4])<<32 | uint64(s[5])<<40 | uint64(s[6])<<48 | uint64(s[7])<<56
}
