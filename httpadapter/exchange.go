package httpadapter

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"strconv"

	"github.com/google/uuid"
)

// A front is what the handlers of this package share: who is let in, and how a request is named and logged.
type front struct {
	authenticate func(*http.Request) (Principal, error)
	challenge    string
	requestID    func(*http.Request) string
	logger       *slog.Logger
}

func newFront(o Options) *front {
	if o.Authenticate == nil {
		panic("httpadapter: Options.Authenticate is nil, and nobody would know who is asking; APIKeys makes one")
	}
	f := &front{authenticate: o.Authenticate, challenge: o.Challenge, requestID: o.RequestID, logger: o.Logger}
	if f.challenge == "" {
		f.challenge = "ApiKey"
	}
	if f.logger == nil {
		f.logger = slog.Default()
	}
	return f
}

// An exchange is one request on the way to its answer.
type exchange struct {
	front *front
	w     http.ResponseWriter
	r     *http.Request
	id    string // of the request

	about []slog.Attr // what the log says of the request besides, once it is known
}

// begin names the request and sets the headers that every answer has: what is exported is personal, and so is every word
// about it.
func (f *front) begin(w http.ResponseWriter, r *http.Request) *exchange {
	x := &exchange{front: f, w: w, r: r, id: f.nameRequest(r)}
	h := w.Header()
	h.Set("X-Request-Id", x.id)
	h.Set("Cache-Control", "private, no-store")
	h.Set("X-Content-Type-Options", "nosniff")
	return x
}

func (f *front) nameRequest(r *http.Request) string {
	if f.requestID != nil {
		if id := f.requestID(r); validRequestID(id) {
			return id
		}
	}
	if given := r.Header.Values("X-Request-Id"); len(given) == 1 && validRequestID(given[0]) {
		return given[0]
	}
	return uuid.NewString()
}

// validRequestID reports whether an id can stand in a header, a JSON document and a log line as it is.
func validRequestID(id string) bool {
	if len(id) == 0 || len(id) > 128 {
		return false
	}
	for i := range len(id) {
		c := id[i]
		switch {
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9':
		case bytes.IndexByte([]byte("-_.:/+=@"), c) >= 0:
		default:
			return false
		}
	}
	return true
}

// reply sends a JSON document, or to HEAD its headers.
func (x *exchange) reply(status int, mediaType string, document any) error {
	var body bytes.Buffer
	encoder := json.NewEncoder(&body)
	encoder.SetEscapeHTML(false) // nosniff keeps browsers from taking it for HTML
	if err := encoder.Encode(document); err != nil {
		return fmt.Errorf("httpadapter: encoding the answer: %w", err)
	}
	h := x.w.Header()
	h.Set("Content-Type", mediaType)
	h.Set("Content-Length", strconv.Itoa(body.Len()))
	x.w.WriteHeader(status)
	if x.r.Method == http.MethodHead {
		return nil
	}
	if _, err := x.w.Write(body.Bytes()); err != nil {
		x.log(slog.LevelDebug, "the client did not take the answer", err)
	}
	return nil
}

func (x *exchange) log(level slog.Level, message string, cause error) {
	attrs := []slog.Attr{
		slog.String("request_id", x.id), slog.String("method", x.r.Method), slog.String("path", x.r.URL.Path), slog.Any("error", cause),
	}
	x.front.logger.LogAttrs(x.r.Context(), level, "httpadapter: "+message, append(attrs, x.about...)...)
}
