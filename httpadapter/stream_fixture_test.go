package httpadapter_test

import (
	"context"
	"io"
	"iter"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/dataexport/dataexport"
	"github.com/dataexport/dataexport/httpadapter"
	"github.com/stretchr/testify/require"
)

// An accounts dataset is an archive: the account, and letters that come from a function.
type accounts struct {
	open    error // of opening, if it is set
	letters func(ctx context.Context, yield func(dataexport.Row, error) bool)
	closed  chan struct{} // gets a value for each view that is closed; nil for none
}

func (*accounts) Info() dataexport.Info {
	return dataexport.Info{
		Name: "account", Personal: true, Layout: dataexport.Layout{Object: true},
		Collections: []dataexport.Collection{
			{Name: "account", Single: true, Columns: []dataexport.Column{{Name: "id", Kind: dataexport.KindString, Role: dataexport.RoleID}}},
			{Name: "letters", Columns: []dataexport.Column{{Name: "text", Kind: dataexport.KindString, Role: dataexport.RoleBody}}},
		},
	}
}

func (a *accounts) Open(_ context.Context, q dataexport.Query) (dataexport.Source, error) {
	if a.open != nil {
		return nil, a.open
	}
	return &accountView{accounts: a, subject: q.Scope.Subject}, nil
}

type accountView struct {
	accounts *accounts
	subject  string
}

func (v *accountView) Rows(ctx context.Context, collection int) iter.Seq2[dataexport.Row, error] {
	return func(yield func(dataexport.Row, error) bool) {
		if collection == 0 {
			yield(dataexport.Row{dataexport.StringValue(v.subject)}, nil)
			return
		}
		v.accounts.letters(ctx, yield)
	}
}

func (v *accountView) Close() error {
	if v.accounts.closed != nil {
		v.accounts.closed <- struct{}{}
	}
	return nil
}

// letters yields n letters of 1,000 bytes, and then an error if it is not nil.
func letters(n int, err error) func(context.Context, func(dataexport.Row, error) bool) {
	return func(_ context.Context, yield func(dataexport.Row, error) bool) {
		text := strings.Repeat("l", 1000)
		for range n {
			if !yield(dataexport.Row{dataexport.StringValue(text)}, nil) {
				return
			}
		}
		if err != nil {
			yield(nil, err)
		}
	}
}

// accountText is what the account of a subject with n letters is written as.
func accountText(subject string, n int) string {
	return "# account\n" + subject + "\n" + strings.Repeat(strings.Repeat("l", 1000)+"\n", n)
}

// A streamFixture is a fixture whose handler streams accounts.
type streamFixture struct {
	*fixture
	accounts *accounts
}

// newStreamFixture makes a fixture; change may alter the options, or be nil.
func newStreamFixture(t testing.TB, a *accounts, change func(*httpadapter.StreamOptions)) *streamFixture {
	t.Helper()
	if a.letters == nil {
		a.letters = letters(3, nil)
	}
	f := newFixture(t, func(f *fixture) { f.config.Datasets = append(f.config.Datasets, a) })
	o := httpadapter.StreamOptions{Options: f.options}
	if change != nil {
		change(&o)
	}
	f.handler = httpadapter.Stream(f.service, "account", "json", o)
	return &streamFixture{f, a}
}

// A protocol is a version of HTTP that a server and its client speak.
type protocol struct {
	name  string
	start func(*httptest.Server)
}

func protocols() []protocol {
	return []protocol{
		{"HTTP/1.1", (*httptest.Server).Start},
		{"HTTP/2.0", func(s *httptest.Server) {
			s.EnableHTTP2 = true
			s.StartTLS()
		}},
	}
}

// serve starts a server that speaks a protocol, and returns it.
func (p protocol) serve(t testing.TB, handler http.Handler, change func(*http.Server)) *httptest.Server {
	t.Helper()
	server := httptest.NewUnstartedServer(handler)
	server.Config.ErrorLog = nil
	if change != nil {
		change(server.Config)
	}
	p.start(server)
	t.Cleanup(server.Close)
	return server
}

// get asks for the archive over the network. The caller reads the body.
func get(t testing.TB, server *httptest.Server, key string) *http.Response {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, server.URL+"/api/v1/export", nil)
	require.NoError(t, err)
	r.Header.Set("X-Api-Key", key)
	answer, err := server.Client().Do(r)
	require.NoError(t, err)
	t.Cleanup(func() { _ = answer.Body.Close() })
	return answer
}

// receive waits for a value, and fails the test if none comes: a bound for what would hang, not a measure.
func receive(t testing.TB, c <-chan struct{}, what string) {
	t.Helper()
	select {
	case <-c:
	case <-time.After(time.Minute):
		require.FailNow(t, "nothing happened: "+what)
	}
}

func readAll(t testing.TB, answer *http.Response) string {
	t.Helper()
	body, err := io.ReadAll(answer.Body)
	require.NoError(t, err)
	return string(body)
}
