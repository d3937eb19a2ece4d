package render

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"
)

// meaningPlain is the plain twin of copyText: the index of the first byte that means something.
func meaningPlain(text string) int {
	for i := range len(text) {
		if mayMean(text, i) {
			return i
		}
	}
	return len(text)
}

// checkScans compares what looks at words of a text with what looks at each byte.
func checkScans(t *testing.T, text string) {
	t.Helper()
	meaning := meaningPlain(text)
	dst := make([]byte, len(text))
	require.Equal(t, meaning, copyText(dst, text, 0), "%q", text)
	require.Equal(t, text[:meaning], string(dst[:meaning]), "%q", text)
	for start := min(len(text), 40); start > 0; start-- {
		if text[start-1] == 'w' { // where no scan starts, and "www." cannot be seen
			continue
		}
		end := start
		for end < len(text) && !mayMean(text, end) {
			end++
		}
		if copied := copyText(dst[:len(text)-start], text, start); copied != end || text[start:end] != string(dst[:end-start]) {
			t.Fatalf("%q from %d: %d, %q", text, start, copied, dst[:end-start])
		}
	}
	if copied, flags := appendIfClear([]byte("x"), text); flags&pairUnclear == 0 {
		require.Equal(t, len(text), meaning, "%q", text)
		require.Equal(t, "x"+text, string(copied))
	} else {
		require.Equal(t, "x", string(copied))
	}
	unprintable := strings.IndexFunc(text, func(r rune) bool { return r < ' ' || r >= 0x7F })
	if unprintable < 0 {
		unprintable = len(text)
	}
	require.Equal(t, unprintable, scanVerbatim(text, 0), "%q", text)
	if isPlainCode(text) {
		require.Equal(t, len(text), unprintable, "%q", text)
		require.NotContains(t, text, "`")
		require.Equal(t, "`"+text+"`", string(appendMarkdownCode(nil, text)))
	}
}

func TestMarkdownScans(t *testing.T) {
	for _, s := range append(markdownNasties(), markdownSystematic()...) {
		checkScans(t, s)
	}
	for length := 1; length <= 26; length++ {
		for place := range length {
			for c := range 256 {
				for _, filler := range []string{"m", "w", "1"} {
					text := []byte(strings.Repeat(filler, length))
					text[place] = byte(c)
					checkScans(t, string(text))
				}
			}
			for _, special := range []string{"www.", "ww.", "_m_", "://", "w.w", "a@b", "é", "日", ", "} {
				checkScans(t, strings.Repeat("m", place)+special+strings.Repeat("m", length-place))
			}
		}
	}
}

// The table of pairs is made in a quick way. This is the plain one.
func TestMarkdownPairs(t *testing.T) {
	for first := range 256 {
		for second := range 256 {
			flags := flagsOfFirst(byte(first), byte(second)) | flagsOfSecond(byte(first), byte(second))
			for _, c := range []int{first, second} {
				if c == ',' || c < ' ' {
					flags |= pairEndsItem
				}
			}
			require.Equal(t, flags, markdownPairs[first|second<<8], "%q", []byte{byte(first), byte(second)})
		}
	}
}

// A byte that may mean something is found whatever its neighbours are.
func TestMarkdownPairsOfAllNeighbours(t *testing.T) {
	const before, after = "m ._:&#*<\\/w1\n", "m ._:&#*<\\/w1;\n"
	for c := range 256 {
		for _, b := range []byte(before) {
			for _, a := range []byte(after) {
				for _, far := range []byte(after) {
					text := string([]byte{b, byte(c), a, far})
					meaning := mayMean(text, 1)
					if meaning && c != '.' {
						require.NotZero(t, flagsOfFirst(byte(c), a), "%q", text)
						require.NotZero(t, flagsOfSecond(b, byte(c)), "%q", text)
					}
				}
			}
		}
	}
}

// Characters of two and three bytes are told by their bytes; these are all of them, and what is not valid beside them.
func TestCommonRunes(t *testing.T) {
	check := func(text string, wanted rune, size int) {
		t.Helper()
		n := commonRunes(text)
		r, valid := utf8.DecodeRuneInString(text)
		if n > 0 && (n != size || valid != size || r != wanted || r < 0xA0 || isWideBreak(r) || isBidiControl(r)) {
			t.Fatalf("%q: %d bytes", text, n)
		}
	}
	for first := 0x80; first < 0x100; first++ {
		for second := range 256 {
			pair := string([]byte{byte(first), byte(second)})
			r, _ := utf8.DecodeRuneInString(pair)
			check(pair, r, 2)
			for third := range 256 {
				triple := pair + string([]byte{byte(third)})
				if r, size := utf8.DecodeRuneInString(triple); size == 3 || commonRunes(triple) == 3 {
					check(triple, r, 3)
				}
			}
		}
	}
}

// Most texts must be copied without a look at single bytes. If these no longer are, nothing is wrong but the speed.
func TestMarkdownScansFindCommonTextsClear(t *testing.T) {
	for _, s := range []string{
		"LOW", "active", "MEDIUM", "ws_7f3a9c21", "user_000123", "agent_003", "snake_case_name", "018f3c2a-9b1d-7e4f-8a6b-5cdef0123456",
		"They live in Lisbon, work from home. Flights should leave after nine.", "2026-01-15", "1.5", "a", "and/or",
		"food & drink", "a & b & c & d", "user_name_of_somebody & co",
	} {
		_, flags := appendIfClear(nil, s)
		require.Zero(t, flags&pairUnclear, s)
	}
	require.True(t, isPlainCode(`{"turn":12,"source":"chat","confidence":0.45}`))
}

func FuzzMarkdownScans(f *testing.F) {
	for _, s := range markdownNasties() {
		f.Add(s)
	}
	f.Fuzz(checkScans)
}
