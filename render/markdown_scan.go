package render

import "github.com/dataexport/dataexport/internal/swar"

// The masks of this file are exact: additions are made on bytes without their highest bit, so that none carries into the
// next byte. Adding 0x80-n sets the highest bit of just those that are n or more.
const (
	eachByte = swar.EachByte
	lowBits  = 0x7F * eachByte
	blanks   = ' ' * eachByte
)

// copyText copies text from index start on to the beginning of dst, up to the first byte that appendMarkdownLine may not
// copy. It returns the index of that byte, or the length of the text. The bytes of dst behind what is copied, for eight of
// which there must be room, are undefined.
func copyText(dst []byte, text string, start int) int {
	for i := start; i < len(text); i += 8 {
		n, unclear := copyClearWords(dst[i-start:], text[i:])
		if i += n; unclear == 0 {
			if i == len(text) {
				break
			}
			word := lastWord(text, i)
			swar.Store(dst, i-start, word)
			unclear = unclearBytes(word)
		}
		for ; unclear != 0; unclear &= unclear - 1 {
			at := i + swar.First(unclear)
			if text[at] == 'w' {
				return copyTextAndDots(dst, text, start, i)
			}
			if mayMean(text, at) {
				return at
			}
		}
	}
	return len(text)
}

// copyClearWords copies words of eight bytes up to the first one that has unclear bytes, that included. It returns the length
// of those before it and the mask of its unclear bytes, which is zero if there is none. It calls nothing, so that all of
// its variables stay in registers.
func copyClearWords(dst []byte, s string) (n int, unclear uint64) {
	dst = dst[:len(s)]
	for ; n <= len(s)-8; n += 8 {
		word := swar.Load(s, n)
		swar.Store(dst, n, word)
		if unclear = unclearBytes(word); unclear != 0 {
			return n, unclear
		}
	}
	return n, 0
}

// copyTextAndDots is the rest of copyText, from index i on, for a text that may have a "www.". It looks at every byte.
func copyTextAndDots(dst []byte, text string, start, i int) int {
	for ; i < len(text); i++ {
		if mayMean(text, i) {
			return i
		}
		dst[i-start] = text[i]
	}
	return i
}

// copyIfClear copies text, which is not empty, to dst, which has room for eight bytes more, if nothing in it is unclear but
// low lines in words. Most texts in a heading or a bullet are short and so. If it returns false, all of dst is undefined.
func copyIfClear(dst []byte, text string) bool {
	if len(text) < 8 {
		word := lastWord(text, 0)
		swar.Store(dst, 0, word)
		return unclearBytes(word)&^innerLowLines(word) == 0
	}
	last := len(text) - 8
	for i := 0; ; i += 8 {
		i = min(i, last) // The last word may overlap the one before it.
		word := swar.Load(text, i)
		swar.Store(dst, i, word)
		if unclear := unclearBytes(word); unclear != 0 && unclear&^innerLowLines(word) != 0 {
			return false
		}
		if i == last {
			return true
		}
	}
}

// mayMean reports whether the byte at index i of text may not be copied.
func mayMean(text string, i int) bool {
	switch c := text[i]; markdownClasses[c] {
	case markdownPlain:
		return false
	case markdownAddress:
		return c == '@' || c == '.' && i >= 3 && text[i-3:i] == "www" || c == ':' && i+1 < len(text) && text[i+1] == '/'
	case markdownEscape:
		return !isOnlyText(text, i)
	default:
		return true
	}
}

// unclearBytes marks the bytes of a word that are not letters, digits, blanks or ",-./", which most of a text is. A full stop
// means something only in a web address without a scheme. So it also marks a "w" next to another one: of the two pairs in
// "www." one is always within a word.
func unclearBytes(word uint64) uint64 {
	ascii := word & lowBits
	lower := ascii | blanks
	common := (lower + (0x80-'a')*eachByte) ^ (lower + (0x80-'z'-1)*eachByte) ^
		(ascii + (0x80-',')*eachByte) ^ (ascii + (0x80-'9'-1)*eachByte)
	notBlank := (ascii ^ blanks) + lowBits
	notW := word ^ 'w'*eachByte
	notWs := notW | (notW<<8 | notW>>56)
	return (^common&notBlank | word | (notWs-eachByte)&^notWs) & swar.HighBits
}

// innerLowLines marks low lines between two letters or digits of the same word, as names have them. They mean nothing.
func innerLowLines(word uint64) uint64 {
	ascii := word & lowBits
	lower := ascii | blanks
	alphanumeric := (lower + (0x80-'a')*eachByte) ^ (lower + (0x80-'z'-1)*eachByte) ^
		(ascii + (0x80-'0')*eachByte) ^ (ascii + (0x80-'9'-1)*eachByte)
	other := (ascii ^ '_'*eachByte) + lowBits
	alphanumeric &= swar.HighBits
	return alphanumeric << 8 & (alphanumeric >> 8) &^ (other | word)
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
