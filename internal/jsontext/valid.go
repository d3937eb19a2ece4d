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
			i = skipASCII(s, i)
		case 0xC2 <= c && c < 0xE0 && i+1 < len(s) && isContinuation(s[i+1]):
			i += 2
		case 0xE1 <= c && c < 0xF0 && c != 0xED && i+2 < len(s) && isContinuation(s[i+1]) && isContinuation(s[i+2]):
			i += 3
		default: // what is rare, has a second byte of a narrower range, or is not valid
			r, size := utf8.DecodeRuneInString(s[i:])
			if r == utf8.RuneError && size == 1 {
				return false
			}
			i += size
		}
	}
	return true
}

// skipASCII returns the index behind one to eight bytes of ASCII, of which the first is at i.
func skipASCII(s string, i int) int {
	if i > len(s)-8 {
		return i + 1
	}
	return i + swar.First(swar.Load(s, i)&swar.HighBits)
}

func isContinuation(c byte) bool { return c&0xC0 == 0x80 }
