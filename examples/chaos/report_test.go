//go:build linux

package chaos

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"
	"time"
)

// A timeline keeps what was done, and when.
type timeline struct {
	begun time.Time

	mu    sync.Mutex
	lines []string
}

func (l *timeline) add(format string, args ...any) {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := time.Now()
	l.lines = append(l.lines, fmt.Sprintf("%7.3fs %s %s", now.Sub(l.begun).Seconds(), now.UTC().Format("15:04:05.000"), fmt.Sprintf(format, args...)))
}

func (l *timeline) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return strings.Join(l.lines, "\n")
}

// suspects are jobs with which something is wrong.
type suspects struct {
	mu  sync.Mutex
	ids []string
}

// blame fails the test because of a job, whose history is then told at the end.
func (w *world) blame(id, format string, args ...any) {
	w.t.Helper()
	w.t.Errorf("job %s: %s", id, fmt.Sprintf(format, args...))
	w.suspects.mu.Lock()
	defer w.suspects.mu.Unlock()
	if !slices.Contains(w.suspects.ids, id) {
		w.suspects.ids = append(w.suspects.ids, id)
	}
}

// reported is how many suspects are told of, and logTail how many lines of each log.
const (
	reported = 5
	logTail  = 60
)

// report tells of a failed test what may explain it.
func (w *world) report() {
	if !w.t.Failed() {
		if os.Getenv("DATAEXPORT_CHAOS_VERBOSE") == "1" {
			w.t.Logf("timeline:\n%s", w.timeline)
		}
		return
	}
	w.t.Logf("DATAEXPORT_CHAOS=%s DATAEXPORT_CHAOS_SEED=%d", w.settings.duration, w.settings.seed)
	w.t.Logf("timeline:\n%s", w.timeline)
	for _, id := range w.suspects.ids[:min(reported, len(w.suspects.ids))] {
		w.t.Logf("job %s:\n%s", id, w.trail(id))
		for _, m := range w.members {
			w.t.Logf("%s says of it:\n%s", m.name, grep(m.log(), id))
		}
	}
	for _, m := range w.members {
		lines := strings.SplitAfter(m.log(), "\n")
		w.t.Logf("the last that %s says:\n%s", m.name, strings.Join(lines[max(0, len(lines)-logTail):], ""))
	}
}

// log returns all that the server has logged.
func (m *member) log() string {
	text, err := os.ReadFile(m.logFile)
	if err != nil {
		return err.Error()
	}
	return string(text)
}

// grep returns the lines that contain a text.
func grep(text, word string) string {
	var b strings.Builder
	for line := range strings.Lines(text) {
		if strings.Contains(line, word) {
			b.WriteString("  " + line)
		}
	}
	return b.String()
}
