package pgstore

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dataexport/dataexport"
)

// An oracle answers questions for a gathering, each time after a second, and remembers what it was asked together.
type oracle struct {
	mu    sync.Mutex
	asked [][]int
	takes time.Duration // a second if it is 0
	fail  func(questions []int) error
}

func (o *oracle) answer(ctx context.Context, questions []int) ([]string, error) {
	o.mu.Lock()
	o.asked = append(o.asked, slices.Clone(questions))
	o.mu.Unlock()
	select {
	case <-ctx.Done():
		return nil, ctx.Err()
	case <-time.After(cmp.Or(o.takes, time.Second-1)):
	}
	if o.fail != nil {
		if err := o.fail(questions); err != nil {
			return nil, err
		}
	}
	answers := make([]string, len(questions))
	for i, q := range questions {
		answers[i] = fmt.Sprint("answer to ", q)
	}
	return answers, nil
}

// askAll asks questions from as many goroutines, in their order, and returns what each was told.
func askAll(g *gathering[int, string], questions int, contextOf func(i int) context.Context) (answers []string, errs []error) {
	answers, errs = make([]string, questions), make([]error, questions)
	var group sync.WaitGroup
	for i := range questions {
		group.Go(func() { answers[i], errs[i] = g.do(contextOf(i), i) })
		synctest.Wait() // so that they come in this order
	}
	group.Wait()
	return answers, errs
}

func TestQuestionsAreGathered(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var o oracle
		answers, errs := askAll(newGathering(4, o.answer), 8, func(int) context.Context { return t.Context() })
		assert.Equal(t, make([]error, 8), errs)
		for i, answer := range answers {
			assert.Equal(t, fmt.Sprint("answer to ", i), answer)
		}
		assert.Equal(t, [][]int{{0}, {1, 2, 3, 4}, {5, 6, 7}}, o.asked, "the first is asked at once, the others when it is answered")
	})
}

// One question that cannot be asked is no fault of those that come with it.
func TestOneBadQuestion(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		bad := errors.New("bad question")
		o := oracle{fail: func(questions []int) error {
			if slices.Contains(questions, 2) {
				return bad
			}
			return nil
		}}
		answers, errs := askAll(newGathering(9, o.answer), 4, func(int) context.Context { return t.Context() })
		assert.Equal(t, []error{nil, nil, bad, nil}, errs)
		assert.Equal(t, []string{"answer to 0", "answer to 1", "", "answer to 3"}, answers)
		assert.Equal(t, [][]int{{0}, {1, 2, 3}, {1}, {2}, {3}}, o.asked)
	})
}

// Where the server cannot be reached, nobody tries one by one.
func TestQuestionsToNobody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := oracle{fail: func([]int) error { return io.ErrUnexpectedEOF }}
		_, errs := askAll(newGathering(9, o.answer), 4, func(int) context.Context { return t.Context() })
		for _, err := range errs {
			assert.Error(t, err)
		}
		assert.Equal(t, [][]int{{0}, {1, 2, 3}}, o.asked)
	})
}

// A caller that has no time left goes before it is asked for; one that is being asked for hears what has come of it.
func TestCallersThatLeave(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		short, cancel := context.WithTimeout(t.Context(), 500*time.Millisecond)
		defer cancel()
		later, cancelLater := context.WithTimeout(t.Context(), 1500*time.Millisecond)
		defer cancelLater()
		contexts := []context.Context{t.Context(), short, later, t.Context(), later}
		var o oracle
		answers, errs := askAll(newGathering(9, o.answer), 5, func(i int) context.Context { return contexts[i] })
		require.ErrorIs(t, errs[1], context.DeadlineExceeded, "it waited for its turn")
		assert.Equal(t, []error{nil, nil, nil, nil}, slices.Delete(errs, 1, 2))
		assert.Equal(t, []string{"answer to 0", "", "answer to 2", "answer to 3", "answer to 4"}, answers)
		assert.Equal(t, [][]int{{0}, {2, 3, 4}}, o.asked)
	})
}

// When nobody is left who wants to know, the question is given up.
func TestAllCallersLeave(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		ctx, cancel := context.WithTimeout(t.Context(), 1200*time.Millisecond)
		defer cancel()
		var o oracle
		_, errs := askAll(newGathering(9, o.answer), 4, func(int) context.Context { return ctx })
		assert.NoError(t, errs[0])
		for _, err := range errs[1:] {
			assert.ErrorIs(t, err, context.Canceled)
		}
		assert.Equal(t, 1200*time.Millisecond, time.Since(began))
	})
}

// A panic is its own caller's; the others hear that it is not known what has come of theirs, and the next are asked for.
func TestAGatheringThatPanics(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var o oracle
		o.fail = func(questions []int) error {
			if slices.Contains(questions, 1) {
				panic("in the host")
			}
			return nil
		}
		g := newGathering(2, o.answer)
		answers, errs := make([]string, 5), make([]error, 5)
		var panicked any
		var group sync.WaitGroup
		for i := range 5 {
			group.Go(func() {
				defer func() {
					if v := recover(); v != nil {
						panicked = v
						errs[i] = errors.New("panicked")
					}
				}()
				answers[i], errs[i] = g.do(t.Context(), i)
			})
			synctest.Wait()
		}
		group.Wait()
		assert.Equal(t, "in the host", panicked)
		assert.Equal(t, []string{"answer to 0", "", "", "answer to 3", "answer to 4"}, answers)
		assert.ErrorContains(t, errs[1], "panicked")
		assert.ErrorIs(t, errs[2], dataexport.ErrUnavailable)
	})
}

// Where an answer takes very long, as on a connection that hangs, the next question does not wait for it.
func TestASlowStatementIsOvertaken(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := oracle{takes: time.Minute}
		g := newGathering(2, o.answer)
		began := time.Now()
		answers, _ := askAll(g, 5, func(int) context.Context { return t.Context() })
		assert.NotContains(t, answers, "")
		assert.Equal(t, [][]int{{0}, {1, 2}, {3, 4}}, o.asked)
		assert.Equal(t, time.Minute+2*overtakenAfter, time.Since(began))
		_, err := g.do(t.Context(), 5)
		assert.NoError(t, err)
	})
}
