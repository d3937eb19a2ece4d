package pgstore

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
)

// A crowd is what a database and an engine are to turns: workspaces with jobs, which the engine brings in the order in which
// they came unless it is told what goes before.
type crowd struct {
	turns   turns
	rivals  map[string]*rival
	owners  map[string]string
	queue   []string // jobs in the order in which the engine brings them
	claimed []string // workspaces in the order in which they were served
	waits   int      // how often a job gave way
}

// newCrowd orders jobs, each of a workspace, one after the other.
func newCrowd(workspaces ...string) *crowd {
	c := &crowd{rivals: make(map[string]*rival), owners: make(map[string]string)}
	for i, workspace := range workspaces {
		c.order(fmt.Sprintf("%s %d", workspace, i), workspace)
	}
	return c
}

func (c *crowd) order(id, workspace string) {
	c.owners[id] = workspace
	c.queue = append(c.queue, id)
	r := c.rivals[workspace]
	if r == nil {
		r = &rival{workspace: workspace}
		c.rivals[workspace] = r
	}
	if len(r.waiting) == 0 {
		r.oldest = time.Now()
	}
	r.waiting = append(r.waiting, id)
	time.Sleep(time.Microsecond) // of the bubble: no two at the same instant
}

// known returns the workspaces as the database shows them, without the jobs in hand.
func (c *crowd) known(asked ...string) map[string]*rival {
	inHand := c.turns.jobs()
	known := make(map[string]*rival)
	for workspace, r := range c.rivals {
		shown := *r
		shown.waiting = slices.DeleteFunc(slices.Clone(r.waiting), func(id string) bool {
			return slices.Contains(inHand, id) || slices.Contains(asked, id)
		})
		known[workspace] = &shown
	}
	return known
}

// work has as many workers as are given take what the engine brings, claim it together and end it, until nothing is left.
func (c *crowd) work(workers int) {
	for len(c.queue) > 0 {
		brought := slices.Clone(c.queue[:min(workers, len(c.queue))])
		c.queue = c.queue[len(brought):]
		known := c.known(brought...)
		c.turns.meet(known, true)
		var let, forward, back []string
		for _, id := range brought {
			owner := c.owners[id]
			ahead := c.turns.ahead(id, owner, known)
			i := -1
			for _, other := range ahead {
				if i = slices.Index(c.queue, other); i >= 0 {
					break
				}
			}
			if i < 0 {
				let = append(let, id)
				continue
			}
			c.waits++
			forward = append(forward, c.queue[i])
			c.queue = slices.Delete(c.queue, i, i+1)
			back = append(back, id)
		}
		c.queue = slices.Concat(forward, back, c.queue)
		for _, id := range let {
			r := c.rivals[c.owners[id]]
			c.claimed = append(c.claimed, r.workspace)
			r.servedAt = time.Now()
			r.waiting = slices.DeleteFunc(r.waiting, func(other string) bool { return other == id })
		}
		c.turns.claimed(let)
		time.Sleep(time.Millisecond)
	}
}

func repeat(workspace string, n int) []string { return slices.Repeat([]string{workspace}, n) }

func TestTurnsShareEvenly(t *testing.T) {
	for _, workers := range []int{1, 2, 4, 16} {
		for _, workspaces := range []int{2, 3, 7} {
			t.Run(fmt.Sprintf("%d workers, %d workspaces", workers, workspaces), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					const jobs = 100
					var order []string
					for i := range workspaces {
						order = append(order, repeat(fmt.Sprint("w", i), jobs)...)
					}
					c := newCrowd(order...)
					c.work(workers)
					assert.Len(t, c.claimed, jobs*workspaces)
					half := c.claimed[:len(c.claimed)/2]
					for i := range workspaces {
						served := 0
						for _, workspace := range half {
							if workspace == fmt.Sprint("w", i) {
								served++
							}
						}
						assert.InDelta(t, jobs/2, served, float64(2+workers), "w%d of the first half", i)
					}
				})
			})
		}
	}
}

func TestALateJobWaitsForFew(t *testing.T) {
	for _, workers := range []int{1, 4, 16} {
		synctest.Test(t, func(t *testing.T) {
			c := newCrowd(append(repeat("flood", 500), "late")...)
			c.work(workers)
			assert.LessOrEqual(t, slices.Index(c.claimed, "late"), 1+2*workers)
		})
	}
}

// Where workspaces take turns anyway, though not in a strict order, nobody gives way for nothing.
func TestTurnsLeaveGoodOrderAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		random := rand.New(rand.NewPCG(1, 2))
		var order []string
		for range 20 {
			round := make([]string, 100)
			for i := range round {
				round[i] = fmt.Sprint("w", i)
			}
			for i := range round { // a little out of order
				j := min(len(round)-1, i+random.IntN(8))
				round[i], round[j] = round[j], round[i]
			}
			order = append(order, round...)
		}
		c := newCrowd(order...)
		c.work(16)
		t.Logf("%d of %d gave way", c.waits, len(order))
		assert.Less(t, c.waits, len(order)/20)
	})
}

// A workspace that has nothing to give out, but jobs in work, saves up no turns.
func TestTurnsAreNotSavedUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCrowd(append(repeat("a", 300), "b")...)
		long := c.rivals["b"].waiting // b has one job that takes long
		c.rivals["b"].waiting, c.rivals["b"].held = nil, 1
		c.queue = slices.DeleteFunc(c.queue, func(id string) bool { return id == long[0] })
		c.work(1)
		c.claimed, c.rivals["b"].held = nil, 0
		for i := range 100 {
			c.order(fmt.Sprint("more of a ", i), "a")
			c.order(fmt.Sprint("more of b ", i), "b")
		}
		c.work(1)
		first := slices.DeleteFunc(slices.Clone(c.claimed[:50]), func(workspace string) bool { return workspace == "b" })
		assert.InDelta(t, 25, len(first), 2)
	})
}

// Workspaces that are not listed, since there are too many, do not become new ones.
func TestTurnsOfTheUnlisted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCrowd("a", "b")
		c.turns.meet(c.known(), true)
		for range 5 {
			c.turns.give("of a", hand{workspace: "a"})
		}
		c.turns.meet(map[string]*rival{"b": c.rivals["b"]}, false)
		assert.Equal(t, 5, c.turns.had["a"].turns)
		time.Sleep(rememberedFor)
		c.turns.meet(map[string]*rival{"b": c.rivals["b"]}, false)
		assert.NotContains(t, c.turns.had, "a")
	})
}

// A job that nobody brought is not taken for being in hand for ever.
func TestPromisesEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCrowd("a", "b")
		c.turns.meet(c.known(), true)
		c.turns.give("b 1", hand{workspace: "b", promised: true})
		assert.Equal(t, []string{"b 1"}, c.turns.jobs())
		time.Sleep(inHandFor + 1)
		assert.Empty(t, c.turns.jobs())
	})
}
