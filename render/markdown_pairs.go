package render

import "unicode/utf8"

// What two bytes of a text that stand next to each other may be, whatever stands around them.
const (
	pairUnclear  = 1 << iota // one of them may mean something, or is written differently
	pairDepends              // the first is a low line or the second an ampersand, which mean nothing next to most bytes outside of the pair
	pairEndsItem             // one of them cannot be in an item of a list that has no quotes
	pairNotASCII             // one of them is not ASCII, and may be no part of a character
)

// markdownPairs has the flags of all pairs of bytes, with the first byte in the lower half of the index. Looking four pairs up
// takes two thirds of the instructions that a mask of eight bytes with as many conditions takes, and finds fewer bytes that mean
// nothing after all, since it knows one of their neighbours. A text in Latin letters uses about six kilobytes of the table.
var markdownPairs = classifyMarkdownPairs()

func classifyMarkdownPairs() (pairs [1 << 16]uint8) {
	var alone [256]uint8 // the flags of a byte, whatever its neighbours are
	for c := range alone {
		if alone[c] = byteFlags(byte(c)); alone[c] == 0 && markdownClasses[c] != markdownPlain {
			alone[c] = pairUnclear
		}
		if c == ',' || c < ' ' {
			alone[c] |= pairEndsItem
		}
	}
	for i := range pairs {
		pairs[i] = alone[i&0xFF] | alone[i>>8]
	}
	clarify := func(first, second byte) {
		flags := &pairs[uint16(first)|uint16(second)<<8]
		*flags = *flags&pairEndsItem | flagsOfFirst(first, second) | flagsOfSecond(first, second)
	}
	// These are the bytes that are something else next to some others than they are alone.
	for other := range 256 {
		for _, c := range []byte(`.:w_&*~<#\`) {
			clarify(c, byte(other))
			clarify(byte(other), c)
		}
	}
	return pairs
}

// byteFlags returns the flags of a byte that depend on no other.
func byteFlags(c byte) uint8 {
	switch {
	case c < utf8.RuneSelf:
		return 0
	case c == 0xC2, c == 0xE2: // with which all characters begin that are not copied: line breaks, control characters and directional controls
		return pairNotASCII | pairUnclear
	}
	return pairNotASCII
}

// flagsOfFirst returns what the first byte of a pair may be, whatever is in front of it.
func flagsOfFirst(first, second byte) uint8 {
	isText := false
	switch markdownClasses[first] {
	case markdownNotASCII:
		return byteFlags(first)
	case markdownPlain:
		isText = first != 'w' || second != 'w' // "www." may begin an address
	case markdownAddress:
		isText = first == '.' || first == ':' && second != '/'
	case markdownEscape:
		switch {
		case first == '_' && !isMarkdownSpace(second):
			return pairDepends
		case first == '&':
			isText = second != '#' && !isAlphanumeric(second)
		default:
			isText = isOnlyText(string([]byte{first, second}), 0)
		}
	}
	if isText {
		return 0
	}
	return pairUnclear
}

// flagsOfSecond returns what the second byte of a pair may be, whatever is behind it.
func flagsOfSecond(first, second byte) uint8 {
	switch {
	case markdownClasses[second] == markdownPlain, second == '.', second == '_' && isAlphanumeric(first),
		second == '#' && !isMarkdownSpace(first):
		return 0
	case markdownClasses[second] == markdownNotASCII:
		return byteFlags(second)
	case second == '&':
		return pairDepends
	}
	return pairUnclear
}

// pairFlags returns the flags of the four pairs that a word is made of.
func pairFlags(word uint64) uint8 {
	return markdownPairs[uint16(word)] | markdownPairs[uint16(word>>16)] | //nolint:gosec // the lowest bits
		markdownPairs[uint16(word>>32)] | markdownPairs[uint16(word>>48)] //nolint:gosec // as above
}

// pairFlagsAt returns the flags of the four pairs that the eight bytes of s from index i on are made of. Loading pairs takes
// fewer instructions than taking a word apart.
func pairFlagsAt(s string, i int) uint8 {
	s = s[i : i+8]
	return markdownPairs[uint16(s[0])|uint16(s[1])<<8] | markdownPairs[uint16(s[2])|uint16(s[3])<<8] |
		markdownPairs[uint16(s[4])|uint16(s[5])<<8] | markdownPairs[uint16(s[6])|uint16(s[7])<<8]
}
