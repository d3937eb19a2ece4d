package httpadapter_test

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/dataexport/dataexport"
	"github.com/dataexport/dataexport/httpadapter"
	"github.com/stretchr/testify/require"
)

// TestEndpoints goes through every method and path with every kind of credential.
func TestEndpoints(t *testing.T) {
	endpoints := []struct {
		method, path string
		write        bool // the permission that it needs is export.write
		status       int
	}{
		{"POST", "/exports", true, 202},
		{"GET", "/exports", false, 200},
		{"HEAD", "/exports", false, 200},
		{"GET", "/exports/{id}", false, 200},
		{"HEAD", "/exports/{id}", false, 200},
		{"GET", "/exports/{id}/download", false, 200},
		{"HEAD", "/exports/{id}/download", false, 200},
		{"DELETE", "/exports/{id}", true, 204},
	}
	for _, e := range endpoints {
		permitted, missing := keyRead, keyWrite
		if e.write {
			permitted, missing = keyWrite, keyRead
		}
		tests := []struct {
			key    string
			status int
			code   string
		}{
			{permitted, e.status, ""},
			{keyFull, e.status, ""},
			{missing, 403, "FORBIDDEN"},
			{keyNothing, 403, "FORBIDDEN"},
			{keyHomeless, 403, "FORBIDDEN"},
			{"wrong", 401, "UNAUTHORIZED"},
			{"", 401, "UNAUTHORIZED"},
		}
		for _, test := range tests {
			t.Run(e.method+e.path+" with "+test.key, func(t *testing.T) {
				f := newFixture(t)
				target := strings.Replace(e.path, "{id}", f.ready(""), 1)
				w := f.do(e.method, target, "X-Api-Key", test.key)
				require.Equal(t, test.status, w.Code)
				require.Equal(t, "request-1", w.Header().Get("X-Request-Id"))
				switch {
				case e.method == http.MethodHead:
					require.Zero(t, w.Body.Len())
				case test.code != "":
					requireProblem(t, w, test.status, test.code)
				}
				if test.status == 401 {
					require.Equal(t, "ApiKey", w.Header().Get("WWW-Authenticate"))
				}
			})
		}
	}
}

// TestHeadIsGetWithoutBody holds that HEAD has the status and the headers of GET.
func TestHeadIsGetWithoutBody(t *testing.T) {
	f := newFixture(t, withFailingStore)
	ready, pending := f.ready(""), f.create("")
	targets := []string{
		"/exports", "/exports/" + ready, "/exports/" + ready + "/download", "/exports/" + pending + "/download",
		"/exports/nothing", "/exports?page=0", "/imports",
	}
	for _, target := range targets {
		get, head := f.do(http.MethodGet, target), f.do(http.MethodHead, target)
		require.Equal(t, get.Code, head.Code, target)
		require.Equal(t, get.Header(), head.Header(), target)
		require.NotZero(t, get.Body.Len(), target)
		require.Zero(t, head.Body.Len(), target)
	}
}

func TestPaths(t *testing.T) {
	f := newFixture(t)
	id := f.ready("")
	tests := []struct {
		path string
		code string
	}{
		{"/exports", ""},
		{"/%65xports", ""},
		{"/exports/" + id, ""},
		{"/exports/" + strings.ToUpper(id), ""},
		{"/exports/" + id + "/download", ""},
		{"/exports/" + id + "/%64ownload", ""},
		{"/", "NOT_FOUND"},
		{"//", "NOT_FOUND"},
		{"/exports/", "NOT_FOUND"},
		{"//exports", "NOT_FOUND"},
		{"/Exports", "NOT_FOUND"},
		{"/export", "NOT_FOUND"},
		{"/exports%2F" + id, "NOT_FOUND"},
		{"/exports//download", "NOT_FOUND"},
		{"/exports/" + id + "/", "NOT_FOUND"},
		{"/exports//" + id, "NOT_FOUND"},
		{"/exports/" + id + "/download/", "NOT_FOUND"},
		{"/exports/" + id + "//download", "NOT_FOUND"},
		{"/exports/" + id + "/upload", "NOT_FOUND"},
		{"/exports/" + id + "/download/x", "NOT_FOUND"},
		{"/v1/exports", "NOT_FOUND"},
		{"/exports/" + id + "%2Fdownload", "EXPORT_NOT_FOUND"},
		{"/exports/%2F" + id, "EXPORT_NOT_FOUND"},
		{"/exports/..", "EXPORT_NOT_FOUND"},
		{"/exports/.", "EXPORT_NOT_FOUND"},
		{"/exports/../download", "EXPORT_NOT_FOUND"},
		{"/exports/%00", "EXPORT_NOT_FOUND"},
		{"/exports/%ff", "EXPORT_NOT_FOUND"},
	}
	for _, test := range tests {
		t.Run(test.path, func(t *testing.T) {
			w := f.do(http.MethodGet, test.path)
			if test.code == "" {
				require.Equal(t, http.StatusOK, w.Code, w.Body.String())
				return
			}
			requireProblem(t, w, 404, test.code)
		})
	}
}

// TestOrderOfChecks holds the order of the checks: path, method, credential, permission, parameters, job.
func TestOrderOfChecks(t *testing.T) {
	f := newFixture(t)
	const missing = "/exports/a1b2c3d4-e5f6-7890-abcd-ef1234567890"
	requireProblem(t, f.do("PUT", "/imports?x", "X-Api-Key", ""), 404, "NOT_FOUND")
	requireProblem(t, f.do("PUT", missing+"?x", "X-Api-Key", ""), 405, "METHOD_NOT_ALLOWED")
	requireProblem(t, f.do("DELETE", missing+"?x", "X-Api-Key", ""), 401, "UNAUTHORIZED")
	requireProblem(t, f.do("DELETE", missing+"?x", "X-Api-Key", keyRead), 403, "FORBIDDEN")
	requireProblem(t, f.do("DELETE", missing+"?x"), 400, "VALIDATION_ERROR")
	requireProblem(t, f.do("DELETE", missing), 404, "EXPORT_NOT_FOUND")
}

func TestMethods(t *testing.T) {
	f := newFixture(t)
	id := f.ready("")
	allowed := map[string]string{
		"/exports":                     "GET, HEAD, POST",
		"/exports/" + id:               "DELETE, GET, HEAD",
		"/exports/" + id + "/download": "GET, HEAD",
	}
	for path, allow := range allowed {
		for _, method := range []string{"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "BREW", "get"} {
			if strings.Contains(allow, method) {
				continue
			}
			w := f.do(method, path)
			requireProblem(t, w, 405, "METHOD_NOT_ALLOWED")
			require.Equal(t, allow, w.Header().Get("Allow"))
		}
	}
}

// TestMissingAndForeignAreAlike holds that an answer tells nothing of jobs that are somebody else's.
func TestMissingAndForeignAreAlike(t *testing.T) {
	f := newFixture(t)
	foreign := f.ready("")
	personal := f.ready("?dataset=notes")
	for _, method := range []string{"GET", "HEAD", "DELETE"} {
		for _, suffix := range []string{"", "/download"} {
			if method == "DELETE" && suffix != "" {
				continue
			}
			answer := func(id, key string) string {
				w := f.do(method, "/exports/"+id+suffix, "X-Api-Key", key)
				require.Equal(t, 404, w.Code)
				return dump(t, w)
			}
			want := answer("a1b2c3d4-e5f6-7890-abcd-ef1234567890", keyOther)
			require.Equal(t, want, answer(foreign, keyOther))
			require.Equal(t, want, answer(personal, keyColleague), "a personal export of another subject")
			require.Equal(t, want, answer("no-uuid", keyOther))
			require.Equal(t, want, answer("{"+foreign+"}", keyFull))
			require.Equal(t, want, answer("urn:uuid:"+foreign, keyFull))
			require.Equal(t, want, answer(strings.ReplaceAll(foreign, "-", ""), keyFull))
		}
	}
	require.Equal(t, 200, f.do("GET", "/exports/"+foreign, "X-Api-Key", keyColleague).Code, "the same workspace")
	require.Equal(t, 200, f.do("GET", "/exports/"+personal).Code, "the same subject")
}

// TestStoreSeesProperIDsAlone holds that a store need not know the other ways to write a UUID.
func TestStoreSeesProperIDsAlone(t *testing.T) {
	f := newFixture(t, withFailingStore)
	id := f.ready("")
	f.failStore(errors.New("the store was asked"))
	for _, other := range []string{"{" + id + "}", "urn:uuid:" + id, strings.ReplaceAll(id, "-", ""), id + "0", "%00", "x"} {
		requireProblem(t, f.do("GET", "/exports/"+other), 404, "EXPORT_NOT_FOUND")
	}
}

func TestPersonalDatasetNeedsASubject(t *testing.T) {
	f := newFixture(t, func(f *fixture) {
		f.options.Authenticate = func(*http.Request) (httpadapter.Principal, error) {
			return httpadapter.Principal{WorkspaceID: "ws-1", Permissions: []httpadapter.Permission{httpadapter.PermissionWrite}}, nil
		}
	})
	p := requireProblem(t, f.do("POST", "/exports?dataset=notes"), 400, "VALIDATION_ERROR")
	require.Equal(t, []string{"dataset"}, p.fields())
}

func TestAuthenticateErrors(t *testing.T) {
	secret := errors.New("SELECT * FROM keys: connection refused")
	tests := []struct {
		name   string
		err    error
		status int
		code   string
	}{
		{"unauthorized", httpadapter.ErrUnauthorized, 401, "UNAUTHORIZED"},
		{"unauthorized, wrapped", fmt.Errorf("%w: revoked: %w", httpadapter.ErrUnauthorized, secret), 401, "UNAUTHORIZED"},
		{"unauthorized, with faults of its own", fmt.Errorf("%w: %w", httpadapter.ErrUnauthorized, &dataexport.ValidationError{}), 401, "UNAUTHORIZED"},
		{"unavailable", fmt.Errorf("%w: %w", dataexport.ErrUnavailable, secret), 503, "UNAVAILABLE"},
		{"any other", secret, 500, "INTERNAL"},
		{"not found, of another kind", fmt.Errorf("%w: %w", dataexport.ErrNotFound, secret), 500, "INTERNAL"},
		{"invalid, of another kind", &dataexport.ValidationError{Fields: []dataexport.FieldError{{Field: "password", Message: secret.Error()}}}, 500, "INTERNAL"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			f := newFixture(t, func(f *fixture) {
				// A principal that comes with an error must not count.
				all := httpadapter.Principal{WorkspaceID: "ws-1", Permissions: []httpadapter.Permission{httpadapter.PermissionRead, httpadapter.PermissionWrite}}
				f.options.Authenticate = func(*http.Request) (httpadapter.Principal, error) { return all, test.err }
			})
			w := f.do("POST", "/exports")
			requireProblem(t, w, test.status, test.code)
			require.NotContains(t, w.Body.String(), "SELECT")
			_, total, err := f.service.List(t.Context(), dataexport.Scope{WorkspaceID: "ws-1"}, dataexport.ListQuery{Limit: 1})
			require.NoError(t, err)
			require.Zero(t, total)
			if test.status >= 500 {
				require.Len(t, f.log.lines(t), 1)
				require.Contains(t, f.log.lines(t)[0].Error, "SELECT")
			} else {
				require.Empty(t, f.log.lines(t))
			}
		})
	}
}

func TestChallenge(t *testing.T) {
	f := newFixture(t, func(f *fixture) { f.options.Challenge = `Bearer realm="exports"` })
	require.Equal(t, `Bearer realm="exports"`, f.do("GET", "/exports", "X-Api-Key", "").Header().Get("WWW-Authenticate"))
}

func TestNewRefusesToLetEverybodyIn(t *testing.T) {
	f := newFixture(t)
	require.PanicsWithValue(t, "httpadapter: Options.Authenticate is nil, and nobody would know who is asking; APIKeys makes one",
		func() { httpadapter.New(f.service, httpadapter.Options{}) })
	require.Panics(t, func() { httpadapter.New(nil, f.options) })
}

func TestAPIKeys(t *testing.T) {
	first := httpadapter.Principal{WorkspaceID: "first"}
	second := httpadapter.Principal{WorkspaceID: "second"}
	keys := []httpadapter.APIKey{
		{Digest: httpadapter.DigestKey("one"), Principal: first},
		{Digest: httpadapter.DigestKey("two"), Principal: second},
		{Digest: httpadapter.DigestKey("one"), Principal: second},
	}
	authenticate := httpadapter.APIKeys(keys)
	keys[0].Principal.WorkspaceID = "changed later"
	tests := []struct {
		name   string
		header []string
		want   string // the workspace; empty for unauthorized
	}{
		{"first", []string{"one"}, "first"},
		{"second", []string{"two"}, "second"},
		{"wrong", []string{"three"}, ""},
		{"missing", nil, ""},
		{"empty", []string{""}, ""},
		{"twice", []string{"one", "one"}, ""},
		{"twice, first empty", []string{"", "one"}, ""},
		{"other case", []string{"One"}, ""},
		{"the digest itself", []string{string(keys[0].Digest[:])}, ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			r := &http.Request{Header: http.Header{"X-Api-Key": test.header}}
			principal, err := authenticate(r)
			if test.want == "" {
				require.ErrorIs(t, err, httpadapter.ErrUnauthorized)
				require.Zero(t, principal)
				return
			}
			require.NoError(t, err)
			require.Equal(t, test.want, principal.WorkspaceID)
		})
	}
	_, err := httpadapter.APIKeys(nil)(&http.Request{Header: http.Header{"X-Api-Key": {"one"}}})
	require.ErrorIs(t, err, httpadapter.ErrUnauthorized)
}

func TestRequestID(t *testing.T) {
	tests := []struct {
		name   string
		host   func(*http.Request) string
		header []string
		want   string // empty for a new UUID
	}{
		{"of the client", nil, []string{"abc-1"}, "abc-1"},
		{"of the host", func(*http.Request) string { return "host/7" }, []string{"abc-1"}, "host/7"},
		{"none", nil, nil, ""},
		{"empty", nil, []string{""}, ""},
		{"twice", nil, []string{"a", "a"}, ""},
		{"too long", nil, []string{strings.Repeat("a", 129)}, ""},
		{"longest", nil, []string{strings.Repeat("a", 128)}, strings.Repeat("a", 128)},
		{"line break", nil, []string{"a\nlevel=ERROR"}, ""},
		{"quote", nil, []string{`a"b`}, ""},
		{"not ASCII", nil, []string{"ä"}, ""},
		{"the host has none", func(*http.Request) string { return "" }, []string{"abc-1"}, "abc-1"},
		{"the host has a bad one", func(*http.Request) string { return "a b" }, nil, ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			f := newFixture(t, func(f *fixture) { f.options.RequestID = test.host })
			r := f.request("GET", "/imports")
			r.Header["X-Request-Id"] = test.header
			w := f.send(r)
			p := requireProblem(t, w, 404, "NOT_FOUND")
			if test.want == "" {
				require.Regexp(t, `^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$`, p.RequestID)
				require.NotEqual(t, p.RequestID, requireProblem(t, f.send(r), 404, "NOT_FOUND").RequestID)
				return
			}
			require.Equal(t, test.want, p.RequestID)
		})
	}
}
