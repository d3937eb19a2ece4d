package jsontext

import (
	"bytes"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dataexport/dataexport/internal/swar"
)

// values are JSON texts and near misses: the cases of the tests and the seeds of the fuzz target.
var values = []string{
	`null`, `true`, `false`, ` 0 `, `-0`, `1.50`, `1e5`, `1E+05`, `-12.5e-7`, `12345678901234567890.123456789`, `""`, `"a"`,
	`"\"\\\/\b\f\n\r\té\ud83d\uDE00\ud800"`, `[]`, `{}`, ` [ ] `, ` { } `, `[1, 2 ,3]`, `{"a": 1, "b" : [true, null]}`,
	"{\"a\"\r\n\t:{\"b\":{\"c\":[[[]]]}}}", `{"a":1,"a":2}`, `"日本語"`, "\"\xff\"", "\"a\xffb\xfe\\n\xed\xa0\x80\"", "\"\u2028\"",
	"", " ", `nul`, `nulL`, `tru`, `01`, `-`, `+1`, `1.`, `.5`, `1e`, `1e+`, `0x1`, `"`, `"a`, `"\`, `"\x"`, `"\u12`, `"\u12g4"`, "\"\n\"", "\"\x00\"",
	`[`, `[1`, `[1,`, `[1,]`, `[,1]`, `[1 2]`, `{`, `{"`, `{"a"`, `{"a":`, `{"a":1`, `{"a":1,`, `{"a":1,}`, `{a:1}`, `{1:1}`, `{"a" 1}`,
	`1 2`, `{}}`, `[]]`, `nullnull`, "\xff", "[1]\x00", "\ufeff1", `'a'`, "[1]\f", "\v1", `NaN`, `Infinity`, `// x`, `tRue`, "[\u00a01]",
}

func checkCompact(t *testing.T, raw string) {
	t.Helper()
	got, err := AppendCompact([]byte("x"), raw)
	if !json.Valid([]byte(raw)) {
		var syntax *SyntaxError
		require.ErrorAs(t, err, &syntax, "%q", raw)
		require.LessOrEqual(t, syntax.Offset, len(raw))
		require.NotContains(t, syntax.Error(), "\n")
		require.Equal(t, "x", string(got), "what is not JSON appends nothing")
		return
	}
	if err != nil {
		require.Contains(t, err.Error(), "nested deeper", "%q", raw)
		return
	}
	var want bytes.Buffer
	require.NoError(t, json.Compact(&want, []byte(raw)))
	require.Equal(t, "x"+string(AppendValid(nil, want.String())), string(got), "%q", raw)
	require.True(t, utf8.Valid(got))
	require.True(t, json.Valid(got[1:]))
}

func TestAppendCompact(t *testing.T) {
	for _, raw := range values {
		checkCompact(t, raw)
		checkCompact(t, `{"in": [`+raw+`]}`)
	}
}

// Each cut and many changed bytes of a text with everything in it are judged as encoding/json judges them.
func TestAppendCompactDamaged(t *testing.T) {
	const whole = `{"a" : [1, -2.5e+3, "x\u00e9\n😀", true, false, null, {}, []], "b": {"c": ""}}`
	for i := range len(whole) {
		checkCompact(t, whole[:i])
		checkCompact(t, whole[i:])
		for c := 0; c < 256; c += 5 {
			checkCompact(t, whole[:i]+string([]byte{byte(c)})+whole[i+1:])
		}
	}
}

func TestAppendCompactErrors(t *testing.T) {
	for raw, want := range map[string]string{
		``:              `invalid JSON at byte 0: the text ends where a value is expected`,
		`{"a":nope}`:    `invalid JSON at byte 6: "o" stands where the rest of true, false or null is expected`,
		`[1 2]`:         `invalid JSON at byte 3: "2" stands where ',' or ']' is expected`,
		`{"a":1`:        `invalid JSON at byte 6: the text ends where ',' or '}' is expected`,
		`{} {}`:         `invalid JSON at byte 3: there is more after the value`,
		"\"a\nb\"":      `invalid JSON at byte 2: the control character "\n" must be escaped in a string`,
		`{"a":"unended`: `invalid JSON at byte 13: the text ends inside a string`,
		`{"a":"\q"}`:    `invalid JSON at byte 7: "q" stands where the rest of an escape sequence is expected`,
		"{\"a\":\xff}":  `invalid JSON at byte 5: "\xff" stands where a value is expected`,
		`[1,2,3,00]`:    `invalid JSON at byte 8: "0" stands where ',' or ']' is expected`,
		`{"a":1,}`:      `invalid JSON at byte 7: "}" stands where the name of a member in quotes is expected`,
	} {
		_, err := AppendCompact(nil, raw)
		assert.EqualError(t, err, want)
	}
}

func TestNotDigits(t *testing.T) {
	for place := range 8 {
		for c := range 256 {
			text := []byte("01234567")
			text[place] = byte(c)
			want := uint64(0x80) << (8 * place)
			if isDigit(byte(c)) {
				want = 0
			}
			require.Equal(t, want, notDigits(swar.Load(string(text), 0)), "%q", text)
		}
	}
}

func TestAppendCompactDepth(t *testing.T) {
	nested := func(depth int) string { return strings.Repeat("[", depth) + strings.Repeat("]", depth) }
	got, err := AppendCompact(nil, nested(MaxDepth))
	require.NoError(t, err)
	require.Len(t, got, 2*MaxDepth)

	for _, raw := range []string{nested(MaxDepth + 1), strings.Repeat(`{"a":`, MaxDepth+1), strings.Repeat("[", 1_000_000)} {
		_, err = AppendCompact(nil, raw)
		var syntax *SyntaxError
		require.True(t, errors.As(err, &syntax))
		assert.Contains(t, syntax.Problem, "nested deeper than 10000 levels")
	}
}

func TestAppendCompactKeepsNumbers(t *testing.T) {
	const raw = `[12345678901234567890,1.000,-0,1E+05,0.1000000000000000055511151231257827]`
	got, err := AppendCompact(nil, raw)
	require.NoError(t, err)
	assert.Equal(t, raw, string(got))
}

func TestAppendCompactAllocatesNothing(t *testing.T) {
	buffer := make([]byte, 0, 1<<16)
	assert.Zero(t, testing.AllocsPerRun(100, func() {
		_, _ = AppendCompact(buffer, `{"a": [1, -2.5e+3, "x\u00e9\n😀", true, false, null, {}, []], "b": {"c": "`+"\xff"+`"}}`)
	}))
}

func FuzzAppendCompact(f *testing.F) {
	for _, raw := range values {
		f.Add(raw)
	}
	f.Fuzz(checkCompact)
}

func BenchmarkAppendCompact(b *testing.B) {
	const raw = `{"source":"chat","confidence":0.92,"tags":["preference","food"],"nested":{"model":"large","tokens":1834}}`
	spaced := strings.NewReplacer(`:`, `: `, `,`, `, `).Replace(raw)
	for name, text := range map[string]string{"compact": raw, "spaced": spaced} {
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(text)))
			buffer := make([]byte, 0, 1024)
			for b.Loop() {
				if _, err := AppendCompact(buffer, text); err != nil {
					b.Fatal(err)
				}
			}
		})
		b.Run(name+"/encoding", func(b *testing.B) {
			b.SetBytes(int64(len(text)))
			var buffer bytes.Buffer
			for b.Loop() {
				buffer.Reset()
				if err := json.Compact(&buffer, []byte(text)); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
