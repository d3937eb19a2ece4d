package httpadapter_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"testing"
	"testing/synctest"

	"github.com/dataexport/dataexport"
	"github.com/dataexport/dataexport/httpadapter"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestStreamSendsTheArchiveOfTheCaller(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newStreamFixture(t, &accounts{}, nil)
		for _, path := range []string{"/", "/api/v1/export"} {
			w := f.do(http.MethodGet, path)
			require.Equal(t, http.StatusOK, w.Code)
			require.Equal(t, accountText("ann", 3), w.Body.String())
			require.True(t, w.Flushed)
			require.Equal(t, http.Header{
				"Content-Type":           {"application/json"},
				"Content-Disposition":    {`attachment; filename="account-20000101-000000.json"`},
				"Cache-Control":          {"private, no-store"},
				"X-Content-Type-Options": {"nosniff"},
				"X-Request-Id":           {"request-1"},
			}, w.Header())
		}
		// Another person of the same workspace.
		require.Equal(t, accountText("bob", 3), f.do(http.MethodGet, "/", "X-Api-Key", keyColleague).Body.String())
	})
}

func TestStreamWithTheDefaultsOfTheService(t *testing.T) {
	f := newStreamFixture(t, &accounts{}, nil)
	w := f.sendTo(httpadapter.Stream(f.service, "", "csv", httpadapter.StreamOptions{Options: f.options}), f.request(http.MethodGet, "/"))
	require.Equal(t, http.StatusOK, w.Code)
	require.Equal(t, fileText, w.Body.String())
	require.Equal(t, "text/csv; charset=utf-8", w.Header().Get("Content-Type"))
}

func TestStreamRefuses(t *testing.T) {
	const keyNobody = "key-nobody"
	unavailable := fmt.Errorf("dial tcp 10.0.0.7: %w", dataexport.ErrUnavailable)
	tests := map[string]struct {
		method, target string
		key            string
		open           error
		status         int
		code           string
		level          string // of the line in the log, or empty for none
	}{
		"no credential":    {"GET", "/", "", nil, 401, "UNAUTHORIZED", ""},
		"wrong credential": {"GET", "/", "wrong", nil, 401, "UNAUTHORIZED", ""},
		"no permission":    {"GET", "/", keyWrite, nil, 403, "FORBIDDEN", ""},
		"no workspace":     {"GET", "/", keyHomeless, nil, 403, "FORBIDDEN", ""},
		"no person":        {"GET", "/", keyNobody, nil, 403, "FORBIDDEN", ""},
		"a filter":         {"GET", "/?created_after=2026-01-01", keyRead, nil, 400, "VALIDATION_ERROR", ""},
		"dataset":          {"GET", "/?dataset=account", keyRead, nil, 400, "VALIDATION_ERROR", ""},
		"format":           {"GET", "/?format=csv", keyRead, nil, 400, "VALIDATION_ERROR", ""},
		"bad query":        {"GET", "/?%zz", keyRead, nil, 400, "VALIDATION_ERROR", ""},
		"POST":             {"POST", "/", keyFull, nil, 405, "METHOD_NOT_ALLOWED", ""},
		"DELETE":           {"DELETE", "/", "", nil, 405, "METHOD_NOT_ALLOWED", ""},
		"no account":       {"GET", "/", keyRead, fmt.Errorf("user 7: %w", dataexport.ErrNotFound), 404, "ACCOUNT_NOT_FOUND", ""},
		"database down":    {"GET", "/", keyRead, unavailable, 503, "UNAVAILABLE", "WARN"},
		"internal":         {"GET", "/", keyRead, errors.New("relation users of 10.0.0.7 does not exist"), 500, "INTERNAL", "ERROR"},
		"foreign meaning":  {"GET", "/", keyRead, fmt.Errorf("a part: %w", dataexport.ErrExpired), 500, "INTERNAL", "ERROR"},
	}
	for name, test := range tests {
		for _, head := range []bool{false, true} {
			if head && test.method != http.MethodGet {
				continue
			}
			t.Run(fmt.Sprintf("%s, HEAD %t", name, head), func(t *testing.T) {
				f := newStreamFixture(t, &accounts{open: test.open}, func(o *httpadapter.StreamOptions) {
					keys := append(fixtureKeys(), httpadapter.APIKey{Digest: httpadapter.DigestKey(keyNobody), Principal: httpadapter.Principal{
						WorkspaceID: "ws-1", Permissions: []httpadapter.Permission{httpadapter.PermissionRead},
					}})
					o.Authenticate = httpadapter.APIKeys(keys)
				})
				method := test.method
				if head {
					method = http.MethodHead
				}
				w := f.do(method, test.target, "X-Api-Key", test.key)
				if head {
					require.Equal(t, test.status, w.Code)
					require.Zero(t, w.Body.Len())
				} else {
					p := requireProblem(t, w, test.status, test.code)
					require.NotContains(t, p.Detail, "10.0.0.7")
				}
				require.Empty(t, w.Header().Get("Content-Disposition"))
				require.Equal(t, test.status == 405, w.Header().Get("Allow") == "GET, HEAD")
				require.Equal(t, test.status == 503, w.Header().Get("Retry-After") != "")
				if test.level == "" {
					require.Empty(t, f.log.lines(t))
					return
				}
				lines := f.log.lines(t)
				require.Len(t, lines, 1)
				require.Equal(t, test.level, lines[0].Level)
				require.Contains(t, lines[0].Error, test.open.Error())
			})
		}
	}
}

// HEAD opens the view to see whether there is an account, and closes it without asking for more.
func TestStreamHead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newStreamFixture(t, &accounts{closed: make(chan struct{}, 2)}, nil)
		get := f.do(http.MethodGet, "/")
		<-f.accounts.closed
		f.accounts.letters = func(context.Context, func(dataexport.Row, error) bool) { panic("asked for letters") }
		head := f.do(http.MethodHead, "/")
		require.Equal(t, http.StatusOK, head.Code)
		require.Equal(t, get.Header(), head.Header())
		require.Zero(t, head.Body.Len())
		<-f.accounts.closed // hangs if the view is open
		for _, line := range f.log.lines(t) {
			require.Equal(t, "a client that stalls cannot be cut off", line.Message[len("httpadapter: "):][:38])
		}
	})
}

func TestStreamHeadOverTheNetwork(t *testing.T) {
	for _, p := range protocols() {
		t.Run(p.name, func(t *testing.T) {
			f := newStreamFixture(t, &accounts{closed: make(chan struct{}, 1)}, nil)
			server := p.serve(t, f.handler, nil)
			r, err := http.NewRequestWithContext(t.Context(), http.MethodHead, server.URL, nil)
			require.NoError(t, err)
			r.Header.Set("X-Api-Key", keyRead)
			answer, err := server.Client().Do(r)
			require.NoError(t, err)
			require.Equal(t, http.StatusOK, answer.StatusCode)
			require.Empty(t, readAll(t, answer))
			require.NoError(t, answer.Body.Close())
			receive(t, f.accounts.closed, "the view was not closed")
		})
	}
}

func TestStreamOverTheNetwork(t *testing.T) {
	for _, p := range protocols() {
		for name, n := range map[string]int{"empty": 0, "small": 3, "large": 5000} {
			t.Run(p.name+" "+name, func(t *testing.T) {
				f := newStreamFixture(t, &accounts{letters: letters(n, nil)}, nil)
				answer := get(t, p.serve(t, f.handler, nil), keyRead)
				assert.Equal(t, p.name, answer.Proto)
				assert.Equal(t, http.StatusOK, answer.StatusCode)
				assert.EqualValues(t, -1, answer.ContentLength)
				require.Equal(t, accountText("ann", n), readAll(t, answer))
				require.Empty(t, f.log.lines(t))
			})
		}
	}
}

// Whenever a source breaks, and even if middleware recovers from panics, the client gets an error and not an end.
func TestStreamNeverLooksCompleteWhenItIsNot(t *testing.T) {
	broken := errors.New("the connection to the database was lost")
	breaks := map[string]func(context.Context, func(dataexport.Row, error) bool){
		"at once":          letters(0, broken),
		"small":            letters(3, broken),
		"just below 32 kB": letters(32, broken),
		"large":            letters(3000, broken),
		"panic":            func(context.Context, func(dataexport.Row, error) bool) { panic(broken) },
		"bad row":          func(_ context.Context, yield func(dataexport.Row, error) bool) { yield(dataexport.Row{}, nil) },
	}
	for _, p := range protocols() {
		for name, source := range breaks {
			for _, recovering := range []bool{false, true} {
				t.Run(fmt.Sprintf("%s %s, recovering %t", p.name, name, recovering), func(t *testing.T) {
					f := newStreamFixture(t, &accounts{letters: source}, nil)
					handler := f.handler
					if recovering {
						handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
							defer func() { assert.Equal(t, http.ErrAbortHandler, recover()) }()
							f.handler.ServeHTTP(w, r)
						})
					}
					answer := get(t, p.serve(t, handler, nil), keyRead)
					require.Equal(t, http.StatusOK, answer.StatusCode)
					_, err := io.ReadAll(answer.Body)
					require.Error(t, err)
					require.Len(t, f.log.lines(t), 1)
					require.Equal(t, "ERROR", f.log.lines(t)[0].Level)
				})
			}
		}
	}
}

// The headers are there while the source is still at work.
func TestStreamAnswersAsSoonAsTheAccountIsRead(t *testing.T) {
	for _, p := range protocols() {
		t.Run(p.name, func(t *testing.T) {
			answered := make(chan struct{})
			f := newStreamFixture(t, &accounts{letters: func(ctx context.Context, yield func(dataexport.Row, error) bool) {
				<-answered
				letters(1, nil)(ctx, yield)
			}}, nil)
			answer := get(t, p.serve(t, f.handler, nil), keyRead)
			close(answered)
			require.Equal(t, accountText("ann", 1), readAll(t, answer))
		})
	}
}

func TestStreamMustBeOfWhatTheServiceHas(t *testing.T) {
	f := newStreamFixture(t, &accounts{}, nil)
	o := httpadapter.StreamOptions{Options: f.options}
	assert.Panics(t, func() { httpadapter.Stream(nil, "account", "json", o) })
	assert.Panics(t, func() { httpadapter.Stream(f.service, "account", "json", httpadapter.StreamOptions{}) })
	assert.PanicsWithValue(t, "httpadapter: Stream: dataexport: invalid: dataset: dataset must be one of: memories, notes, broken, account",
		func() { httpadapter.Stream(f.service, "acount", "json", o) })
	assert.Panics(t, func() { httpadapter.Stream(f.service, "account", "xml", o) })
	assert.PanicsWithValue(t, "httpadapter: Stream: dataexport: invalid: format: notes cannot be written as CSV",
		func() { httpadapter.Stream(f.service, "notes", "csv", o) })
}
