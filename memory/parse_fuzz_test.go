package memory

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"regexp"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/stretchr/testify/require"
)

// FuzzParseRecord compares ParseRecord with a reader that is made of encoding/json: both refuse, or both read the same.
func FuzzParseRecord(f *testing.F) {
	for _, members := range []string{
		"", `"status":"\ud83d\ude00"`, `"status":"\ud83d"`, `"status":"\\ud83d"`, `"status":null`, `"Status":null`, `"status":"","status":""`,
		`"categories":["a","b"]`, `"categories":[]`, `"categories":[null]`, `"metadata":{"a":[1.50,{"b":null}]}`, `"metadata": { "a" : 1 }`,
		`"metadata":{"a":01}`, `"metadata":[]`, `"metadata":` + nested(1000), `"metadata":` + nested(1001), `"access_count":-1`,
		`"access_count":1e2`, `"access_count":9223372036854775808`, `"updated_at":"2026-01-15T10:30:00.5+02:00"`,
		`"updated_at":"2026-01-15T1:30:00Z"`, `"updated_at":"2026-01-15T10:30:00,5Z"`, `"last_accessed_at":"0000-01-01T00:00:00+01:00"`,
	} {
		f.Add([]byte(object(members)))
	}
	f.Add([]byte(`{"id":null}`))
	f.Add([]byte("[1]"))
	f.Add([]byte(object("") + "x"))
	f.Fuzz(func(t *testing.T, line []byte) {
		want, refusal := readWithEncodingJSON(line)
		got, err := ParseRecord(line)
		if refusal != nil {
			require.Error(t, err, "the other reader says: %s", refusal)
			return
		}
		require.NoError(t, err)
		require.Equal(t, want, got)
	})
}

var (
	surrogatePair = regexp.MustCompile(`\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}`)
	surrogate     = regexp.MustCompile(`\\u[dD][89a-fA-F][0-9a-fA-F]{2}`)
	strictTime    = regexp.MustCompile(`^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?(Z|[+-]([01]\d|2[0-3]):[0-5]\d)$`)
)

// readWithEncodingJSON reads a record by the rules of ParseRecord in an entirely different way: slow, and by the tokens
// of encoding/json.
func readWithEncodingJSON(line []byte) (r Record, err error) {
	if !utf8.Valid(line) {
		return r, errors.New("invalid UTF-8")
	}
	withoutPairs := surrogatePair.ReplaceAllString(strings.ReplaceAll(string(line), `\\`, "--"), "--")
	if surrogate.MatchString(withoutPairs) {
		return r, errors.New("half of a surrogate pair")
	}
	keys, err := keysInOrder(line)
	if err != nil {
		return r, err
	}
	var values map[string]json.RawMessage
	if err := json.Unmarshal(line, &values); err != nil {
		return r, err
	}
	if values == nil || len(keys) != len(values) {
		return r, errors.New("a null, or a key twice")
	}
	for _, key := range []string{"id", "workspace_id", "content", "created_at"} {
		if value, found := values[key]; !found || string(value) == "null" {
			return r, errors.New(key + " is missing or null")
		}
	}
	for key, value := range values {
		if err := readMember(&r, key, value); err != nil {
			return r, err
		}
	}
	if r.ID == "" || r.WorkspaceID == "" {
		return r, errors.New("an empty name")
	}
	return r, nil
}

func readMember(r *Record, key string, value json.RawMessage) (err error) {
	targets := map[string]any{
		"id": &r.ID, "workspace_id": &r.WorkspaceID, "content": &r.Content, "user_id": &r.UserID, "agent_id": &r.AgentID,
		"session_id": &r.SessionID, "priority": &r.Priority, "status": &r.Status, "access_count": &r.AccessCount,
	}
	target, plain := targets[key]
	switch {
	case plain:
		return json.Unmarshal(value, target)
	case key == "categories":
		var list []*string
		if err := json.Unmarshal(value, &list); err != nil || list == nil {
			return err
		}
		r.Categories = []string{}
		for _, category := range list {
			if category == nil {
				return errors.New("a null among the categories")
			}
			r.Categories = append(r.Categories, *category)
		}
	case key == "metadata":
		r.Metadata, err = readMetadata(value)
	case key == "created_at":
		var t *time.Time
		if t, err = readTime(value); err == nil {
			r.CreatedAt = *t
		}
	case key == "last_accessed_at":
		r.LastAccessedAt, err = readTime(value)
	case key == "updated_at":
		r.UpdatedAt, err = readTime(value)
	default:
		return errors.New("unknown key")
	}
	return err
}

func readMetadata(value json.RawMessage) (json.RawMessage, error) {
	if string(value) == "null" {
		return nil, nil
	}
	if value[0] != '{' || depth(value) > 1000 {
		return nil, errors.New("no object, or nested too deep")
	}
	var compact bytes.Buffer
	err := json.Compact(&compact, value)
	return compact.Bytes(), err
}

func readTime(value json.RawMessage) (*time.Time, error) {
	var text *string
	if err := json.Unmarshal(value, &text); err != nil || text == nil {
		return nil, err
	}
	if !strictTime.MatchString(*text) {
		return nil, errors.New("not the form of RFC 3339")
	}
	t, err := time.Parse("2006-01-02T15:04:05Z07:00", *text)
	if err != nil {
		return nil, err
	}
	t = t.UTC()
	if t.Year() < 0 || t.Year() > 9999 {
		return nil, errors.New("out of range")
	}
	return &t, nil
}

// keysInOrder returns the keys of the outermost object, repetitions included.
func keysInOrder(line []byte) (keys []string, err error) {
	tokens := json.NewDecoder(bytes.NewReader(line))
	if token, err := tokens.Token(); err != nil || token != json.Delim('{') {
		return nil, errors.New("no object")
	}
	for tokens.More() {
		key, err := tokens.Token()
		if err != nil {
			return nil, err
		}
		keys = append(keys, key.(string))
		var value json.RawMessage
		if err := tokens.Decode(&value); err != nil {
			return nil, err
		}
	}
	return keys, nil
}

func depth(value json.RawMessage) int {
	tokens := json.NewDecoder(bytes.NewReader(value))
	level, deepest := 0, 0
	for {
		token, err := tokens.Token()
		if errors.Is(err, io.EOF) {
			return deepest
		}
		switch token {
		case json.Delim('{'), json.Delim('['):
			level++
			deepest = max(deepest, level)
		case json.Delim('}'), json.Delim(']'):
			level--
		}
	}
}
