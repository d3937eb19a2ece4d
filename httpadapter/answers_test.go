package httpadapter_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/dataexport/dataexport"
	"github.com/stretchr/testify/require"
)

// TestAnswers holds every kind of answer, whole, against a golden file: status, headers and body. The clock is that of a
// bubble, which begins at 2000-01-01T00:00:00Z.
func TestAnswers(t *testing.T) {
	const everyFilter = "?dataset=memories&format=csv&user_id=user-123&agent_id=a%26b&session_id=s-1&priority=HIGH" +
		"&categories=work,home&created_after=1999-12-31&created_before=2000-01-01T01:00:00.1234567%2B01:00"
	const missing = "/exports/a1b2c3d4-e5f6-7890-abcd-ef1234567890"
	get := func(target func(f *fixture) string, header ...string) func(*fixture) *http.Request {
		return func(f *fixture) *http.Request { return f.request(http.MethodGet, target(f), header...) }
	}
	fixed := func(method, target string, header ...string) func(*fixture) *http.Request {
		return func(f *fixture) *http.Request { return f.request(method, target, header...) }
	}
	tests := []struct {
		name    string
		request func(*fixture) *http.Request
	}{
		{"create", fixed("POST", "/exports?format=json&user_id=user-123")},
		{"create_without_parameters", fixed("POST", "/exports")},
		{"create_with_every_filter", fixed("POST", "/exports"+everyFilter)},
		{"create_replayed", func(f *fixture) *http.Request {
			f.ready("", "Idempotency-Key", "k-1")
			return f.request("POST", "/exports", "Idempotency-Key", "k-1")
		}},
		{"pending", get(func(f *fixture) string { return "/exports/" + f.create("") })},
		{"processing", get(func(f *fixture) string { return "/exports/" + f.processing("") })},
		{"ready", get(func(f *fixture) string { return "/exports/" + f.ready("") })},
		{"ready_head", func(f *fixture) *http.Request { return f.request("HEAD", "/exports/"+f.ready("")) }},
		{"failed", get(func(f *fixture) string { return "/exports/" + f.failed() })},
		{"expired", get(func(f *fixture) string {
			id := f.ready("")
			time.Sleep(72 * time.Hour)
			return "/exports/" + id
		})},
		{"list_of_none", fixed("GET", "/exports")},
		{"list", get(func(f *fixture) string {
			f.ready("?user_id=user-123")
			time.Sleep(time.Minute)
			f.create("?format=csv")
			return "/exports?page=1&page_size=10"
		})},
		{"list_past_the_end", get(func(f *fixture) string { f.create(""); return "/exports?page=7" })},
		{"list_head", fixed("HEAD", "/exports")},
		{"download_json", get(func(f *fixture) string { return "/exports/" + f.ready("") + "/download" })},
		{"download_csv", get(func(f *fixture) string { return "/exports/" + f.ready("?format=csv") + "/download" })},
		{"download_markdown", get(func(f *fixture) string { return "/exports/" + f.ready("?format=markdown") + "/download" })},
		{"download_head", func(f *fixture) *http.Request { return f.request("HEAD", "/exports/"+f.ready("")+"/download") }},
		{"download_range", get(func(f *fixture) string { return "/exports/" + f.ready("") + "/download" }, "Range", "bytes=2-9")},
		{"download_range_not_satisfiable", get(func(f *fixture) string { return "/exports/" + f.ready("") + "/download" }, "Range", "bytes=1000-")},
		{"download_not_modified", func(f *fixture) *http.Request {
			path := "/exports/" + f.ready("") + "/download"
			return f.request("GET", path, "If-None-Match", f.do("GET", path).Header().Get("ETag"))
		}},
		{"download_precondition_failed", get(func(f *fixture) string { return "/exports/" + f.ready("") + "/download" }, "If-Match", `"other"`)},
		{"download_not_ready", get(func(f *fixture) string { return "/exports/" + f.create("") + "/download" })},
		{"download_of_failed", get(func(f *fixture) string { return "/exports/" + f.failed() + "/download" })},
		{"download_expired", get(func(f *fixture) string {
			id := f.ready("")
			time.Sleep(72 * time.Hour)
			return "/exports/" + id + "/download"
		})},
		{"delete", func(f *fixture) *http.Request { return f.request("DELETE", "/exports/"+f.ready("")) }},
		{"not_found", fixed("GET", missing)},
		{"validation_error", fixed("POST", "/exports?format=xml&priority=low&user=1&created_after=2000-01-02&created_before=2000-01-01", "Idempotency-Key", "a b")},
		{"unauthorized", fixed("GET", "/exports", "X-Api-Key", "wrong")},
		{"forbidden", fixed("POST", "/exports", "X-Api-Key", keyRead)},
		{"no_such_path", fixed("GET", "/imports")},
		{"method_not_allowed", fixed("PUT", missing)},
		{"idempotency_key_reused", func(f *fixture) *http.Request {
			f.create("", "Idempotency-Key", "k-1")
			return f.request("POST", "/exports?format=csv", "Idempotency-Key", "k-1")
		}},
		{"too_many_exports", func(f *fixture) *http.Request {
			for range 20 {
				f.create("")
			}
			return f.request("POST", "/exports")
		}},
		{"unavailable", func(f *fixture) *http.Request {
			f.failStore(fmt.Errorf("dial tcp 10.0.0.7: %w", dataexport.ErrUnavailable))
			return f.request("GET", "/exports")
		}},
		{"internal", func(f *fixture) *http.Request {
			f.failStore(fmt.Errorf("relation jobs of 10.0.0.7 does not exist"))
			return f.request("GET", "/exports")
		}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := newFixture(t, withFailingStore)
				compareGolden(t, filepath.Join("testdata", "answers", test.name+".txt"), dump(t, f.send(test.request(f))))
			})
		})
	}
}

var uuidPattern = regexp.MustCompile(`[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}`)

// dump writes an answer down: the status, the headers in order, and the body, JSON indented. The ids of jobs, which are
// random, become {id}, and what depends on nothing else is checked here: the length.
func dump(t *testing.T, w *httptest.ResponseRecorder) string {
	t.Helper()
	result := w.Result()
	var b strings.Builder
	fmt.Fprintf(&b, "%d %s\n", w.Code, http.StatusText(w.Code))
	for _, name := range slices.Sorted(maps.Keys(result.Header)) {
		for _, value := range result.Header[name] {
			fmt.Fprintf(&b, "%s: %s\n", name, value)
		}
	}
	if length := result.Header.Get("Content-Length"); length != "" && w.Body.Len() > 0 {
		require.Equal(t, length, fmt.Sprint(w.Body.Len()))
	}
	b.WriteByte('\n')
	if strings.HasSuffix(result.Header.Get("Content-Type"), "json") && json.Valid(w.Body.Bytes()) {
		var indented bytes.Buffer
		require.NoError(t, json.Indent(&indented, w.Body.Bytes(), "", "  "))
		b.Write(indented.Bytes())
	} else {
		b.Write(w.Body.Bytes())
	}
	return uuidPattern.ReplaceAllString(b.String(), "{id}")
}

func compareGolden(t *testing.T, file, got string) {
	t.Helper()
	if os.Getenv("UPDATE_GOLDEN") != "" {
		require.NoError(t, os.MkdirAll(filepath.Dir(file), 0o750))
		require.NoError(t, os.WriteFile(file, []byte(got), 0o600))
	}
	want, err := os.ReadFile(file)
	require.NoError(t, err, "set UPDATE_GOLDEN to write it")
	require.Equal(t, string(want), got)
}
