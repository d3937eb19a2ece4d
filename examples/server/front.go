package main

import (
	"io"
	"log/slog"
	"net/http"
	"sync/atomic"
)

// A front answers from the moment that the server listens: /healthz and /readyz always, and everything else once it is
// open. Before, the database may be filled for the first time, or be out of reach.
type front struct {
	health *health
	mux    *http.ServeMux
	api    atomic.Pointer[http.Handler] // nil until it is open
}

func newFront(log *slog.Logger) *front {
	f := &front{health: newHealth(log), mux: http.NewServeMux()}
	f.mux.HandleFunc("/healthz", readOnly(f.health.live))
	f.mux.HandleFunc("/readyz", readOnly(f.health.ready))
	f.mux.HandleFunc("/", f.serveAPI)
	return f
}

// readOnly refuses all methods but GET and HEAD. A pattern with a method would leave the others to the API.
func readOnly(next http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodGet && r.Method != http.MethodHead {
			w.Header().Set("Allow", "GET, HEAD")
			http.Error(w, "only GET and HEAD", http.StatusMethodNotAllowed)
			return
		}
		next(w, r)
	}
}

// open has requests answered by the API, and /readyz by its parts.
func (f *front) open(api http.Handler, parts ...part) {
	f.api.Store(&api)
	f.health.ask(parts...)
}

func (f *front) ServeHTTP(w http.ResponseWriter, r *http.Request) { f.mux.ServeHTTP(w, r) }

// serveAPI answers as the API does while its store does not answer (RFC 9457).
func (f *front) serveAPI(w http.ResponseWriter, r *http.Request) {
	if api := f.api.Load(); api != nil {
		(*api).ServeHTTP(w, r)
		return
	}
	w.Header().Set("Content-Type", "application/problem+json")
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("Retry-After", "5")
	w.WriteHeader(http.StatusServiceUnavailable)
	_, _ = io.WriteString(w, `{"type":"about:blank","title":"Service Unavailable","status":503,`+
		`"detail":"the server is starting; try again later","code":"UNAVAILABLE"}`+"\n") // the client is gone, or has it
}
