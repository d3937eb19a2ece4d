package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

const (
	// checkTimeout is how long a part may take to answer. Whoever asks is seldom more patient.
	checkTimeout = 2 * time.Second
	// checkInterval is how long an answer is good for: however often somebody asks, the parts are asked once in it.
	checkInterval = time.Second
)

// A part is something without which exports cannot be served.
type part struct {
	name  string
	check func(context.Context) error
}

// A health tells those who run the server how it is: /healthz whether the process lives, /readyz whether it should be sent
// requests. Neither needs a key, so that neither tells anything that is not everybody's to know.
type health struct {
	log      *slog.Logger
	stopping atomic.Bool

	mu       sync.Mutex
	problems []string  // why it is not ready
	parts    []part    // to ask
	asked    time.Time // when they were asked last
}

func newHealth(log *slog.Logger) *health {
	return &health{log: log, problems: []string{"it is starting"}}
}

// say says why the server is not ready, until its parts are asked.
func (h *health) say(problem string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.problems = []string{problem}
}

// ask has the parts asked from now on.
func (h *health) ask(parts ...part) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.problems, h.parts = nil, parts
}

// stop says that the server stops. It stays so.
func (h *health) stop() { h.stopping.Store(true) }

// live answers /healthz.
func (h *health) live(w http.ResponseWriter, _ *http.Request) { answerHealth(w, nil) }

// ready answers /readyz.
func (h *health) ready(w http.ResponseWriter, r *http.Request) { answerHealth(w, h.check(r.Context())) }

func answerHealth(w http.ResponseWriter, problems []string) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	text := "ok\n"
	if len(problems) > 0 {
		w.WriteHeader(http.StatusServiceUnavailable)
		text = "not ready: " + strings.Join(problems, "; ") + "\n"
	}
	_, _ = io.WriteString(w, text) // the client is gone, or has it
}

// check returns why the server is not ready; nothing if it is. Those who ask at the same time wait for one answer.
func (h *health) check(ctx context.Context) []string {
	if h.stopping.Load() {
		return []string{"it is stopping"}
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if len(h.parts) == 0 || time.Since(h.asked) < checkInterval {
		return h.problems
	}
	// Not with the context of the request: a client that goes away says nothing about the parts.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), checkTimeout)
	defer cancel()
	before := len(h.problems) == 0
	h.problems, h.asked = h.askAll(ctx), time.Now()
	if after := len(h.problems) == 0; after && !before {
		h.log.Info("the server is ready again")
	}
	return h.problems
}

// askAll asks all parts at the same time.
func (h *health) askAll(ctx context.Context) (problems []string) {
	errs := make([]error, len(h.parts))
	var asking sync.WaitGroup
	for i, p := range h.parts {
		asking.Go(func() { errs[i] = p.check(ctx) })
	}
	asking.Wait()
	for i, err := range errs {
		if err != nil {
			h.log.Warn("the server is not ready", slog.String("part", h.parts[i].name), slog.Any("error", err))
			problems = append(problems, fmt.Sprintf("%s cannot be reached", h.parts[i].name))
		}
	}
	return problems
}
