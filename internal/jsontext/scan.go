package jsontext

import "github.com/dataexport/dataexport/internal/swar"

// scanPlain returns the index of the first byte of s that a JSON string cannot hold as it is (a quotation mark, a reverse
// solidus or a control character), or len(s). It is ascii if no byte before that index is 0x80 or above; if it is not,
// there may be such a byte.
func scanPlain(s string) (end int, ascii bool) {
	if len(s) < 8 {
		return scanPlainBytes(s)
	}
	last := len(s) - 8
	var high uint64
	for i := 0; i < last; i += 8 {
		word := swar.Load(s, i)
		high |= word
		if found := mustEscape(word); found != 0 {
			return i + swar.First(found), high&swar.HighBits == 0
		}
	}
	word := swar.Load(s, last) // The last word may overlap the one before it.
	high |= word
	end = len(s)
	if found := mustEscape(word); found != 0 {
		end = last + swar.First(found)
	}
	return end, high&swar.HighBits == 0
}

// copyPlain is scanPlain that writes what it looks at to the beginning of dst, which has room for all of s. The bytes of
// dst from end on are undefined. It spares short texts, which most are, a second pass and a call.
func copyPlain(dst []byte, s string) (end int, ascii bool) {
	if len(s) < 8 {
		end, ascii = scanPlainBytes(s)
		for i := range end {
			dst[i] = s[i]
		}
		return end, ascii
	}
	last := len(s) - 8
	var high uint64
	for i := 0; i < last; i += 8 {
		word := swar.Load(s, i)
		swar.Store(dst, i, word)
		high |= word
		if found := mustEscape(word); found != 0 {
			return i + swar.First(found), high&swar.HighBits == 0
		}
	}
	word := swar.Load(s, last) // The last word may overlap the one before it.
	swar.Store(dst, last, word)
	high |= word
	end = len(s)
	if found := mustEscape(word); found != 0 {
		end = last + swar.First(found)
	}
	return end, high&swar.HighBits == 0
}

func scanPlainBytes(s string) (end int, ascii bool) {
	var high byte
	for end < len(s) {
		c := s[end]
		if c < ' ' || c == '"' || c == '\\' {
			break
		}
		high |= c
		end++
	}
	return end, high < 0x80
}

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
