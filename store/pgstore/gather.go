package pgstore

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/dataexport/dataexport"
)

// A gathering answers questions that are asked at the same time together, in one statement: a statement costs the server far
// more than one more row in it, and each is a commit of its own. A question that comes alone is asked at once; those that
// come while a statement is under way wait for the next one, unless it takes very long. It is safe for concurrent use.
type gathering[Q, A any] struct {
	ask  func(ctx context.Context, questions []Q) ([]A, error) // as many answers as questions, in their order
	most int                                                   // questions in a statement

	mu      sync.Mutex
	waiting []*asker[Q, A]
	busy    bool // somebody asks, or was told to
}

func newGathering[Q, A any](most int, ask func(context.Context, []Q) ([]A, error)) *gathering[Q, A] {
	return &gathering[Q, A]{ask: ask, most: most}
}

// An asker is one call of do.
type asker[Q, A any] struct {
	ctx      context.Context
	question Q
	turn     chan bool // true: it is to ask for all that wait; false: it has been answered

	answer A
	err    error
}

// do returns the answer to a question. A caller whose ctx is done leaves, unless its question is being asked: then it
// stays to hear whether that was in time. The question is given up when all who ask are gone.
func (g *gathering[Q, A]) do(ctx context.Context, question Q) (A, error) {
	a := &asker[Q, A]{ctx: ctx, question: question, turn: make(chan bool, 1)}
	leads := g.join(a)
	if !leads {
		select {
		case leads = <-a.turn:
		case <-ctx.Done():
			if g.leave(a) {
				return a.answer, ctx.Err()
			}
			leads = <-a.turn
		}
	}
	if leads {
		g.lead()
	}
	return a.answer, a.err
}

// join adds a call, and reports whether it is the one to ask.
func (g *gathering[Q, A]) join(a *asker[Q, A]) (leads bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.waiting = append(g.waiting, a)
	leads = !g.busy
	g.busy = true
	return leads
}

// leave takes a call away whose question has not been asked yet and that need not ask for others, and reports whether it is.
func (g *gathering[Q, A]) leave(a *asker[Q, A]) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	i := slices.Index(g.waiting, a)
	if i < 0 || len(a.turn) > 0 {
		return false
	}
	g.waiting = slices.Delete(g.waiting, i, i+1)
	return true
}

// overtakenAfter is how long a statement may take before the next is not kept waiting for it: its connection may hang.
const overtakenAfter = time.Second

// lead asks the questions that wait, that of the caller in front, and hands over to the next who waits.
func (g *gathering[Q, A]) lead() {
	runtime.Gosched() // to those who are about to ask too
	g.mu.Lock()
	group := slices.Clone(g.waiting[:min(g.most, len(g.waiting))])
	g.waiting = slices.Delete(g.waiting, 0, len(group))
	g.mu.Unlock()
	for _, a := range group {
		a.err = errPanicked
	}
	handOver := sync.OnceFunc(g.handOver)
	defer func() {
		handOver()
		for _, a := range group[1:] {
			a.turn <- false
		}
	}()
	defer time.AfterFunc(overtakenAfter, handOver).Stop()
	g.askFor(group)
}

// errPanicked is what calls are told whose question was being asked by one that panicked, in a function of a host's.
var errPanicked = fmt.Errorf("%w: the call that was made together with this one has panicked", dataexport.ErrUnavailable)

// handOver has the next who waits ask for all that have come meanwhile.
func (g *gathering[Q, A]) handOver() {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.busy = len(g.waiting) > 0; g.busy {
		g.waiting[0].turn <- true
	}
}

// askFor asks the questions of some calls. If they cannot be asked together, they are one after the other: one that makes no
// sense to the server is no fault of the others.
func (g *gathering[Q, A]) askFor(group []*asker[Q, A]) {
	ctx, cancel := untilAllAreDone(group)
	defer cancel()
	questions := make([]Q, len(group))
	for i, a := range group {
		questions[i] = a.question
	}
	answers, err := g.ask(ctx, questions)
	for i, a := range group {
		switch {
		case err == nil:
			a.answer, a.err = answers[i], nil
		case len(group) == 1 || ctx.Err() != nil || unavailable(err) && !errors.As(err, new(*hostError)):
			a.err = err
		default:
			g.askFor([]*asker[Q, A]{a})
		}
	}
}

// untilAllAreDone returns a context that is done when those of all calls are.
func untilAllAreDone[Q, A any](group []*asker[Q, A]) (ctx context.Context, cancel func()) {
	if len(group) == 1 {
		return group[0].ctx, func() {}
	}
	ctx, end := context.WithCancel(context.WithoutCancel(group[0].ctx))
	var left atomic.Int64
	left.Store(int64(len(group)))
	stops := make([]func() bool, len(group))
	for i, a := range group {
		stops[i] = context.AfterFunc(a.ctx, func() {
			if left.Add(-1) == 0 {
				end()
			}
		})
	}
	return ctx, func() {
		for _, stop := range stops {
			stop()
		}
		end()
	}
}
