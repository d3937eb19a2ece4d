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

// scanText returns the index, from i on, of the first byte of text whose class is not markdownPlain, or the length of the
// text. It takes no notice of dots, which matter only in a text that has "www." in it.
//
// Whole words are looked at for what most of a text is: letters, digits, blanks and ",-./".
func scanText(text string, i int) int {
	for i <= len(text)-8 {
		word := loadWord(text, i)
		ascii := word & lowBits
		lower := ascii | ' '*eachByte
		letters := (lower + (0x80-'a')*eachByte) &^ (lower + (0x80-'z'-1)*eachByte)
		digits := (ascii + (0x80-',')*eachByte) &^ (ascii + (0x80-'9'-1)*eachByte)
		others := (ascii ^ ' '*eachByte) + lowBits // the highest bit of those that are no blank
		if found := (^(letters | digits | ^others) | word) & highBits; found != 0 {
			i += bits.TrailingZeros64(found) / 8
			if markdownClasses[text[i]] != markdownPlain {
				return i
			}
			i++
			continue
		}
		i += 8
	}
	return scanTextBytes(text, i)
}

// scanTextBytes is scanText byte by byte. It does take notice of dots.
func scanTextBytes(text string, i int) int {
	for i < len(text) && markdownClasses[text[i]] == markdownPlain {
		i++
	}
	return i
}

// scanVerbatim returns the index, from i on, of the first byte of text that appendVerbatim may not copy, or the length of
// the text: of a control character, or of a character that is not ASCII.
func scanVerbatim(text string, i int) int {
	for i <= len(text)-8 {
		word := loadWord(text, i)
		ascii := word & lowBits
		printable := ascii + (0x80-' ')*eachByte
		deletes := ascii + eachByte
		if found := (^printable | deletes | word) & highBits; found != 0 {
			return i + bits.TrailingZeros64(found)/8
		}
		i += 8
	}
	for i < len(text) && text[i] >= ' ' && text[i] < 0x7F {
		i++
	}
	return i
}

// loadWord returns eight bytes of text from index i. The compiler makes one instruction of it.
func loadWord(text string, i int) uint64 {
	s := text[i : i+8]
	return uint64(s[0]) | uint64(s[1])<<8 | uint64(s[2])<<16 | uint64(s[3])<<24 |
		uint64(s[4])<<32 | uint64(s[5])<<40 | uint64(s[6])<<48 | uint64(s[7])<<56
}
