// Package storetest checks implementations of dataexport.Store.
//
// A store's own test is one call:
//
//	func TestStore(t *testing.T) {
//		storetest.Run(t, func(t *testing.T) dataexport.Store { return mystore.New(t) })
//	}
//
// The suite compares times that the store has set with each other, never with its own clock. Where it must see something
// expire, it asks the store until it has; what must not have expired is given an hour. So it passes on a slow machine and
// with a store whose clock is another one's.
package storetest

import (
	"testing"
	"testing/synctest"

	"github.com/dataexport/dataexport"
)

// Run checks a store against the whole contract of dataexport.Store, and against those of dataexport.WorkWaiter and
// dataexport.StatsReader if it is one. open returns an empty store that no other test uses, and registers with t.Cleanup what must be closed.
func Run(t *testing.T, open func(t *testing.T) dataexport.Store) {
	t.Helper()
	run(t, open, func(t *testing.T, test func(t *testing.T)) { test(t) })
}

// RunInBubble is Run for a store that lives in memory and whose clock is time.Now: each test runs in a bubble of
// testing/synctest, where waiting takes no time. Such a bubble also finds goroutines that the store leaves behind.
func RunInBubble(t *testing.T, open func(t *testing.T) dataexport.Store) {
	t.Helper()
	run(t, open, synctest.Test)
}

func run(t *testing.T, open func(t *testing.T) dataexport.Store, around func(*testing.T, func(*testing.T))) {
	for _, test := range tests() {
		t.Run(test.name, func(t *testing.T) {
			around(t, func(t *testing.T) {
				test.run(&tester{T: t, store: open(t)})
			})
		})
	}
}

type test struct {
	name string
	run  func(*tester)
}

func tests() []test {
	return []test{
		{"Create/makes a pending job", createMakesPendingJob},
		{"Create/refuses an id that is taken", createRefusesTakenID},
		{"Create/without a key makes a job each time", createWithoutKey},
		{"Create/replays a key", createReplays},
		{"Create/replays a key in every state", createReplaysEveryState},
		{"Create/refuses a key with another fingerprint", createRefusesReusedKey},
		{"Create/replays although the quota is full", createReplaysOverQuota},
		{"Create/keeps the keys of workspaces apart", createKeysOfWorkspaces},
		{"Create/does not reveal personal jobs by their key", createKeysOfPersonalJobs},
		{"Create/frees the key of a deleted job", createFreesKey},
		{"Create/makes one job of a race", createRace},
		{"Create/bounds the active jobs", createBoundsActive},
		{"Create/bounds the active jobs in a race", createBoundsActiveInRace},
		{"Create/bounds the ready jobs", createBoundsReady},
		{"Create/does not count expired jobs as ready", createDoesNotCountExpired},
		{"Create/counts all subjects and no other workspace", createCountsSubjects},

		{"Visible/own workspace", visibleInWorkspace},
		{"Visible/personal", visiblePersonal},
		{"Visible/unknown ids", visibleUnknownIDs},
		{"Visible/workspaces with similar names", visibleSimilarNames},

		{"List/empty", listEmpty},
		{"List/order and pages", listPages},
		{"List/filters", listFilters},
		{"List/total counts what the scope sees", listTotals},

		{"Delete/in every state", deleteEveryState},
		{"Delete/of a job that the scope does not see", deleteInvisible},
		{"Delete/once in a race", deleteRace},

		{"Claim/nothing there", claimNothing},
		{"Claim/holds the job", claimHolds},
		{"Claim/by id", claimByID},
		{"Claim/not what has ended", claimEnded},
		{"Claim/after the lease", claimAfterLease},
		{"Claim/after the delay", claimAfterDelay},
		{"Claim/each version once", claimEachVersionOnce},
		{"Claim/each job once", claimEachJobOnce},

		{"Fairness/oldest job of a workspace", fairOldestJob},
		{"Fairness/fewest held jobs", fairFewestHeld},
		{"Fairness/a lapsed lease does not count as held", fairLapsedLease},
		{"Fairness/longest unserved", fairLongestUnserved},
		{"Fairness/claims by id count as served", fairClaimByID},
		{"Fairness/remembers beyond deletion", fairBeyondDeletion},
		{"Fairness/oldest job among the unserved", fairOldestAmongUnserved},
		{"Fairness/as the model", fairAsModel},

		{"Update/writes its fields and no others", updateFields},
		{"Update/refuses another version", updateConflict},
		{"Update/of a job that is gone", updateGone},
		{"Update/one wins a race", updateRace},
		{"Update/renews a lease", updateRenews},
		{"Update/renews a lapsed lease that nobody took", updateRenewsLapsed},
		{"Update/hands a job back", updateHandsBack},
		{"Update/completes a job", updateCompletes},
		{"Update/fails a job", updateFails},
		{"Update/records the sweep", updateSweep},

		{"Expiry/by the clock, however it is read", expiryByClock},

		{"Due/nothing in sight", dueNothing},
		{"Due/files", dueFiles},
		{"Due/failed jobs", dueFailed},
		{"Due/expired jobs", dueExpired},
		{"Due/first in sight", dueFirstInSight},
		{"Due/order", dueOrder},
		{"Due/limit", dueLimit},
		{"Due/limit of one kind", dueLimitOfOneKind},

		{"Fields/round trip", roundTrip},
		{"Fields/strange text", roundTripStrangeText},
		{"Fields/times", roundTripTimes},
		{"Fields/what is returned is the caller's", roundTripAliasing},
		{"Context/nothing changes after its error", contextDone},

		{"StatsReader/counts", statsCounts},
		{"StatsReader/tells how long a job waits", statsWaiting},

		{"WorkWaiter/wakes for a new job", waitNewJob},
		{"WorkWaiter/wakes for a job that was handed back", waitHandedBack},
		{"WorkWaiter/misses nothing between two calls", waitBetweenCalls},
		{"WorkWaiter/returns the error of its context", waitContext},
	}
}
