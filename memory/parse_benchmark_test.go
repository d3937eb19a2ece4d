package memory

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
)

var benchmarkLine = []byte(`{"id":"019a43ba-63a6-7f2b-9b45-f5eaf2876df6","workspace_id":"demo","content":"` +
	strings.Repeat("Prefers short answers. ", 8) + `\"Said\" so.","user_id":"user-123","agent_id":"assistant",` +
	`"session_id":"sess-5f4291be19","priority":"HIGH","status":"active","categories":["preferences","work"],` +
	`"metadata":{"source": "chat", "confidence": 0.68, "tags": ["a", "b"]},"access_count":6,"last_accessed_at":null,` +
	`"created_at":"2025-11-02T08:41:20.038Z","updated_at":"2025-11-02T08:41:20.038Z"}`)

func BenchmarkParseRecord(b *testing.B) {
	b.Run("ours", func(b *testing.B) {
		b.SetBytes(int64(len(benchmarkLine)))
		b.ReportAllocs()
		for b.Loop() {
			if _, err := ParseRecord(benchmarkLine); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("encoding json into a map", func(b *testing.B) {
		b.SetBytes(int64(len(benchmarkLine)))
		b.ReportAllocs()
		for b.Loop() {
			var values map[string]json.RawMessage
			if err := json.Unmarshal(benchmarkLine, &values); err != nil {
				b.Fatal(err)
			}
		}
	})
}

func BenchmarkReadJSONLines(b *testing.B) {
	lines := bytes.Repeat(append(bytes.Clone(benchmarkLine), '\n'), 1000)
	b.SetBytes(int64(len(lines)))
	b.ReportAllocs()
	for b.Loop() {
		for _, err := range ReadJSONLines(bytes.NewReader(lines)) {
			if err != nil {
				b.Fatal(err)
			}
		}
	}
}
