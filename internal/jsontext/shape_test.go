package jsontext

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"unsafe"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestShapeFits(t *testing.T) {
	const pattern = `{"turn":17,"source":"chat","confidence":0.92,"ok":true,"by":null,"in":{"list":[1,"a",[]]}}`
	for raw, want := range map[string]bool{
		pattern: true,
		`{"turn":1,"source":"chat","confidence":0.92,"ok":true,"by":null,"in":{"list":[1,"a",[]]}}`:                    true,
		`{"turn":170,"source":"chat","confidence":0.92,"ok":true,"by":null,"in":{"list":[1,"a",[]]}}`:                  true,
		`{"turn":1234567890123456789012,"source":"","confidence":1,"ok":false,"by":"é","in":{"list":[-1.5e+7,"",[]]}}`: true,
		`{"turn":"17","source":null,"confidence":0,"ok":null,"by":"日本語 text","in":{"list":["a",2,[]]}}`:                true,
		`{"turn":0.5,"source":1.5,"confidence":-0,"ok":0.125,"by":12345678,"in":{"list":[1234567,0.123456,[]]}}`:       true,
		"":           false,
		`{"turn":17`: false,
		`{"turn":17,"source":"chat","confidence":0.92,"ok":true,"by":null,"in":{"list":[1,"a",[]]}} `:                  false,
		`{"turn":17,"source":"chat","confidence":0.92,"ok":true,"by":null,"in":{"list":[1,"a",[]]}`:                    false,
		`{"turn":17,"source":"chat","confidence":0.92,"ok":true,"by":null,"in":{"list":[1,"a",[]]}}}`:                  false,
		`{"turn":017,"source":"chat","confidence":0.92,"ok":true,"by":null,"in":{"list":[1,"a",[]]}}`:                  false,
		`{"turn":,"source":"chat","confidence":0.92,"ok":true,"by":null,"in":{"list":[1,"a",[]]}}`:                     false,
		`{"turn":1.,"source":"chat","confidence":0.92,"ok":true,"by":null,"in":{"list":[1,"a",[]]}}`:                   false,
		`{"turn":17,"source":"chat,"confidence":0.92,"ok":true,"by":null,"in":{"list":[1,"a",[]]}}`:                    false,
		"{\"turn\":17,\"source\":\"a\tb\",\"confidence\":0.92,\"ok\":true,\"by\":null,\"in\":{\"list\":[1,\"a\",[]]}}": false,
		"{\"turn\":17,\"source\":\"\xff\",\"confidence\":0.92,\"ok\":true,\"by\":null,\"in\":{\"list\":[1,\"a\",[]]}}": false,
		`{"turn":17,"source":"chat","confidence":0.92,"ok":tru,"by":null,"in":{"list":[1,"a",[]]}}`:                    false,
		`{"turn":17,"source":"chat","confidence":0.92,"ok":true,"by":NaN,"in":{"list":[1,"a",[]]}}`:                    false,
		// What is valid but does not fit.
		`{"turn":17,"source":"a\nb","confidence":0.92,"ok":true,"by":null,"in":{"list":[1,"a",[]]}}`:  false,
		`{"turn":1e5,"source":"chat","confidence":0.92,"ok":true,"by":null,"in":{"list":[1,"a",[]]}}`: false,
		`{"turn":17,"origin":"chat","confidence":0.92,"ok":true,"by":null,"in":{"list":[1,"a",[]]}}`:  false,
		`{"turn":{},"source":"chat","confidence":0.92,"ok":true,"by":null,"in":{"list":[1,"a",[]]}}`:  false,
		`{"turn":17,"source":"chat","confidence":0.92,"ok":true,"by":null,"in":{"list":[1,"a",[1]]}}`: false,
		`{"turn":17 ,"source":"chat","confidence":0.92,"ok":true,"by":null,"in":{"list":[1,"a",[]]}}`: false,
		`{"turn":17,"source":"chat"}`: false,
	} {
		var s Shape
		require.False(t, s.Fits(pattern), "nothing fits yet")
		require.False(t, s.Fits(""))
		s.Learn(pattern)
		assert.Equal(t, want, s.Fits(raw), raw)
		checkShape(t, pattern, raw)
	}
}

// checkShape compares what the shape of a text writes of another one with what is written without it, and reports whether it fits.
func checkShape(t *testing.T, pattern, raw string) bool {
	t.Helper()
	if !json.Valid([]byte(pattern)) {
		return false
	}
	var fits [2]bool
	for i, doubleQuotes := range []bool{false, true} {
		s := Shape{DoubleQuotes: doubleQuotes}
		s.Learn(pattern)
		if fits[i] = s.Fits(raw); !fits[i] {
			continue
		}
		require.True(t, json.Valid([]byte(raw)), "%q fits %q", raw, pattern)
		want, err := AppendCompact(nil, raw)
		require.NoError(t, err)
		if doubleQuotes {
			want = []byte(strings.ReplaceAll(string(want), `"`, `""`))
		}
		require.Equal(t, "x"+string(want), string(s.Append([]byte("x"), raw)), "%q after %q", raw, pattern)
		require.True(t, s.Fits(pattern), "a pattern fits itself")
	}
	require.Equal(t, fits[0], fits[1], "whether %q fits %q does not depend on how it is written", raw, pattern)
	return fits[0]
}

// Each cut, and each byte exchanged for others, of a text with everything in it.
func TestShapeOfDamagedText(t *testing.T) {
	const whole = `{"a" : [1, -2.5e+3, "xé"], "b\n": {"c": "", "d": true}, "e": 0.25 , "f":null}`
	fitting := 0
	for i := range len(whole) {
		checkShape(t, whole, whole[:i])
		checkShape(t, whole, whole[:i]+whole[i+1:])
		for c := range 256 {
			with := string([]byte{byte(c)})
			for _, raw := range []string{whole[:i] + with + whole[i:], whole[:i] + with + whole[i+1:]} {
				if checkShape(t, whole, raw) {
					fitting++
				}
			}
		}
	}
	assert.Greater(t, fitting, 500)
}

// A text of n members, and values of all lengths, so that each is at each place of a word.
func TestShapeOfAnyLength(t *testing.T) {
	for n := range 40 {
		pattern := `{"number":1,"text":"` + strings.Repeat("a", n) + `","last":1}`
		for m := range 40 {
			raw := fmt.Sprintf(`{"number":%s1,"text":"%s","last":%s2}`, strings.Repeat("9", m), strings.Repeat("b", m), strings.Repeat("1", m%11))
			require.True(t, checkShape(t, pattern, raw), raw)
		}
	}
}

func TestShapeOfManyValues(t *testing.T) {
	list := func(n, value int) string { return `{"list":[` + strings.Repeat(fmt.Sprintf("%d,", value), n) + `0]}` }
	assert.True(t, checkShape(t, list(maxValues, 1), list(maxValues, 23)))
	assert.False(t, checkShape(t, list(maxValues+1, 1), list(maxValues+1, 23)), "more values than are kept may not change")
	assert.True(t, checkShape(t, list(maxValues+1, 1), list(maxValues+1, 1)))
	assert.False(t, checkShape(t, list(maxPattern, 1), list(maxPattern, 1)), "too long for a pattern")
	assert.False(t, checkShape(t, `[1]`, `[1]`), "no object")
	assert.False(t, checkShape(t, `{}`, `{}`), "no members")
	assert.False(t, checkShape(t, "{\"\xff\":1}", "{\"\xff\":1}"), "what is written differently")
}

func TestShapeLearns(t *testing.T) {
	var s Shape
	learn := func(name string, n int) (missed int) {
		for i := range n {
			if raw := fmt.Sprintf(`{"%s":%d}`, name, i); !s.Fits(raw) {
				s.Learn(raw)
				missed++
			}
		}
		return missed
	}
	assert.Equal(t, 1, learn("a", 100))
	assert.Equal(t, 2, learn("b", 100), "one is let pass")
	assert.Equal(t, 4, learn("c", 100))
	for i := range 100_000 { // No two are alike.
		raw := fmt.Sprintf(`{"%d":0}`, i)
		require.False(t, s.Fits(raw))
		s.Learn(raw)
	}
	assert.Equal(t, maxPatience, s.patience)
	assert.LessOrEqual(t, learn("d", 100_000), maxPatience+1)
}

// Texts of another shape now and then do not drive out the pattern that most texts fit.
func TestShapeStaysWithTheMany(t *testing.T) {
	var s Shape
	learned, missed := 0, 0
	const n = 100_000
	for i := range n {
		raw := fmt.Sprintf(`{"a":%d}`, i)
		if i%5 == 0 {
			raw = fmt.Sprintf(`{"b%d":0}`, i)
		}
		if s.Fits(raw) {
			continue
		}
		missed++
		if s.Learn(raw) {
			learned++
		}
	}
	assert.Less(t, learned, 5)
	assert.Less(t, missed, n/5+10)
}

func TestShapeAllocatesNothing(t *testing.T) {
	for _, doubleQuotes := range []bool{false, true} {
		s := Shape{DoubleQuotes: doubleQuotes}
		s.Learn(`{"a": 1, "b": "x", "c": null}`)
		buffer := make([]byte, 0, 1<<10)
		assert.Zero(t, testing.AllocsPerRun(100, func() {
			const raw = `{"a": 123456789.5, "b": "é", "c": true}`
			if !s.Fits(raw) {
				t.Error("it does not fit")
			}
			s.Append(buffer, raw)
		}))
	}
}

// Invalid UTF-8 in each place of a short string, which is read in words, in their rest, or byte by byte.
func TestShapeOfInvalidUTF8(t *testing.T) {
	for n := 1; n < 30; n++ {
		for place := range n {
			for _, behind := range []string{"", `,"b":12345678`} {
				text := []byte(strings.Repeat("a", n))
				text[place] = 0xFF
				require.False(t, checkShape(t, `{"a":"x"`+behind+`}`, `{"a":"`+string(text)+`"`+behind+`}`))
			}
		}
	}
}

// A text that is learned is borrowed.
func TestShapeKeepsACopy(t *testing.T) {
	text := []byte(`{"a":1,"b":"x"}`)
	var s Shape
	s.Learn(unsafe.String(unsafe.SliceData(text), len(text)))
	for i := range text {
		text[i] = '#'
	}
	assert.True(t, s.Fits(`{"a":2,"b":"y"}`))
	assert.False(t, s.Fits(string(text)))
}

// Texts that do not fit are seldom compared with the pattern after a while, and cost nothing else.
func TestShapePauses(t *testing.T) {
	s := Shape{patience: maxPatience}
	s.pattern, _ = newPattern(`{"a":[1]}`, false)
	for _, raw := range []string{`{"a":[]}`, `{"a": [1]}`, `{"a":["\n"]}`, `{"a":[{}]}`, `{"b":[1]}`} {
		s.pause, s.inVain = 0, 0
		assert.Zero(t, testing.AllocsPerRun(100, func() {
			if s.Fits(raw) {
				t.Error("it fits")
			}
		}), raw)
		compared := 0
		for range 100_000 {
			if s.pause == 0 {
				compared++
			}
			s.Fits(raw)
		}
		assert.Less(t, compared, 200, raw)
	}
	for s.pause > 0 {
		require.False(t, s.Fits(`{"a":[2]}`), "nothing fits in a pause")
	}
	require.True(t, s.Fits(`{"a":[2]}`))
	assert.Zero(t, s.inVain)
}

func FuzzShape(f *testing.F) {
	for _, pattern := range values {
		for _, raw := range values {
			f.Add(`{"a": `+pattern+`, "b":[`+pattern+`]}`, `{"a": `+raw+`, "b":[`+raw+`]}`)
		}
	}
	f.Fuzz(func(t *testing.T, pattern, raw string) { checkShape(t, pattern, raw) })
}

// FuzzShapeOfMany has texts come one after the other, a line each, in memory that is used for the next one too.
func FuzzShapeOfMany(f *testing.F) {
	f.Add("{\"a\":1}\n{\"a\":2}\n{\"b\":\"x\"}\n[1]\n{\"b\":\"y\"}\n{\"b\" : \"y\\n\"}\n{\"a\":tru}\n{\"b\":\"\xff\"}\n{\"b\":null}")
	f.Fuzz(func(t *testing.T, lines string) {
		for _, doubleQuotes := range []bool{false, true} {
			s := Shape{DoubleQuotes: doubleQuotes}
			var memory []byte
			for range 3 { // so that there is time to learn
				for line := range strings.SplitSeq(lines, "\n") {
					memory = append(memory[:0], line...)
					checkNext(t, &s, unsafe.String(unsafe.SliceData(memory), len(memory)))
					clear(memory)
				}
			}
		}
	})
}

// checkNext does with a text what an encoder does, and compares what that writes with what is written without a shape.
func checkNext(t *testing.T, s *Shape, raw string) {
	t.Helper()
	want, err := AppendCompact(nil, raw)
	require.Equal(t, json.Valid([]byte(raw)), err == nil, raw)
	if !s.Fits(raw) {
		if err == nil {
			s.Learn(raw)
		}
		return
	}
	require.NoError(t, err, raw)
	text := string(want)
	if s.DoubleQuotes {
		text = strings.ReplaceAll(text, `"`, `""`)
	}
	require.Equal(t, text, string(s.Append(nil, raw)), raw)
}

func BenchmarkShape(b *testing.B) {
	const pattern = `{"turn":17,"source":"chat","confidence":0.92}`
	const raw = `{"turn":103,"source":"chat","confidence":0.4}`
	buffer := make([]byte, 0, 1024)
	b.Run("fits", func(b *testing.B) {
		var s Shape
		s.Learn(pattern)
		for b.Loop() {
			if !s.Fits(raw) {
				b.Fatal("it does not fit")
			}
			s.Append(buffer, raw)
		}
	})
	b.Run("whole", func(b *testing.B) {
		for b.Loop() {
			if _, err := AppendCompact(buffer, raw); err != nil {
				b.Fatal(err)
			}
		}
	})
}
