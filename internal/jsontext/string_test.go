package jsontext

import (
	"encoding/json"
	"math/rand/v2"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// texts are the cases of the tests and the seeds of the fuzz targets.
var texts = []string{
	"", "a", "plain", "exactly8", "nine char", "a \"quoted\" word", `back\slash`, "line\nbreak", "\x00\x01\x1f\x7f",
	"tab\tcr\rbackspace\bfeed\f", "grüße", "日本語のテキスト", "Ω≈ç√", "emoji 😀 text", "\u2028\u2029", "<script>&amp;</script>",
	"\xff", "a\xffb", "cut off \xe6\x97", "\xed\xa0\x80 surrogate", "\xc0\x80 overlong", "12345678\"", "1234567\"", "\"12345678",
	"\uFFFD itself", strings.Repeat("x", 1000) + "\n" + strings.Repeat("é", 1000), "right\u202eto left", "\xf4\x90\x80\x80",
}

// appendStringPlain is the plain twin of AppendString.
func appendStringPlain(dst []byte, s string) []byte {
	dst = append(dst, '"')
	for i := 0; i < len(s); {
		r, size := utf8.DecodeRuneInString(s[i:])
		if r < ' ' || r == '"' || r == '\\' {
			dst = appendEscape(dst, s[i])
		} else {
			dst = utf8.AppendRune(dst, r)
		}
		i += size
	}
	return append(dst, '"')
}

func checkString(t *testing.T, s string) {
	t.Helper()
	got := AppendString([]byte("x"), s)
	require.Equal(t, "x"+string(appendStringPlain(nil, s)), string(got))
	require.True(t, utf8.Valid(got))

	var back string
	require.NoError(t, json.Unmarshal(got[1:], &back))
	require.Equal(t, string(AppendValid(nil, s)), back)

	var theirs string
	marshalled, err := json.Marshal(s)
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal(marshalled, &theirs))
	require.Equal(t, theirs, back)
}

func TestAppendString(t *testing.T) {
	for _, s := range texts {
		checkString(t, s)
	}
	assert.Equal(t, `"\u0000\u001f`+"\x7f"+`"`, string(AppendString(nil, "\x00\x1f\x7f")))
	assert.Equal(t, `"</a>&`+"\u2028"+`\n\r\t\b\f\"\\/"`, string(AppendString(nil, "</a>&\u2028\n\r\t\b\f\"\\/")))
}

func TestAppendStringEveryByteAtEveryPlace(t *testing.T) {
	for length := 1; length <= 25; length++ {
		for place := range length {
			for c := range 256 {
				text := []byte(strings.Repeat("m", length))
				text[place] = byte(c)
				if got, want := AppendString(nil, string(text)), appendStringPlain(nil, string(text)); string(got) != string(want) {
					t.Fatalf("byte %#x at %d of %d: got %q, want %q", c, place, length, got, want)
				}
			}
		}
	}
}

func TestAppendStringRandom(t *testing.T) {
	const alphabet = "ab\"\\\n\x00\xc3\xa9\xe6\x97\xa5\xf0\x9f\x98\x80"
	random := rand.New(rand.NewPCG(1, 2))
	for range 5_000 {
		text := make([]byte, random.IntN(40))
		for i := range text {
			text[i] = byte(random.Uint32())
			if random.IntN(2) == 0 {
				text[i] = alphabet[random.IntN(len(alphabet))]
			}
		}
		checkString(t, string(text))
	}
}

func TestAppendStrings(t *testing.T) {
	for _, list := range [][]string{nil, {}, {""}, {"a"}, {"a", "b\"c", "", "é"}} {
		got := AppendStrings([]byte("x"), list)
		var back []string
		require.NoError(t, json.Unmarshal(got[1:], &back))
		require.Len(t, back, len(list))
		for i := range list {
			require.Equal(t, list[i], back[i])
		}
	}
	assert.Equal(t, `["a","b"]`, string(AppendStrings(nil, []string{"a", "b"})))
}

func FuzzAppendString(f *testing.F) {
	for _, s := range texts {
		f.Add(s)
	}
	f.Fuzz(checkString)
}

func TestAppendStringAllocatesNothing(t *testing.T) {
	buffer := make([]byte, 0, 1<<16)
	assert.Zero(t, testing.AllocsPerRun(100, func() {
		out := buffer
		for _, s := range texts {
			out = AppendString(out, s)
		}
		_ = AppendStrings(out, texts)
	}))
}

func BenchmarkAppendString(b *testing.B) {
	for _, script := range []struct{ name, text string }{
		{"English", "The user prefers short answers, and likes tea in the morning. "},
		{"German", "Die Nutzerin mag kurze Antworten, trinkt früh Tee und hört gern Bücher über Öl. "},
		{"Russian", "Пользователь предпочитает короткие ответы и утром пьёт чай. "},
		{"Chinese", "用户喜欢简短的回答，早上喝茶，晚上读书，周末去公园散步。"},
		{"Korean", "사용자는 짧은 답변을 선호하고 아침에 차를 마십니다. "},
		{"emoji", "good 😀 morning 🎉 with 🍵 tea and 📚 books 🚀 today "},
	} {
		text := strings.Repeat(script.text, 8)
		buffer := make([]byte, 0, 2*len(text))
		b.Run(script.name, func(b *testing.B) {
			b.SetBytes(int64(len(text)))
			for b.Loop() {
				buffer = AppendString(buffer[:0], text)
			}
		})
		b.Run(script.name+"/plain", func(b *testing.B) {
			b.SetBytes(int64(len(text)))
			for b.Loop() {
				buffer = appendStringPlain(buffer[:0], text)
			}
		})
	}
}
