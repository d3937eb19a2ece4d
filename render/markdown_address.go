package render

import "strings"

// addressStart looks at the byte at index i, one of ":.@", and returns where the web or mail address that it belongs to starts,
// and false if it belongs to none. The start is not below from.
func addressStart(text string, i, from int) (start int, found bool) {
	switch text[i] {
	case ':':
		// Any scheme will do, since parsers differ in those that they know.
		found = i > 0 && isAlphanumeric(text[i-1]) && strings.HasPrefix(text[i:], "://")
	case '.':
		return webHostStart(text, i, from)
	default:
		found = i > 0 && isMailboxByte(text[i-1]) && i+1 < len(text) && isAlphanumeric(text[i+1])
	}
	if !found {
		return 0, false
	}
	return startOfAddress(text, i, from), true
}

// addressEnd returns where the address ends for which addressStart has looked at the byte at index i.
func addressEnd(text string, i int) int {
	switch text[i] {
	case ':':
		return endOfURL(text, i, i+len("://"))
	case '.':
		return endOfURL(text, i, i+1)
	}
	end := i + 1
	for end < len(text) && isDomainByte(text[end]) {
		end++
	}
	for !isAlphanumeric(text[end-1]) {
		end--
	}
	return end
}

// webHostStart finds the URL without a scheme of which the dot at index i ends the "www.", in small letters as parsers
// want it.
func webHostStart(text string, i, from int) (start int, found bool) {
	const prefix = "www"
	start = i - len(prefix)
	if start < from || i+1 == len(text) || !isURLByte(text[i+1]) || text[start:i] != prefix {
		return 0, false
	}
	if start > 0 && isAlphanumeric(text[start-1]) {
		return 0, false
	}
	return startOfAddress(text, start, from), true
}

// startOfAddress returns where the address that goes on at index i starts. It takes in all that a mail address might begin
// with, also in front of a URL, since a URL with an at sign and that in front of it would be a mail address.
func startOfAddress(text string, i, from int) int {
	for i > from && isMailboxByte(text[i-1]) {
		i--
	}
	return i
}

// endOfURL returns where the URL that begins at start ends, without the punctuation of the sentence around it. The end is
// not below least.
func endOfURL(text string, start, least int) int {
	end := least
	for end < len(text) && isURLByte(text[end]) {
		end++
	}
	unclosed := strings.Count(text[start:end], "(") - strings.Count(text[start:end], ")")
	for ; end > least; end-- {
		switch text[end-1] {
		case '.', ',', ';', ':', '!', '?', '\'', ']', '}', '*', '_', '~', '|', '\\':
		case ')':
			if unclosed >= 0 {
				return end
			}
			unclosed++
		default:
			return end
		}
	}
	return end
}

func isAlphanumeric(c byte) bool {
	return isLetter(c) || '0' <= c && c <= '9'
}

func isLetter(c byte) bool { return 'a' <= c|0x20 && c|0x20 <= 'z' }

func isDomainByte(c byte) bool { return isAlphanumeric(c) || c == '.' || c == '-' || c == '_' }

// isURLByte reports whether c may stand in a URL: any ASCII character that is seen, but for those that commonly enclose
// one.
func isURLByte(c byte) bool {
	return c > ' ' && c < 0x7F && c != '`' && c != '<' && c != '>' && c != '"'
}

// isMailboxByte reports whether c may stand in front of the at sign (RFC 5322, atext and the dot, without the grave
// accent, which cannot stand in a code span).
func isMailboxByte(c byte) bool {
	return isAlphanumeric(c) || strings.IndexByte(".!#$%&'*+/=?^_{|}~-", c) >= 0
}
