package pgstore

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
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
	looks   int      // how often the database was asked for all rivals
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
	r.waiting = append(r.waiting, waitingJob{id: id, since: time.Now()})
	time.Sleep(time.Microsecond) // of the bubble: no two at the same instant
}

// ahead asks for a job, and looks at the workspaces as the database shows them, without the jobs in hand and those that are
// brought with it, if that is due. It takes a tenth of a millisecond for each.
func (c *crowd) ahead(id string, brought []string) []string {
	job := ownedJob{id: id, workspace: c.owners[id]}
	if ids, decided := c.turns.ahead(job, false); decided {
		return ids
	}
	c.look(brought...)
	ids, _ := c.turns.ahead(job, true)
	return ids
}

func (c *crowd) look(brought ...string) {
	c.looks++
	excluded := append(c.turns.jobs(), brought...)
	known := make(map[string]*rival)
	for workspace, r := range c.rivals {
		shown := *r
		shown.waiting = slices.DeleteFunc(slices.Clone(r.waiting), func(job waitingJob) bool { return slices.Contains(excluded, job.id) })
		shown.waiting = shown.waiting[:min(aheadMost, len(shown.waiting))]
		shown.more = len(shown.waiting) == aheadMost
		known[workspace] = &shown
	}
	c.turns.meet(known, true, 100*time.Microsecond*time.Duration(len(known)))
}

// work has as many workers as are given take what the engine brings, claim it together and end it, until nothing is left.
func (c *crowd) work(workers int) {
	for len(c.queue) > 0 {
		brought := slices.Clone(c.queue[:min(workers, len(c.queue))])
		c.queue = c.queue[len(brought):]
		var let, forward, back []string
		for _, id := range brought {
			ahead := c.ahead(id, brought)
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
			r.waiting = slices.DeleteFunc(r.waiting, func(other waitingJob) bool { return other.id == id })
			c.turns.claimed(ownedJob{id: id, workspace: r.workspace})
		}
		time.Sleep(time.Millisecond)
	}
}

func repeat(workspace string, n int) []string { return slices.Repeat([]string{workspace}, n) }

func TestTurnsShareEvenly(t *testing.T) {
	for _, workers := range []int{1, 2, 4, 16} {
		for _, workspaces := range []int{2, 3, 7, 20} {
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
					t.Logf("%d gave way, %d looks", c.waits, c.looks)
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
		t.Logf("%d of %d gave way, %d looks at all workspaces", c.waits, len(order), c.looks)
		assert.Less(t, c.waits, len(order)/20)
		assert.Less(t, c.looks, len(order)/16/3, "where many have jobs, not all are looked at each time")
	})
}

// A workspace that has nothing to give out, but jobs in work, saves up no turns.
func TestTurnsAreNotSavedUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCrowd(append(repeat("a", 300), "b")...)
		long := c.rivals["b"].waiting // b has one job that takes long
		c.rivals["b"].waiting, c.rivals["b"].held = nil, 1
		c.queue = slices.DeleteFunc(c.queue, func(id string) bool { return id == long[0].id })
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
		c.look()
		for range 5 {
			c.turns.count("a", 1)
		}
		c.turns.meet(map[string]*rival{"b": c.rivals["b"]}, false, 0)
		assert.Equal(t, 5, c.turns.had["a"].turns)
		time.Sleep(rememberedFor)
		c.turns.meet(map[string]*rival{"b": c.rivals["b"]}, false, 0)
		assert.NotContains(t, c.turns.had, "a")
	})
}

// A job that nobody brought is not taken for being in hand for ever.
func TestPromisesEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCrowd("a", "b")
		c.look()
		c.turns.takeInHand("b 1", hand{workspace: "b", promised: true})
		c.turns.letGo(ownedJob{id: "a 0", workspace: "a"})
		assert.ElementsMatch(t, []string{"a 0", "b 1"}, c.turns.jobs())
		time.Sleep(promisedFor + 1)
		assert.Equal(t, []string{"a 0"}, c.turns.jobs())
		time.Sleep(letGoFor)
		assert.Empty(t, c.turns.jobs())
		assert.Zero(t, c.turns.had["b"].turns, "it did not have the turn")
	})
}

// What this process does to jobs is known without another look at the database.
func TestTurnsKnowOwnChangesAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCrowd(append(repeat("a", 4), "b")...)
		ask := func(id string) []string {
			ids, decided := c.turns.ahead(ownedJob{id: id, workspace: c.owners[id]}, false)
			require.True(t, decided)
			return ids
		}
		c.look()
		c.turns.deleted(ownedJob{id: "b 4", workspace: "b"})
		for _, id := range []string{"a 0", "a 1", "a 2"} {
			assert.Empty(t, ask(id), "b has nothing to give out any more")
		}
		c.turns.had["a"] = record{turns: 5, latest: time.Now().Add(time.Hour)}
		c.turns.had["new"] = record{turns: 1}
		c.turns.ordered(ownedJob{id: "first of new", workspace: "new"}, time.Now())
		c.turns.ordered(ownedJob{id: "second of new", workspace: "new"}, time.Now())
		assert.Equal(t, []string{"first of new", "second of new"}, ask("a 3"))

		time.Sleep(time.Second)
		_, decided := c.turns.ahead(ownedJob{id: "a 3", workspace: "a"}, false)
		assert.False(t, decided, "it is time for another look")
	})
}

// Only so many jobs of a workspace are known. If it may go first and has none of them left, it must be looked at again.
func TestTurnsLookForMore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCrowd(append(repeat("a", 4), repeat("b", 2*aheadMost)...)...)
		c.look()
		c.turns.had["a"] = record{turns: 9, latest: time.Now().Add(time.Hour)}
		c.turns.rivals["b"].waiting = nil
		_, decided := c.turns.ahead(ownedJob{id: "a 0", workspace: "a"}, false)
		assert.False(t, decided)
		ids, decided := c.turns.ahead(ownedJob{id: "b 4", workspace: "b"}, false)
		assert.True(t, decided, "b itself gives way to nobody")
		assert.Empty(t, ids)
	})
}

// A job that was to give way and goes all the same has had a turn.
func TestTurnsOfThoseWhoDoNotWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCrowd("a", "a", "a", "b")
		c.look()
		c.turns.claimed(ownedJob{id: "a 0", workspace: "a"})
		c.turns.claimed(ownedJob{id: "a 1", workspace: "a"})
		assert.Equal(t, 2, c.turns.had["a"].turns)
		assert.Equal(t, []string{"b 3"}, c.ahead("a 2", nil))
		c.turns.claimed(ownedJob{id: "b 3", workspace: "b"})
		assert.Equal(t, 1, c.turns.had["b"].turns, "it was promised, and is counted once")
	})
}

// Who comes after others have worked for long begins where they are, also while none of them has a job to give out.
func TestNewcomersBeginWhereOthersAre(t *testing.T) {
	for name, rivals := range map[string]map[string]*rival{
		"others have jobs":         {"a": {workspace: "a", waiting: []waitingJob{{id: "of a"}}}},
		"others may have jobs":     {"a": {workspace: "a", more: true}},
		"others have none to give": {"a": {workspace: "a"}},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var turns turns
				turns.meet(rivals, true, time.Second)
				turns.count("a", 100)
				turns.ordered(ownedJob{id: "of b", workspace: "b"}, time.Now())
				assert.Equal(t, 100, turns.had["b"].turns, "known from this process")
				again := map[string]*rival{"a": rivals["a"], "b": {workspace: "b"}, "c": {workspace: "c", waiting: []waitingJob{{id: "of c"}}}}
				turns.meet(again, true, time.Second)
				assert.Equal(t, 100, turns.had["c"].turns, "known from the database")
			})
		})
	}
}

// Who lets its turns pass does not save up all of them.
func TestTurnsThatPass(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCrowd("a", "lost")
		c.look()
		c.turns.count("a", 100)
		c.look()
		assert.Equal(t, 100-turnsSaved, c.turns.had["lost"].turns)
	})
}

// A job that asks again, since its engine did not hear the answer, has no second turn.
func TestTurnsOfJobsThatAskAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCrowd("a", "b")
		for range 3 {
			assert.Empty(t, c.ahead("a 0", nil))
		}
		assert.Equal(t, 1, c.turns.had["a"].turns)
		time.Sleep(letGoFor + 1)
		assert.Empty(t, c.ahead("a 0", nil))
		assert.Equal(t, 2, c.turns.had["a"].turns)
	})
}

// A job that could not be claimed has taken no turn from its workspace.
func TestTurnsOfJobsThatAreGone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCrowd("a", "a", "b")
		assert.Empty(t, c.ahead("a 0", nil))
		assert.Equal(t, 1, c.turns.had["a"].turns)
		c.turns.refused("a 0")
		assert.Zero(t, c.turns.had["a"].turns)
		assert.Empty(t, c.turns.jobs())
		c.turns.refused("a 0")
		assert.Zero(t, c.turns.had["a"].turns)

		assert.Empty(t, c.ahead("a 1", nil))
		c.turns.claimed(ownedJob{id: "a 1", workspace: "a"})
		c.turns.refused("a 1") // a second River job of the same export
		assert.Equal(t, 1, c.turns.had["a"].turns)
	})
}

// What is held follows the claims of this process, between one look and the next.
func TestTurnsKnowWhatIsHeld(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCrowd("a", "a", "a", "b")
		c.look()
		for _, id := range []string{"a 0", "a 1"} {
			c.turns.letGo(ownedJob{id: id, workspace: "a"})
			c.turns.claimed(ownedJob{id: id, workspace: "a"})
		}
		c.turns.had["a"] = record{}
		ids, decided := c.turns.ahead(ownedJob{id: "a 2", workspace: "a"}, false)
		assert.True(t, decided)
		assert.Equal(t, []string{"b 3"}, ids, "a has two jobs in work and b has none, whatever the turns")
		c.turns.refused("b 3")
		c.turns.rivals["b"].waiting = []waitingJob{{id: "b 3"}}
		c.turns.released("a")
		ids, _ = c.turns.ahead(ownedJob{id: "a 2", workspace: "a"}, false)
		assert.Empty(t, ids, "one more is not enough")
		c.turns.released("a")
		c.turns.released("a")
		assert.Zero(t, c.turns.rivals["a"].held)
	})
}

// Where there are too many workspaces to know all, one that is not known is looked at before anything is decided on it; and so is one that is
// new.
func TestTurnsOfUnknownWorkspaces(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, all := range []bool{false, true} {
			c := newCrowd("a", "b")
			c.turns.meet(c.rivals, all, time.Second)
			_, decided := c.turns.ahead(ownedJob{id: "of c", workspace: "c"}, false)
			assert.False(t, decided)
			ids, decided := c.turns.ahead(ownedJob{id: "of c", workspace: "c"}, true)
			assert.True(t, decided)
			assert.Empty(t, ids, "it has no active jobs")
			assert.Empty(t, c.turns.jobs())
		}
	})
}

// New jobs are listed once, if they are not in hand already, and not more of them than the database would list.
func TestTurnsListFewJobs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCrowd("a", "b")
		c.look()
		c.turns.letGo(ownedJob{id: "fast", workspace: "b"})
		c.turns.ordered(ownedJob{id: "fast", workspace: "b"}, time.Now())
		c.turns.ordered(ownedJob{id: "b 1", workspace: "b"}, time.Now())
		for i := range 2 * aheadMost {
			c.turns.ordered(ownedJob{id: fmt.Sprint("new ", i), workspace: "b"}, time.Now())
		}
		b := c.turns.rivals["b"]
		assert.Len(t, b.waiting, aheadMost)
		assert.True(t, b.more)
		assert.Equal(t, "b 1", b.waiting[0].id)
		assert.Equal(t, "new 0", b.waiting[1].id)
	})
}

// What was let go while the database was being looked at is not listed.
func TestTurnsDuringALook(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCrowd("a", "b", "b")
		c.look()
		seen := c.turns.rivals // by a look that began before
		c.turns.letGo(ownedJob{id: "b 1", workspace: "b"})
		c.turns.meet(seen, true, time.Millisecond)
		assert.False(t, c.turns.rivals["b"].lists("b 1"))
		assert.True(t, c.turns.rivals["b"].lists("b 2"))
	})
}

// Others than this process may have given a workspace its latest job.
func TestTurnsKnowWhoWasServedElsewhere(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ask := func(servedAt time.Time) []string {
			c := newCrowd("a", "b")
			c.rivals["a"].servedAt = servedAt
			c.look()
			c.turns.had["a"] = record{turns: 9, latest: time.Now().Add(-time.Hour)}
			ids, _ := c.turns.ahead(ownedJob{id: "a 0", workspace: "a"}, false)
			return ids
		}
		assert.Empty(t, ask(time.Time{}), "b has come after the latest turn of a here")
		assert.Equal(t, []string{"b 1"}, ask(time.Now().Add(time.Hour)))
	})
}

// Who has clearly fewer jobs in work does not give way, however many turns it has had.
func TestTurnsOfThoseWithFewInWork(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCrowd("a", "b")
		c.rivals["b"].held = 2
		c.look()
		c.turns.had["a"] = record{turns: 9, latest: time.Now()}
		ids, _ := c.turns.ahead(ownedJob{id: "a 0", workspace: "a"}, false)
		assert.Empty(t, ids)
		c.turns.refused("a 0")
		c.turns.rivals["b"].held = 1
		ids, _ = c.turns.ahead(ownedJob{id: "a 0", workspace: "a"}, false)
		assert.Equal(t, []string{"b 1"}, ids)
	})
}

// Who was promised a turn has as good as had it: the next goes to another.
func TestPromisesCount(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCrowd("a", "a", "b", "b", "c")
		c.look()
		c.turns.had["a"] = record{turns: 9, latest: time.Now()}
		c.turns.had["b"], c.turns.had["c"] = record{turns: 3}, record{turns: 3}
		c.turns.rivals["c"].held = 1 // so that only turns speak for it
		assert.Equal(t, []string{"b 2", "b 3"}, c.ahead("a 0", nil))
		c.turns.had["a"] = record{turns: 9, latest: time.Now()}
		assert.Equal(t, []string{"c 4"}, c.ahead("a 1", nil))
	})
}
