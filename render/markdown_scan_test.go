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
	for start := min(len(text), 40); start >= 0; start-- {
		if start > 0 && text[start-1] == 'w' { // where no scan starts, and "www." cannot be seen
			continue
		}
		end := start
		for end < len(text) && !mayMean(text, end) {
			end++
		}
		if copied, _ := copyText(dst[:len(text)-start], text, start); copied != end || text[start:end] != string(dst[:end-start]) {
			t.Fatalf("%q from %d: %d, %q", text, start, copied, dst[:end-start])
		}
	}
	checkClear(t, text, meaning == len(text) && utf8.ValidString(text))
	unprintable := strings.IndexFunc(text, func(r rune) bool { return r < ' ' || r >= 0x7F })
	if unprintable < 0 {
		unprintable = len(text)
	}
	if scanned := scanVerbatim(text, 0); scanned != unprintable {
		t.Fatalf("%q: unprintable from %d on, not %d", text, scanned, unprintable)
	}
	if isPlainCode(text) && (unprintable < len(text) || strings.Contains(text, "`") || string(appendMarkdownCode(nil, text)) != "`"+text+"`") {
		t.Fatalf("%q is no plain code", text)
	}
}

// checkClear compares what is written at once with what is written bit by bit, and characters that are judged together with those
// that are judged one by one.
func checkClear(t *testing.T, text string, mayBeCopied bool) {
	t.Helper()
	equal := func(want, got []byte) { // which takes far less time than to require it
		t.Helper()
		if string(want) != string(got) {
			t.Fatalf("%q: %q, not %q", text, got, want)
		}
	}
	if copied, flags := appendIfClear([]byte("x"), text); flags&pairUnclear == 0 {
		if !mayBeCopied {
			t.Fatalf("%q is copied", text)
		}
		equal([]byte("x"+text), copied)
	} else {
		equal([]byte("x"), copied)
	}
	if text == "" {
		return
	}
	slowly := appendUnclearText([]byte("xyz"), text)
	equal(slowly, appendMarkdownText([]byte("xyz"), text))
	label := newPrefix("yz")
	for _, room := range []int{1, 1000} {
		equal(trimBlanks(slowly), label.appendText(append(make([]byte, 0, room), 'x'), text))
	}
	together, oneByOne := appendUnclearText(nil, "\u00E9"+text), appendUnclearText(nil, "\xFF"+text) // not UTF-8
	equal(together[len("\u00E9"):], oneByOne[len("\uFFFD"):])
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
			for _, special := range []string{"www.", "ww.", "_m_", "://", "w.w", "a@b", "é", "日", ", ",
				"\u2019", "\u2028", "\u202E", "\u0085", "\u00A0", "\xE2\x80", "\xE2", "\xC2", "\xFF", "\U0001F600", "é*", "é_", " _m", " #é", "www.m", "wwww.m", "ww2"} {
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

// Of all characters, those are found that are not copied.
func TestMarkdownFindsCharactersThatAreNotCopied(t *testing.T) {
	for r := rune(utf8.RuneSelf); r <= utf8.MaxRune; r++ {
		if !utf8.ValidRune(r) {
			continue
		}
		var dst [40]byte
		for _, before := range []string{"", "m", "é", "seven m"} {
			text := before + string(r) + "\u2019s"
			end, flags := copyText(dst[:], text, 0)
			if want := len(before); isCopied(r) && (end < len(text) || flags&pairNotASCII == 0) || !isCopied(r) && end != want {
				t.Fatalf("%U behind %q: %d", r, before, end)
			}
		}
	}
}

// An item of a list that begins or ends with white space needs quotes, which its first byte and its last one tell.
func TestItemEdges(t *testing.T) {
	for r := rune(0); r <= utf8.MaxRune; r++ {
		s := string(r)
		if needsQuotes(s+"m") && itemEdges[s[0]]&notFirst == 0 {
			t.Fatalf("%U in front", r)
		}
		if needsQuotes("m"+s) && itemEdges[s[len(s)-1]]&notLast == 0 {
			t.Fatalf("%U at the end", r)
		}
	}
	for _, s := range []string{"m", "7", "ü", "предпочтения", "仕事", "υγεία"} {
		require.Zero(t, itemEdges[s[0]]&notFirst|itemEdges[s[len(s)-1]]&notLast, s)
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
		"food & drink", "a & b & c & d", "user_name_of_somebody & co", "the_name_of_the_users_id_x", "café", "предпочтения", "仕事", "Zoë lives in Curaçao",
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
