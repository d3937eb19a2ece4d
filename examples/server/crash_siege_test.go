//go:build unix

package main

import (
	"bufio"
	"context"
	"math/rand/v2"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// A siege starts the server, kills it, and starts it again on the same directory.
type siege struct {
	t        *testing.T
	dir      string
	args     []string
	random   *rand.Rand
	customer *customer
	kills    int
	found    census // after the kills
}

func newSiege(t *testing.T, workspaces []string, args ...string) *siege {
	t.Helper()
	seed := uint64(time.Now().UnixNano()) //nolint:gosec // any number will do
	t.Logf("seed %d", seed)
	for _, w := range workspaces {
		args = append(args, "-key", w+"="+w)
	}
	return &siege{
		t: t, dir: t.TempDir(), args: args, random: rand.New(rand.NewPCG(seed, 0)),
		found:    make(census),
		customer: &customer{t: t, workspaces: workspaces, random: rand.New(rand.NewPCG(seed, 1))},
	}
}

func (s *siege) files() string { return filepath.Join(s.dir, "files") }

func (s *siege) upTo(limit time.Duration) time.Duration {
	return time.Duration(s.random.Int64N(int64(limit)))
}

// A moment is when a server is killed: some time after something has been seen.
type moment struct {
	seen  func(*running) <-chan struct{}
	delay time.Duration // up to this
}

// giveUp is how long a server lives in which nothing is seen.
const giveUp = 5 * time.Second

// kill starts the server, lets the customer order and kills it at a moment.
func (s *siege) kill(m moment, requests int) {
	s.t.Helper()
	ctx, cancel := context.WithCancel(s.t.Context())
	defer cancel()
	r := s.launch(ctx)
	var shopping sync.WaitGroup
	shopping.Go(func() {
		select {
		case <-r.listening:
			s.customer.shop(ctx, r.url, requests, r.answered)
		case <-r.closed:
		}
	})
	limit := time.NewTimer(giveUp)
	defer limit.Stop()
	select {
	case <-m.seen(r):
	case <-limit.C:
	}
	delay := time.NewTimer(s.upTo(m.delay))
	defer delay.Stop()
	<-delay.C
	require.NoError(s.t, r.command.Process.Kill())
	<-r.closed
	require.ErrorContains(s.t, r.command.Wait(), "killed", "the server ended by itself: %s", &r.output)
	cancel() // only now, for the customer is to learn of the kill from the server
	shopping.Wait()
	s.kills++
	s.found.add(s.t, s.dir)
}

// running is a server that is to be killed.
type running struct {
	command   *exec.Cmd
	context   context.Context // done when it is killed
	dir       string
	output    lockedBuffer
	url       string // once it listens
	listening chan struct{}
	answered  chan struct{} // closed when the customer has had an answer
	closed    chan struct{}
}

// launch starts the server and does not wait for anything.
func (s *siege) launch(ctx context.Context) *running {
	s.t.Helper()
	r := &running{
		command: exec.CommandContext(ctx, binary, append([]string{"-addr", "127.0.0.1:0", "-data", s.dir}, s.args...)...),
		context: ctx, dir: s.dir,
		listening: make(chan struct{}), answered: make(chan struct{}), closed: make(chan struct{}),
	}
	stdout, err := r.command.StdoutPipe()
	require.NoError(s.t, err)
	r.command.Stderr = &r.output
	require.NoError(s.t, r.command.Start())
	go func() {
		defer close(r.closed)
		lines := bufio.NewScanner(stdout)
		for lines.Scan() {
			if url, found := strings.CutPrefix(lines.Text(), "listening on "); found {
				r.url = url
				close(r.listening)
			}
		}
	}()
	return r
}

// What can be seen of a server.
func started(*running) <-chan struct{} {
	now := make(chan struct{})
	close(now)
	return now
}

func listening(r *running) <-chan struct{} { return r.listening }

func answered(r *running) <-chan struct{} { return r.answered }

func importing(r *running) <-chan struct{} { return r.watch(appear, "dataexport.db-wal") }

func fileBegun(r *running) <-chan struct{} { return r.watch(appear, "files/*/*+part-*") }

func fileCommitted(r *running) <-chan struct{} { return r.watch(appear, "files/*/*+blob") }

func fileRemoved(r *running) <-chan struct{} { return r.watch(disappear, "files/*/*+blob") }

// appear reports whether a path is new.
func appear(before, now []string) bool {
	return slices.ContainsFunc(now, func(path string) bool { return !slices.Contains(before, path) })
}

// disappear reports whether a path has gone.
func disappear(before, now []string) bool { return appear(now, before) }

// watch looks again and again at the paths that match a pattern, in the directory of the data, until something has
// happened to them.
func (r *running) watch(happened func(before, now []string) bool, pattern string) <-chan struct{} {
	look := func() []string {
		paths, _ := filepath.Glob(filepath.Join(r.dir, pattern)) // the only error is that of a bad pattern
		return paths
	}
	seen := make(chan struct{})
	before := look()
	go func() {
		defer close(seen)
		ticker := time.NewTicker(time.Millisecond)
		defer ticker.Stop()
		for {
			select {
			case <-ticker.C:
			case <-r.context.Done():
				return
			}
			now := look()
			if happened(before, now) {
				return
			}
			before = now
		}
	}()
	return seen
}
