package httpadapter_test

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"
)

// FuzzHandler sends any request. No answer is a 5xx, each error is a problem document, and an export is made only of
// parameters that all are known and valid, which is judged here by rules written down a second time.
func FuzzHandler(f *testing.F) {
	paths := []string{"/exports", "/exports/{ready}", "/exports/{pending}", "/exports/{ready}/download", "/exports/{pending}/download", "/exports/", "//", "/exports/%2f"}
	queries := []string{"", "format=csv", "user_id=a&priority=HIGH", "categories=a,b&categories=c", "created_after=2026-01-15", "page=2&page_size=5", "status=READY", "x", "a;b", "%zz", "user_id=%ff", "format=", "format=json&format=csv"}
	for _, method := range []string{"GET", "HEAD", "POST", "DELETE", "PUT"} {
		for i, path := range paths {
			f.Add(method, path, queries[i%len(queries)], "Range", "bytes=0-5", "")
			f.Add(method, path, queries[(i+5)%len(queries)], "Idempotency-Key", "k", "body")
		}
	}
	for _, query := range queries {
		f.Add("POST", "/exports", query, "X-Request-Id", "r", "")
	}
	f.Fuzz(func(t *testing.T, method, path, query, name, value, body string) {
		fx := newFixture(t)
		ready, pending := fx.ready(""), fx.create("")
		path = strings.NewReplacer("{ready}", ready, "{pending}", pending).Replace(path)
		r := &http.Request{
			Method: method, URL: &url.URL{Path: path, RawQuery: query}, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
			Header: http.Header{"X-Api-Key": {keyFull}}, Body: http.NoBody, ContentLength: 0,
		}
		if parsed, err := url.ParseRequestURI(path); err == nil {
			r.URL.Path, r.URL.RawPath = parsed.Path, parsed.RawPath
		}
		if body != "" {
			r.Body, r.ContentLength = httptest.NewRequest(http.MethodPost, "/", strings.NewReader(body)).Body, -1
		}
		r.Header.Set(name, value)
		w := fx.send(r.WithContext(t.Context()))

		require.Less(t, w.Code, 500, w.Body.String())
		require.NotEmpty(t, w.Header().Get("X-Request-Id"))
		require.Equal(t, "private, no-store", w.Header().Get("Cache-Control"))
		switch {
		case method == http.MethodHead:
			require.Zero(t, w.Body.Len())
		case w.Code >= 400:
			requireProblem(t, w, w.Code, decode[problemDocument](t, w).Code)
		}
		if method == http.MethodPost && w.Code < 300 {
			require.Equal(t, http.StatusAccepted, w.Code)
			require.Empty(t, body)
			requireCleanQuery(t, query)
			require.Equal(t, 3, fx.total())
		} else if method != http.MethodDelete {
			require.Equal(t, 2, fx.total())
		}
	})
}

// requireCleanQuery judges the query of an export that was made.
func requireCleanQuery(t *testing.T, query string) {
	t.Helper()
	known := []string{"dataset", "format", "user_id", "agent_id", "session_id", "priority", "categories", "created_after", "created_before"}
	require.NotContains(t, query, ";")
	var seen []string
	for _, pair := range strings.Split(query, "&") {
		if pair == "" {
			continue
		}
		rawName, rawValue, _ := strings.Cut(pair, "=")
		name, err := url.QueryUnescape(rawName)
		require.NoError(t, err)
		value, err := url.QueryUnescape(rawValue)
		require.NoError(t, err)
		require.Contains(t, known, name)
		require.NotEmpty(t, value)
		require.LessOrEqual(t, len(value), 1024)
		require.True(t, utf8.ValidString(value))
		if name != "categories" {
			require.NotContains(t, seen, name)
		}
		seen = append(seen, name)
		switch name {
		case "format":
			require.True(t, slices.Contains([]string{"json", "csv", "markdown"}, value))
		case "priority":
			require.True(t, slices.Contains([]string{"LOW", "MEDIUM", "HIGH"}, value))
		case "categories":
			for category := range strings.SplitSeq(value, ",") {
				require.NotEmpty(t, strings.TrimSpace(category))
			}
		case "created_after", "created_before":
			require.Regexp(t, `^\d{4}-\d\d-\d\d(T\d\d:\d\d:\d\d([.,]\d+)?(Z|[+-]\d\d:\d\d))?$`, value)
		}
	}
}
