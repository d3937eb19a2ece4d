package httpadapter_test

import (
	"bufio"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestCreateAcceptsParameters(t *testing.T) {
	names := func(n int) string {
		list := make([]string, n)
		for i := range list {
			list[i] = fmt.Sprintf("c%d", i)
		}
		return strings.Join(list, ",")
	}
	tests := []struct {
		query string
		field string // of the job
		want  any
	}{
		{"", "format", "json"},
		{"?", "format", "json"},
		{"?&&", "format", "json"},
		{"?format=csv", "format", "csv"},
		{"?format=markdown", "format", "markdown"},
		{"?dataset=notes", "dataset", "notes"},
		{"?user_id=user-123", "user_id", "user-123"},
		{"?user_id=%C3%BC+%26%3B", "user_id", "ü &;"},
		{"?user_id=" + strings.Repeat("a", 1024), "user_id", strings.Repeat("a", 1024)},
		{"?agent_id=a", "agent_id", "a"},
		{"?session_id=s", "session_id", "s"},
		{"?priority=LOW", "priority", "LOW"},
		{"?priority=MEDIUM", "priority", "MEDIUM"},
		{"?priority=HIGH", "priority", "HIGH"},
		{"?categories=a", "categories", []any{"a"}},
		{"?categories=b,a", "categories", []any{"b", "a"}},
		{"?categories=a,%20b%20,a", "categories", []any{"a", "b"}},
		{"?categories=a,b&categories=b,c", "categories", []any{"a", "b", "c"}},
		{"?categories=" + names(20) + ",c0,c1", "categories", toAny(strings.Split(names(20), ","))},
		{"?created_after=2026-01-15", "created_after", "2026-01-15T00:00:00.000Z"},
		{"?created_after=2026-01-15T10:30:00Z", "created_after", "2026-01-15T10:30:00.000Z"},
		{"?created_after=2026-01-15T10:30:00.5Z", "created_after", "2026-01-15T10:30:00.500Z"},
		{"?created_after=2026-01-15T10:30:00.123456789Z", "created_after", "2026-01-15T10:30:00.123456789Z"},
		{"?created_after=2026-01-15T10:30:00.00005Z", "created_after", "2026-01-15T10:30:00.00005Z"},
		{"?created_before=2026-01-15T10:30:00%2B02:00", "created_before", "2026-01-15T08:30:00.000Z"},
		{"?created_before=2026-01-15T10:30:00-02:30", "created_before", "2026-01-15T13:00:00.000Z"},
	}
	for _, test := range tests {
		t.Run(strings.TrimPrefix(test.query, "?")[:min(40, max(0, len(test.query)-1))], func(t *testing.T) {
			f := newFixture(t)
			w := f.do(http.MethodPost, "/exports"+test.query)
			require.Equal(t, http.StatusAccepted, w.Code, w.Body.String())
			job := decode[map[string]any](t, w)
			require.Equal(t, test.want, job[test.field])
			again := decode[map[string]any](t, f.do(http.MethodGet, "/exports/"+job["id"].(string)))
			require.Equal(t, job, again)
		})
	}
}

func toAny(list []string) []any {
	var out []any
	for _, s := range list {
		out = append(out, s)
	}
	return out
}

// TestCreateRefuses holds that no faulty request makes an export, and that each fault is named.
func TestCreateRefuses(t *testing.T) {
	tooMany := make([]string, 21)
	for i := range tooMany {
		tooMany[i] = fmt.Sprintf("c%d", i)
	}
	tests := []struct {
		name   string
		query  string
		fields []string
	}{
		{"bad escape", "?user_id=%zz", []string{"query"}},
		{"stray semicolon", "?user_id=a;b", []string{"query"}},
		{"semicolon between parameters", "?user_id=a;agent_id=b", []string{"query"}},
		{"unknown", "?user=a", []string{"user"}},
		{"unknown without a value", "?verbose", []string{"verbose"}},
		{"unknown without a name", "?=a", []string{""}},
		{"unknown in other case", "?User_id=a", []string{"User_id"}},
		{"of the list", "?page=1", []string{"page"}},
		{"empty format", "?format=", []string{"format"}},
		{"unknown format", "?format=xml", []string{"format"}},
		{"format in other case", "?format=JSON", []string{"format"}},
		{"format twice", "?format=json&format=json", []string{"format"}},
		{"empty dataset", "?dataset=", []string{"dataset"}},
		{"unknown dataset", "?dataset=memory", []string{"dataset"}},
		{"dataset twice", "?dataset=memories&dataset=notes", []string{"dataset"}},
		{"misfit of dataset and format", "?dataset=notes&format=csv", []string{"format"}},
		{"filter that the dataset lacks", "?dataset=notes&user_id=a", []string{"user_id"}},
		{"empty user_id", "?user_id=", []string{"user_id"}},
		{"user_id without =", "?user_id", []string{"user_id"}},
		{"user_id twice", "?user_id=a&user_id=a", []string{"user_id"}},
		{"user_id too long", "?user_id=" + strings.Repeat("a", 1025), []string{"user_id"}},
		{"user_id not UTF-8", "?user_id=%ff", []string{"user_id"}},
		{"empty agent_id", "?agent_id=", []string{"agent_id"}},
		{"agent_id twice", "?agent_id=a&agent_id=b", []string{"agent_id"}},
		{"empty session_id", "?session_id=", []string{"session_id"}},
		{"session_id not UTF-8", "?session_id=a%c3", []string{"session_id"}},
		{"priority in other case", "?priority=low", []string{"priority"}},
		{"unknown priority", "?priority=URGENT", []string{"priority"}},
		{"empty priority", "?priority=", []string{"priority"}},
		{"priority twice", "?priority=LOW&priority=HIGH", []string{"priority"}},
		{"empty categories", "?categories=", []string{"categories"}},
		{"categories of a comma", "?categories=,", []string{"categories"}},
		{"empty category", "?categories=a,,b", []string{"categories"}},
		{"blank category", "?categories=a,%20,b", []string{"categories"}},
		{"one categories of two empty", "?categories=a&categories=", []string{"categories"}},
		{"too many categories", "?categories=" + strings.Join(tooMany, ","), []string{"categories"}},
		{"categories too long", "?categories=" + strings.Repeat("a", 1025), []string{"categories"}},
		{"category not UTF-8", "?categories=%ff", []string{"categories"}},
		{"created_after no time", "?created_after=yesterday", []string{"created_after"}},
		{"created_after no such day", "?created_after=2026-02-30", []string{"created_after"}},
		{"created_after without offset", "?created_after=2026-01-15T10:30:00", []string{"created_after"}},
		{"created_after with + not escaped", "?created_after=2026-01-15T10:30:00+02:00", []string{"created_after"}},
		{"created_after twice", "?created_after=2026-01-15&created_after=2026-01-15", []string{"created_after"}},
		{"empty created_before", "?created_before=", []string{"created_before"}},
		{"created_before a number", "?created_before=1768473000", []string{"created_before"}},
		{"same instant", "?created_after=2026-01-15T01:00:00%2B01:00&created_before=2026-01-15", []string{"created_after"}},
		{"wrong way round", "?created_after=2026-01-16&created_before=2026-01-15", []string{"created_after"}},
		{"several at once", "?format=xml&a=1&b=2&user_id=&priority=low&created_before=x",
			[]string{"a", "b", "user_id", "created_before", "priority", "format"}},
		{"several in one query that does not parse", "?user_id=%zz&format=xml&x=1", []string{"query", "x", "format"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			f := newFixture(t)
			p := requireProblem(t, f.do(http.MethodPost, "/exports"+test.query), http.StatusBadRequest, "VALIDATION_ERROR")
			require.Equal(t, test.fields, p.fields())
			for _, e := range p.Errors {
				require.NotEmpty(t, e.Message)
			}
			require.Zero(t, f.total(), "an export was made all the same")
		})
	}
}

// total returns how many exports ws-1 has.
func (f *fixture) total() int {
	f.t.Helper()
	return decode[struct{ Total int }](f.t, f.do(http.MethodGet, "/exports")).Total
}

func TestUnknownParameterNameIsShortenedInTheAnswer(t *testing.T) {
	f := newFixture(t)
	p := requireProblem(t, f.do(http.MethodPost, "/exports?"+strings.Repeat("%C3%BC", 500)+"=1"), 400, "VALIDATION_ERROR")
	require.Equal(t, []string{strings.Repeat("ü", 32) + "..."}, p.fields())
	p = requireProblem(t, f.do(http.MethodPost, "/exports?%ff=1"), 400, "VALIDATION_ERROR")
	require.Equal(t, []string{"\uFFFD"}, p.fields())
}

// TestStrictOnEveryRoute holds that no path looks over a parameter.
func TestStrictOnEveryRoute(t *testing.T) {
	f := newFixture(t)
	id := f.ready("")
	routes := []struct{ method, path string }{
		{"POST", "/exports"}, {"GET", "/exports"}, {"HEAD", "/exports"},
		{"GET", "/exports/" + id}, {"HEAD", "/exports/" + id}, {"DELETE", "/exports/" + id},
		{"GET", "/exports/" + id + "/download"}, {"HEAD", "/exports/" + id + "/download"},
	}
	for _, r := range routes {
		for _, query := range []string{"?x=1", "?x", "?%zz", "?a;b", "?x=%ff", "?fields=id&fields=format", "?x=" + strings.Repeat("a", 1025)} {
			w := f.do(r.method, r.path+query)
			require.Equal(t, http.StatusBadRequest, w.Code, "%s %s%s", r.method, r.path, query)
			if r.method != http.MethodHead {
				requireProblem(t, w, 400, "VALIDATION_ERROR")
			}
		}
	}
	require.Equal(t, 1, f.total())
}

func TestCreateRefusesABody(t *testing.T) {
	f := newFixture(t)
	server := httptest.NewServer(f.handler)
	defer server.Close()
	tests := []struct {
		name   string
		body   io.Reader
		status int
	}{
		{"none", nil, http.StatusAccepted},
		{"empty", strings.NewReader(""), http.StatusAccepted},
		{"chunked and empty", io.MultiReader(), http.StatusAccepted},
		{"JSON", strings.NewReader(`{"format":"csv"}`), http.StatusBadRequest},
		{"chunked", io.MultiReader(strings.NewReader("x")), http.StatusBadRequest},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, server.URL+"/exports", test.body)
			require.NoError(t, err)
			r.Header.Set("X-Api-Key", keyFull)
			response, err := server.Client().Do(r)
			require.NoError(t, err)
			defer func() { require.NoError(t, response.Body.Close()) }()
			body, err := io.ReadAll(response.Body)
			require.NoError(t, err)
			require.Equal(t, test.status, response.StatusCode, string(body))
			if test.status == http.StatusBadRequest {
				require.Contains(t, string(body), `"field":"body"`)
			}
		})
	}
}

func TestCreateRefusesABodyThatBreaksOff(t *testing.T) {
	f := newFixture(t)
	r := f.request(http.MethodPost, "/exports")
	r.ContentLength = -1
	r.Body = io.NopCloser(bufio.NewReader(&brokenReader{}))
	p := requireProblem(t, f.send(r), 400, "VALIDATION_ERROR")
	require.Equal(t, "the body could not be read", p.Errors[0].Message)
	r = f.request(http.MethodPost, "/exports")
	r.ContentLength = 1
	r.Body = io.NopCloser(&brokenReader{})
	p = requireProblem(t, f.send(r), 400, "VALIDATION_ERROR")
	require.Contains(t, p.Errors[0].Message, "must be empty", "a body that is announced is not waited for")
	require.Zero(t, f.total())
}

// A brokenReader fails at once.
type brokenReader struct{}

func (*brokenReader) Read([]byte) (int, error) { return 0, textError("the line is cut") }

// TestLocation resolves the header as a client does (RFC 3986, section 5) and follows it.
func TestLocation(t *testing.T) {
	for _, prefix := range []string{"", "/v1", "/api/v2"} {
		f := newFixture(t)
		f.handler = http.StripPrefix(prefix, f.handler)
		target := "https://api.example.com" + prefix + "/exports?format=json&user_id=a/b"
		w := f.do(http.MethodPost, target)
		require.Equal(t, http.StatusAccepted, w.Code)
		base, err := url.Parse(target)
		require.NoError(t, err)
		location, err := base.Parse(w.Header().Get("Location"))
		require.NoError(t, err)
		id := decode[struct{ ID string }](t, w).ID
		require.Equal(t, "https://api.example.com"+prefix+"/exports/"+id, location.String())
		require.Equal(t, http.StatusOK, f.do(http.MethodGet, location.String()).Code)
	}
}

func TestIdempotencyKey(t *testing.T) {
	const name = "Idempotency-Key"
	t.Run("replays", func(t *testing.T) {
		f := newFixture(t)
		first := f.do(http.MethodPost, "/exports?categories=a,b", name, "k")
		require.Empty(t, first.Header().Get("Idempotent-Replayed"))
		second := f.do(http.MethodPost, "/exports?categories=b,a", name, "k")
		require.Equal(t, http.StatusAccepted, second.Code)
		require.Equal(t, "true", second.Header().Get("Idempotent-Replayed"))
		require.Equal(t, first.Body.String(), second.Body.String())
		require.Equal(t, first.Header().Get("Location"), second.Header().Get("Location"))
		require.Equal(t, "2", second.Header().Get("Retry-After"))
		require.Equal(t, 1, f.total())
	})
	t.Run("is of one workspace", func(t *testing.T) {
		f := newFixture(t)
		id := f.create("", name, "k")
		require.NotEqual(t, id, f.create("", name, "k", "X-Api-Key", keyOther))
	})
	t.Run("with other parameters", func(t *testing.T) {
		f := newFixture(t)
		f.create("", name, "k")
		requireProblem(t, f.do(http.MethodPost, "/exports?priority=LOW", name, "k"), 422, "IDEMPOTENCY_KEY_REUSED")
	})
	t.Run("replays where the quota is full", func(t *testing.T) {
		f := newFixture(t, func(f *fixture) { f.config.Limits.ActiveJobs = 1 })
		id := f.create("", name, "k")
		requireProblem(t, f.do(http.MethodPost, "/exports"), 429, "TOO_MANY_EXPORTS")
		require.Equal(t, id, f.create("", name, "k"))
	})
	t.Run("race makes one export", func(t *testing.T) {
		f := newFixture(t)
		ids := make([]string, 16)
		var group sync.WaitGroup
		for i := range ids {
			group.Go(func() {
				w := f.send(f.request(http.MethodPost, "/exports", name, "k"))
				ids[i] = w.Header().Get("Location")
			})
		}
		group.Wait()
		for _, id := range ids {
			require.NotEmpty(t, id)
			require.Equal(t, ids[0], id)
		}
		require.Equal(t, 1, f.total())
	})
	valid := []string{"k", "!~", strings.Repeat("k", 255), `"8e03978e-40d5-43dd-bc93-6894a57f9324"`}
	for _, key := range valid {
		require.NotEmpty(t, newFixture(t).create("", name, key))
	}
	invalid := map[string][]string{
		"empty": {""}, "blank": {"a b"}, "too long": {strings.Repeat("k", 256)}, "not ASCII": {"clé"}, "control": {"a\tb"}, "twice": {"a", "a"},
	}
	for fault, values := range invalid {
		t.Run(fault, func(t *testing.T) {
			f := newFixture(t)
			r := f.request(http.MethodPost, "/exports?x=1")
			r.Header[name] = values
			p := requireProblem(t, f.send(r), 400, "VALIDATION_ERROR")
			require.Equal(t, []string{"x", name}, p.fields())
			require.Zero(t, f.total())
		})
	}
}
