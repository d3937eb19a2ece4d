package jsontext

import (
	"slices"
	"unicode/utf8"

	"github.com/dataexport/dataexport/internal/swar"
)

// AppendString appends s as a JSON string, in quotes. It escapes what RFC 8259, section 7 requires, and nothing else:
// quotation mark, reverse solidus and the control characters U+0000 to U+001F. Each byte that is not part of valid UTF-8
// becomes U+FFFD, as with encoding/json.
func AppendString(dst []byte, s string) []byte {
	start, room := len(dst), len(s)+2
	if cap(dst)-start < room {
		return AppendString(grow(dst, room), s)
	}
	out := dst[start : start+room]
	out[0], out[len(out)-1] = '"', '"'
	inside := out[1:][:len(s)]
	// Most texts are short. Words that overlap spare them a loop, whose end the processor could seldom foresee.
	switch n := len(s); {
	case n > 16:
	case n >= 8:
		first, last := swar.Load(s, 0), swar.Load(s, n-8)
		swar.Store(inside, 0, first)
		swar.Store(inside, n-8, last)
		if isPlain(first) && isPlain(last) {
			return dst[:start+room]
		}
	case n >= 4:
		first, last := swar.Load4(s, 0), swar.Load4(s, n-4)
		swar.Store4(inside, 0, first)
		swar.Store4(inside, n-4, last)
		if isPlain(uint64(first) | uint64(last)<<32) {
			return dst[:start+room]
		}
	case n > 0:
		first, middle, last := s[0], s[n/2], s[n-1]
		inside[0], inside[n/2], inside[n-1] = first, middle, last
		const blanks = ' ' * (swar.EachByte &^ 0xFFFFFF) // in the places without a byte
		if isPlain(uint64(first) | uint64(middle)<<8 | uint64(last)<<16 | blanks) {
			return dst[:start+room]
		}
	}
	end, ascii := copyPlain(inside, s)
	if end == len(s) && (ascii || Valid(s)) {
		return dst[:start+room]
	}
	return appendSpecial(dst[:start+1+end], s, end, ascii)
}

// grow is not inlined, so that fast callers need not keep registers for it.
//
//go:noinline
func grow(dst []byte, room int) []byte { return slices.Grow(dst, room) }

// appendSpecial does the rest of AppendString for a text that is not plain. dst ends with the first end bytes of s as they
// are, among which are others than ASCII unless ascii is true.
func appendSpecial(dst []byte, s string, end int, ascii bool) []byte {
	for {
		if !ascii && !Valid(s[:end]) {
			dst = AppendValid(dst[:len(dst)-end], s[:end])
		}
		if end == len(s) {
			return append(dst, '"')
		}
		dst = appendEscape(dst, s[end])
		s = s[end+1:]
		start := len(dst)
		dst = slices.Grow(dst, len(s)+1)
		end, ascii = copyPlain(dst[start:start+len(s)], s)
		dst = dst[:start+end]
	}
}

// AppendStrings appends a list as a JSON array of strings. A nil list is an empty array.
func AppendStrings(dst []byte, list []string) []byte {
	dst = append(dst, '[')
	for i, s := range list {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = AppendString(dst, s)
	}
	return append(dst, ']')
}

// AppendValid appends s as it is, but for bytes that are not part of valid UTF-8: each becomes U+FFFD.
func AppendValid(dst []byte, s string) []byte {
	for len(s) > 0 {
		r, size := utf8.DecodeRuneInString(s)
		if r == utf8.RuneError && size == 1 {
			dst = append(dst, "\uFFFD"...)
		} else {
			dst = append(dst, s[:size]...)
		}
		s = s[size:]
	}
	return dst
}

func appendEscape(dst []byte, c byte) []byte {
	const digits = "0123456789abcdef"
	switch c {
	case '"', '\\':
		return append(dst, '\\', c)
	case '\n':
		return append(dst, '\\', 'n')
	case '\r':
		return append(dst, '\\', 'r')
	case '\t':
		return append(dst, '\\', 't')
	case '\b':
		return append(dst, '\\', 'b')
	case '\f':
		return append(dst, '\\', 'f')
	}
	return append(dst, '\\', 'u', '0', '0', digits[c>>4], digits[c&15])
}
