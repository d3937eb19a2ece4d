package jsontext

import (
	"math/rand/v2"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"
)

// pieces are, each, valid UTF-8, part of it, or none, at the edges of what is valid.
var pieces = []string{
	"a", "plain, longer than a word", "\x7f", "\u0080", "é", "\u07ff", "\u0800", "日", "\ud7ff", "\ue000", "\uffff", "\U00010000",
	"😀", "\U0010ffff", "\x80", "\xbf", "\xc0\x80", "\xc1\xbf", "\xc2", "\xdf", "\xe0\x9f\xbf", "\xe0\xa0", "\xe6\x97", "\xe6a\x97",
	"\xed\xa0\x80", "\xed\xbf\xbf", "\xef\xbf", "\xf0\x8f\xbf\xbf", "\xf0\x9f\x98", "\xf4\x90\x80\x80", "\xf5\x80\x80\x80", "\xff",
}

func TestValid(t *testing.T) {
	for _, first := range pieces {
		for _, second := range pieces {
			for _, third := range pieces {
				s := first + second + third
				require.Equal(t, utf8.ValidString(s), Valid(s), "%q", s)
			}
		}
	}
	random := rand.New(rand.NewPCG(7, 8))
	for range 2_000 {
		s := ""
		for range random.IntN(20) {
			s += pieces[random.IntN(14)] // These are valid.
		}
		require.True(t, Valid(s), "%q", s)
	}
}

func TestValidTwoBytesEach(t *testing.T) {
	for place := range 4 {
		for first := range 256 {
			for second := range 256 {
				text := []byte("жжжжж ж")
				text[2+2*place], text[3+2*place] = byte(first), byte(second)
				if s := string(text); Valid(s) != utf8.ValidString(s) {
					t.Fatalf("%q: %t", s, Valid(s))
				}
			}
		}
	}
}

func FuzzValid(f *testing.F) {
	for _, s := range texts {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) { require.Equal(t, utf8.ValidString(s), Valid(s)) })
}
