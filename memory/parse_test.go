package memory

import (
	"math"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dataexport/dataexport"
)

// object returns a record with the four required keys and a few members more.
func object(members string) string {
	if members != "" {
		members = "," + members
	}
	return `{"id":"1","workspace_id":"w","content":"c","created_at":"2026-01-15T10:30:00Z"` + members + `}`
}

// nested returns an object with objects in it, as many as depth in all.
func nested(depth int) string {
	return strings.Repeat(`{"a":`, depth-1) + "{}" + strings.Repeat("}", depth-1)
}

func pointer[T any](v T) *T { return &v }

func TestParseRecordFull(t *testing.T) {
	line := `{"id":"m-1","workspace_id":"demo","content":"A \"quote\", a\nline, 😀 and \ud83d\ude00\u00e9\/","user_id":"u",` +
		`"agent_id":"a","session_id":"","priority":"HIGH","status":"any text","categories":["b","a","b",""],` +
		` "metadata" : { "n" : 1.50e+3 , "big":123456789012345678901234567890 , "s":" two  blanks \u00e9" , "l":[ ] } ,` +
		`"access_count":-9223372036854775808,"last_accessed_at":"2026-01-15T12:30:00.123456789+02:00",` +
		`"created_at":"0000-01-01T00:00:00Z","updated_at":"9999-12-31T23:59:59.999999999Z"}`
	r, err := ParseRecord([]byte(line))
	require.NoError(t, err)
	accessed := time.Date(2026, 1, 15, 10, 30, 0, 123456789, time.UTC)
	updated := time.Date(9999, 12, 31, 23, 59, 59, 999999999, time.UTC)
	assert.Equal(t, Record{
		ID: "m-1", WorkspaceID: "demo", Content: "A \"quote\", a\nline, 😀 and 😀é/",
		UserID: pointer("u"), AgentID: pointer("a"), SessionID: pointer(""), Priority: pointer("HIGH"), Status: pointer("any text"),
		Categories:  []string{"b", "a", "b", ""},
		Metadata:    []byte(`{"n":1.50e+3,"big":123456789012345678901234567890,"s":" two  blanks \u00e9","l":[]}`),
		AccessCount: pointer(int64(math.MinInt64)), LastAccessedAt: &accessed,
		CreatedAt: time.Date(0, 1, 1, 0, 0, 0, 0, time.UTC), UpdatedAt: &updated,
	}, r)
}

func TestParseRecordAccepts(t *testing.T) {
	with := func(change func(*Record)) Record {
		r := Record{ID: "1", WorkspaceID: "w", Content: "c", CreatedAt: time.Date(2026, 1, 15, 10, 30, 0, 0, time.UTC)}
		if change != nil {
			change(&r)
		}
		return r
	}
	for _, test := range []struct {
		line string
		want Record
	}{
		{object(""), with(nil)},
		{" \t" + object("") + "\r\n ", with(nil)},
		{object(`"user_id":null,"agent_id":null,"session_id":null,"priority":null,"status":null,"categories":null,` +
			`"metadata":null,"access_count":null,"last_accessed_at":null,"updated_at":null`), with(nil)},
		{`{"content":"c","\u0069d":"1","created_at":"2026-01-15T10:30:00.000Z","workspace_id":"w"}`, with(nil)},
		{object(`"categories":[]`), with(func(r *Record) { r.Categories = []string{} })},
		{object(`"metadata":{}`), with(func(r *Record) { r.Metadata = []byte("{}") })},
		{object(`"metadata":{"a":1,"a":2}`), with(func(r *Record) { r.Metadata = []byte(`{"a":1,"a":2}`) })},
		{object(`"access_count":9223372036854775807`), with(func(r *Record) { r.AccessCount = pointer(int64(math.MaxInt64)) })},
		{object(`"access_count":-0`), with(func(r *Record) { r.AccessCount = pointer(int64(0)) })},
		{object(`"status":"\u0000"`), with(func(r *Record) { r.Status = pointer("\x00") })},
		{object(`"status":"\uD83D\uDE00"`), with(func(r *Record) { r.Status = pointer("😀") })},
		{object(`"status":"` + "\ufffd" + `\ufffd"`), with(func(r *Record) { r.Status = pointer("\ufffd\ufffd") })},
		{strings.Replace(object(""), `"c"`, `""`, 1), with(func(r *Record) { r.Content = "" })},
	} {
		got, err := ParseRecord([]byte(test.line))
		require.NoError(t, err, test.line)
		require.Equal(t, test.want, got, test.line)
	}
}

func TestParseRecordRefuses(t *testing.T) {
	for _, test := range []struct{ line, key, message string }{
		{"", "", "the line is blank"},
		{" \t", "", "the line is blank"},
		{"\ufeff" + object(""), "", "byte order mark"},
		{object(`"status":"` + "\xff" + `"`), "", "the line is not valid UTF-8: byte 90 is 0xff"},
		{object(`"status":"` + "\xed\xa0\x80" + `"`), "", "not valid UTF-8"},
		{"[]", "", "a record must be an object, not an array"},
		{"null", "", "a record must be an object, not null"},
		{"?", "", "a record must be an object, not what JSON does not have"},
		{`{`, "", "the line ends where a key in double quotes is expected"},
		{`{id:"1"}`, "", "byte 2 is 'i' where a key in double quotes is expected"},
		{`{"id"`, "", "the line ends where a colon is expected"},
		{`{"id":"1"`, "", "the line ends where a comma or '}' is expected"},
		{`{"id":"1",}`, "", "byte 11 is '}' where a key in double quotes is expected"},
		{object("") + "x", "", "byte 80: there is something after the object"},
		{object("") + object(""), "", "there is something after the object"},

		{object(`"Status":null`), "Status", `the key "Status" is unknown; it is written "status"`},
		{object(`"colour":"red"`), "colour", `the key "colour" is unknown`},
		{object(`"":""`), "", `the key "" is unknown`},
		{object(`"\ud800":""`), "", `a key holds \ud800, half of a surrogate pair without the other half`},
		{object(`"id":"1"`), "id", "the key id is there twice"},
		{object(`"status":null,"status":"x"`), "status", "the key status is there twice"},
		{object(`"status":null,"\u0073tatus":"x"`), "status", "the key status is there twice"},

		{`{}`, "id", "id is missing"},
		{`{"id":"1","workspace_id":"w","content":"c"}`, "created_at", "created_at is missing"},
		{`{"id":null}`, "id", "id must not be null"},
		{`{"content":null}`, "content", "content must not be null"},
		{`{"id":""}`, "id", "id must not be empty"},
		{`{"workspace_id":""}`, "workspace_id", "workspace_id must not be empty"},
		{`{"created_at":""}`, "created_at", "created_at must be a time such as"},

		{`{"id":1}`, "id", "id must be a string, not a number"},
		{object(`"status":true`), "status", "status must be a string, not a boolean"},
		{object(`"status":nul`), "status", "status must be a string, not what JSON does not have"},
		{object(`"status":nullx`), "", "byte 93 is 'x' where a comma or '}' is expected"},
		{object(`"status":"\ud800"`), "status", `status holds \ud800, half of a surrogate pair`},
		{object(`"status":"\ud800\u0041"`), "status", `status holds \ud800, half of a surrogate pair`},
		{object(`"status":"\udc00\ud800"`), "status", `status holds \udc00, half of a surrogate pair`},
		{object(`"status":"\u12g4"`), "status", `status: byte 94 is 'g' where one of four hexadecimal digits after \u is expected`},
		{object(`"status":"\u` + "\x10" + `000"`), "status", `where one of four hexadecimal digits`},
		{object(`"status":"\x"`), "status", `status: byte 91 is 'x' where one of "\/bfnrtu after a backslash is expected`},
		{object(`"status":"` + "a\tb" + `"`), "status", `'\t' where the rest of a string, in which control characters are escaped, is expected`},
		{object(`"status":"` + "\\n\x00" + `"`), "status", `in which control characters are escaped`},
		{`{"status":"x`, "status", "status: the line ends where the end of a string is expected"},
		{`{"status":"\n`, "status", "status: the line ends where the end of a string is expected"},

		{object(`"categories":"a"`), "categories", "categories must be an array of strings, not a string"},
		{object(`"categories":{}`), "categories", "categories must be an array of strings, not an object"},
		{object(`"categories":["a",2]`), "categories", "categories must be an array of strings; element 2 is a number"},
		{object(`"categories":[null]`), "categories", "element 1 is null"},
		{object(`"categories":["a",]`), "categories", "element 2 is what JSON does not have"},
		{object(`"categories":["a"`), "categories", "categories: byte 97 is '}' where a comma or ']' is expected"},

		{object(`"metadata":[]`), "metadata", "metadata must be an object, not an array"},
		{object(`"metadata":"{}"`), "metadata", "metadata must be an object, not a string"},
		{object(`"metadata":{"a":}`), "metadata", "metadata: byte 96 is '}' where a value is expected"},
		{object(`"metadata":{"a":tru}`), "metadata", "where a value is expected"},
		{object(`"metadata":{"a":01}`), "metadata", "byte 97 is '1' where a comma or '}' is expected"},
		{object(`"metadata":{"a":-}`), "metadata", "where a digit is expected"},
		{object(`"metadata":{"a":1.}`), "metadata", "where a digit is expected"},
		{object(`"metadata":{"a":1e+}`), "metadata", "where a digit is expected"},
		{object(`"metadata":{"a":.5}`), "metadata", "where a value is expected"},
		{object(`"metadata":{"a":NaN}`), "metadata", "where a value is expected"},
		{object(`"metadata":{"a":"\udfff"}`), "metadata", `metadata holds \udfff, half of a surrogate pair`},
		{object(`"metadata":{"\ud9ff":1}`), "metadata", `metadata holds \ud9ff, half of a surrogate pair`},
		{object(`"metadata":{"a":[1,]}`), "metadata", "where a value is expected"},
		{object(`"metadata":{"a":[1 2]}`), "metadata", "where a comma or ']' is expected"},
		{object(`"metadata":` + nested(1001)), "metadata", "metadata is nested deeper than 1000 levels"},
		{object(`"metadata":` + strings.Repeat(`{"":`, 1_000_000)), "metadata", "metadata is nested deeper than 1000 levels"},

		{object(`"access_count":"1"`), "access_count", "access_count must be an integer, not a string"},
		{object(`"access_count":1.0`), "access_count", "access_count must be an integer of 64 bits, not 1.0"},
		{object(`"access_count":1e3`), "access_count", "access_count must be an integer of 64 bits, not 1e3"},
		{object(`"access_count":9223372036854775808`), "access_count", "an integer of 64 bits, not 9223372036854775808"},
		{object(`"access_count":-9223372036854775809`), "access_count", "an integer of 64 bits, not -9223372036854775809"},
		{object(`"access_count":` + strings.Repeat("9", 1000)), "access_count", "not " + strings.Repeat("9", 64) + "..."},
		{object(`"access_count":+1`), "access_count", "access_count must be an integer, not what JSON does not have"},

		{object(`"updated_at":1768473000`), "updated_at", "updated_at must be a time in a string, not a number"},
		{object(`"updated_at":"2026-01-15"`), "updated_at", `such as 2026-01-15T10:30:00Z (RFC 3339), not "2026-01-15"`},
		{object(`"updated_at":"2026-01-15 10:30:00Z"`), "updated_at", "(RFC 3339)"},
		{object(`"updated_at":"2026-01-15T10:30:00"`), "updated_at", "(RFC 3339)"},
		{object(`"updated_at":"2026-01-15T1:30:00Z"`), "updated_at", "(RFC 3339)"},
		{object(`"updated_at":"2026-02-29T10:30:00Z"`), "updated_at", "(RFC 3339)"},
		{object(`"updated_at":"2026-01-15T10:30:00,5Z"`), "updated_at", "(RFC 3339)"},
		{object(`"updated_at":"2026-01-15T10:30:00+24:00"`), "updated_at", "(RFC 3339)"},
		{object(`"updated_at":"10000-01-15T10:30:00Z"`), "updated_at", "(RFC 3339)"},
		{object(`"updated_at":"2026-01-15T10:30:00.1234567890Z"`), "updated_at", "more than nine digits of a fraction"},
		{object(`"updated_at":"2026-01-15T10:30:00.1234567890-01:00"`), "updated_at", "more than nine digits of a fraction"},
		{object(`"updated_at":"0000-01-01T00:00:00+00:01"`), "updated_at", "not in the years 0000 to 9999 in UTC"},
		{object(`"updated_at":"9999-12-31T23:59:59-00:01"`), "updated_at", "not in the years 0000 to 9999 in UTC"},
	} {
		_, err := ParseRecord([]byte(test.line))
		var fault *ParseError
		if !assert.ErrorAs(t, err, &fault, test.line[:min(len(test.line), 300)]) {
			continue
		}
		assert.ErrorIs(t, err, dataexport.ErrInvalid)
		assert.Contains(t, err.Error(), test.message)
		assert.Equal(t, test.key, fault.Key, test.message)
		assert.Zero(t, fault.Line)
		assert.Less(t, len(err.Error()), 250, "an error stays short")
	}
}

func TestParseRecordDeepMetadata(t *testing.T) {
	for _, deep := range []string{nested(1000), `{"a":` + strings.Repeat("[", 999) + strings.Repeat("]", 999) + "}"} {
		r, err := ParseRecord([]byte(object(`"metadata":` + deep)))
		require.NoError(t, err)
		assert.Equal(t, deep, string(r.Metadata))
	}
}

func TestParseRecordSharesNothingWithTheLine(t *testing.T) {
	line := []byte(object(`"status":"new","categories":["x"],"metadata":{"a":1}`))
	r, err := ParseRecord(line)
	require.NoError(t, err)
	clear(line)
	assert.Equal(t, "new", *r.Status)
	assert.Equal(t, []string{"x"}, r.Categories)
	r.Metadata[0] = '!'
	_ = append(r.Metadata, "changed"...)
	assert.Equal(t, "1", r.ID)
	assert.Equal(t, "w", r.WorkspaceID)
}
