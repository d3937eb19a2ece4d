package render

import "strings"

// findAddress looks at the byte at index i, one of ":.@", and returns the bounds of the web or mail address that it
// belongs to, or an end of 0 if it belongs to none. The start is not below from.
func findAddress(text string, i, from int) (start, end int) {
	switch text[i] {
	case ':':
		return findURL(text, i, from)
	case '.':
		return findWebHost(text, i, from)
	default:
		return findMailAddress(text, i, from)
	}
}

// findURL finds the URL of which the colon at index i ends the scheme. Any scheme will do, since parsers differ in those
// that they know.
func findURL(text string, i, from int) (start, end int) {
	if i == 0 || !isAlphanumeric(text[i-1]) || !strings.HasPrefix(text[i:], "://") {
		return 0, 0
	}
	return startOfAddress(text, i, from), endOfURL(text, i, i+len("://"))
}

// findWebHost finds the URL without a scheme of which the dot at index i ends the "www.", in small letters as parsers
// want it.
func findWebHost(text string, i, from int) (start, end int) {
	const prefix = "www"
	start = i - len(prefix)
	if start < from || i+1 == len(text) || !isURLByte(text[i+1]) || text[start:i] != prefix {
		return 0, 0
	}
	if start > 0 && isAlphanumeric(text[start-1]) {
		return 0, 0
	}
	return startOfAddress(text, start, from), endOfURL(text, i, i+1)
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

// findMailAddress finds the mail address that has its at sign at index i.
func findMailAddress(text string, i, from int) (start, end int) {
	if i == 0 || !isMailboxByte(text[i-1]) || i+1 == len(text) || !isAlphanumeric(text[i+1]) {
		return 0, 0
	}
	end = i + 1
	for end < len(text) && isDomainByte(text[end]) {
		end++
	}
	for !isAlphanumeric(text[end-1]) {
		end--
	}
	return startOfAddress(text, i, from), end
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
