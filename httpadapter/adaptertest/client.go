package adaptertest

import (
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"reflect"
	"strings"

	"github.com/dataexport/dataexport"
)

// An answer is what the API has answered, read to its end.
type answer struct {
	api    *api
	what   string // the request, for messages
	url    *url.URL
	status int
	header http.Header
	body   []byte
	broken error // why it could not be read to its end
}

// A with is a change to a request before it is sent.
type with func(*http.Request)

func key(k string) with { return header("X-Api-Key", k) }

// header sets a header; an empty value removes it.
func header(name, value string) with {
	return func(r *http.Request) {
		r.Header.Del(name)
		if value != "" {
			r.Header.Set(name, value)
		}
	}
}

func body(text string) with {
	return func(r *http.Request) {
		r.Body, r.ContentLength = io.NopCloser(strings.NewReader(text)), int64(len(text))
	}
}

// do sends a request, with the credential of the owner unless it is changed. The path is what comes after the prefix.
func (a *api) do(method, path string, changes ...with) *answer {
	a.t.Helper()
	return a.send(method, a.base+path, changes...)
}

func (a *api) send(method, address string, changes ...with) *answer {
	a.t.Helper()
	r, err := http.NewRequestWithContext(a.t.Context(), method, address, nil)
	if err != nil {
		a.t.Fatal(err)
	}
	r.Header.Set("X-Api-Key", keyOwner)
	for _, change := range changes {
		change(r)
	}
	w := &answer{api: a, what: method + " " + address, url: r.URL}
	response, err := a.client.Do(r)
	if err != nil {
		w.broken = err
		return w
	}
	w.status, w.header = response.StatusCode, response.Header
	w.body, w.broken = io.ReadAll(response.Body)
	_ = response.Body.Close() // says nothing that reading has not said
	return w
}

// is holds that the answer is whole and has a status.
func (w *answer) is(status int) *answer {
	w.api.t.Helper()
	if w.broken != nil {
		w.api.t.Fatalf("%s: the answer broke off: %v", w.what, w.broken)
	}
	if w.status != status {
		w.api.t.Fatalf("%s: status %d, want %d; body: %s", w.what, w.status, status, w.body)
	}
	return w
}

// has holds that a header has a value.
func (w *answer) has(name, want string) *answer {
	w.api.t.Helper()
	if got := w.header.Get(name); got != want {
		w.api.t.Errorf("%s: header %s is %q, want %q", w.what, name, got, want)
	}
	return w
}

// problem holds that the answer is a problem document with a code.
func (w *answer) problem(status int, code string) object {
	w.api.t.Helper()
	w.is(status).has("Content-Type", "application/problem+json")
	p := w.object()
	if p["code"] != code || p["status"] != float64(status) {
		w.api.t.Errorf("%s: the problem is %v %v, want %d %s", w.what, p["status"], p["code"], status, code)
	}
	for _, name := range []string{"type", "title", "detail", "request_id"} {
		if text, ok := p[name].(string); !ok || text == "" {
			w.api.t.Errorf("%s: member %s of the problem is %v, want a text", w.what, name, p[name])
		}
	}
	if p["request_id"] != w.header.Get("X-Request-Id") {
		w.api.t.Errorf("%s: the request id is %v in the problem and %q in the header", w.what, p["request_id"], w.header.Get("X-Request-Id"))
	}
	return p
}

// An object is a JSON object.
type object map[string]any

func (w *answer) object() object {
	w.api.t.Helper()
	var o object
	if err := json.Unmarshal(w.body, &o); err != nil {
		w.api.t.Fatalf("%s: the body is no JSON object: %v: %s", w.what, err, w.body)
	}
	return o
}

// id returns the id of the job in the answer.
func (w *answer) id() string {
	w.api.t.Helper()
	id, ok := w.object()["id"].(string)
	if !ok {
		w.api.t.Fatalf("%s: there is no id in %s", w.what, w.body)
	}
	return id
}

// create orders an export and returns its id.
func (a *api) create(query string) string {
	a.t.Helper()
	return a.do(http.MethodPost, "/exports"+query).is(http.StatusAccepted).id()
}

// ready orders an export, has it done and returns its id.
func (a *api) ready(query string) string {
	a.t.Helper()
	id := a.create(query)
	job, err := a.service.Runner().RunJob(a.t.Context(), id)
	if err != nil || job.Status != dataexport.StatusReady {
		a.t.Fatalf("the export became %s: %v", job.Status, err)
	}
	return id
}

// equal holds that two values are equal.
func (a *api) equal(what string, got, want any) {
	a.t.Helper()
	if !reflect.DeepEqual(got, want) {
		a.t.Errorf("%s: %v, want %v", what, got, want)
	}
}
