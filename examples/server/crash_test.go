//go:build unix

package main

import (
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dataexport/dataexport"
)

// These tests kill processes with SIGKILL and look at what others make of what is left. Those in this file kill at exact
// calls of the store and the files; crash_server_test.go kills the whole server at any moment.

const crashMaxAttempts = 3

// A step runs one process. It is killed at an event, or else it works until all jobs have ended, and is stopped.
type step struct {
	at    string // the event, such as "after Blobs.Put", or empty
	nth   int    // which time, 0 and 1 being the first
	role  childRole
	hold  bool // its exports stop at their first write until the process is told to stop
	stop  bool // it is told to stop once an export is held
	fail  bool // its exports cannot be written
	pause bool // it is not killed but paused
}

// An outcome is what becomes of the first job. The others become READY at their first attempt.
type outcome struct {
	status   dataexport.Status // empty if the job is gone
	attempts int
}

var (
	firstAttempt  = outcome{dataexport.StatusReady, 1}
	secondAttempt = outcome{dataexport.StatusReady, 2}
	thirdAttempt  = outcome{dataexport.StatusReady, 3}
	failed        = outcome{dataexport.StatusFailed, crashMaxAttempts}
	gone          = outcome{}
)

// killedAtPut is a process that leaves a committed file and no READY job.
var killedAtPut = step{at: "after Blobs.Put"}

// done is a process that is not killed.
var done = step{}

// TestKilledAtExactPoints kills one process after the other, lets a last one work in peace, and demands: every job has
// ended as it must, and was counted as many attempts; its file is the one that an undisturbed export makes; there is no
// other file and no empty directory; and ordering again makes no new job.
func TestKilledAtExactPoints(t *testing.T) {
	t.Parallel()
	data := newCrashDatabase(t, 1300)
	for _, test := range []struct {
		name  string
		jobs  int
		steps []step
		want  outcome
	}{
		// One attempt, from its beginning to its end.
		{"queued", 3, []step{{at: "before Store.Claim"}}, firstAttempt},
		{"claimed", 3, []step{{at: "after Store.Claim"}}, secondAttempt},
		{"file not begun", 3, []step{{at: "before Blobs.Put"}}, secondAttempt},
		{"file empty", 3, []step{{at: "before Write"}}, secondAttempt},
		{"file begun", 3, []step{{at: "in Write"}}, secondAttempt},
		{"file in the middle", 3, []step{{at: "in Write", nth: 2}}, secondAttempt},
		{"file not committed", 3, []step{{at: "before commit"}}, secondAttempt},
		{"file committed", 3, []step{{at: "after Blobs.Put"}}, secondAttempt},
		{"before READY", 3, []step{{at: "before Store.Update READY"}}, secondAttempt},
		{"after READY", 3, []step{{at: "after Store.Update READY"}}, firstAttempt},
		{"second job claimed", 3, []step{{at: "after Store.Update READY", nth: 2}}, firstAttempt},
		{"before a renewal", 3, []step{{at: "before Store.Update PROCESSING", hold: true}}, secondAttempt},
		{"after a renewal", 3, []step{{at: "after Store.Update PROCESSING", hold: true}}, secondAttempt},

		// Attempts that end without a file.
		{"before a retry", 1, []step{{at: "before Store.Update PENDING", fail: true}}, secondAttempt},
		{"after a retry", 1, []step{{at: "after Store.Update PENDING", fail: true}}, secondAttempt},
		{"before handing back", 1, []step{{at: "before Store.Update PENDING", hold: true, stop: true}}, secondAttempt},
		{"after handing back", 1, []step{{at: "after Store.Update PENDING", hold: true, stop: true}}, firstAttempt},

		// What an attempt before has left behind.
		{"twice", 1, []step{{at: "in Write", nth: 2}, killedAtPut}, thirdAttempt},
		{"READY, leftover", 1, []step{killedAtPut, {at: "after Store.Update READY"}}, secondAttempt},
		{"READY, before removing", 1, []step{killedAtPut, {at: "before Blobs.Delete"}}, secondAttempt},
		{"READY, after removing", 1, []step{{at: "in Write"}, {at: "after Blobs.Delete"}}, secondAttempt},
		{"orphan looked up", 1, []step{killedAtPut, {at: "after Store.Update READY"}, {at: "after Store.Find"}}, secondAttempt},
		{"orphan not removed", 1, []step{killedAtPut, {at: "after Store.Update READY"}, {at: "before Blobs.Delete"}}, secondAttempt},
		{"orphan removed", 1, []step{killedAtPut, {at: "after Store.Update READY"}, {at: "after Blobs.Delete"}}, secondAttempt},

		// All attempts are used up.
		{"given up", 1, []step{killedAtPut, {at: "in Write"}, {at: "after Store.Claim"}}, failed},
		{"before FAILED", 1, []step{killedAtPut, killedAtPut, killedAtPut, {at: "before Store.Update FAILED"}}, failed},
		{"after FAILED", 1, []step{killedAtPut, killedAtPut, killedAtPut, {at: "after Store.Update FAILED"}}, failed},
		{"FAILED, removing", 1, []step{killedAtPut, killedAtPut, killedAtPut, {at: "after Blobs.Delete", nth: 2}}, failed},

		// The user deletes the job.
		{"before deleting", 2, []step{done, {role: deleting, at: "before Store.Delete"}}, firstAttempt},
		{"deleted, file not", 2, []step{done, {role: deleting, at: "after Store.Delete"}}, gone},
		{"deleted, before the file", 2, []step{done, {role: deleting, at: "before Blobs.Delete"}}, gone},
		{"deleted", 2, []step{done, {role: deleting, at: "after Blobs.Delete"}}, gone},
		{"deleted half done", 1, []step{{at: "in Write"}, {role: deleting, at: "after Store.Delete"}}, gone},
		{"deleted, orphan removed", 1, []step{done, {role: deleting, at: "after Store.Delete"}, {at: "after Blobs.Delete"}}, gone},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			h := newCrashHost(t, data)
			for i := range test.jobs {
				h.order(i)
			}
			for _, s := range test.steps {
				h.run(s)
			}
			h.finish(test.want)
		})
	}
}

// TestPausedPastItsLease pauses a process until another one has taken its job over and is done. When it goes on, it must
// change neither the job nor the file. It cannot know by its clock, which has stood still with it: such is a machine that was
// suspended.
func TestPausedPastItsLease(t *testing.T) {
	t.Parallel()
	data := newCrashDatabase(t, 1300)
	for _, s := range []step{
		{at: "after Store.Claim"},
		{at: "in Write"},
		{at: "before commit"},
		{at: "after Blobs.Put"},
		{at: "before Store.Update READY"},
		{at: "before Store.Update PROCESSING", hold: true},
		{at: "before Store.Update PENDING", fail: true},
	} {
		t.Run(s.at, func(t *testing.T) {
			t.Parallel()
			s.pause = true
			h := newCrashHost(t, data)
			h.order(0)
			paused := h.startChild(s)
			paused.waitForEvent()
			h.endLeases()
			h.run(done)
			require.NoError(t, paused.command.Process.Signal(syscall.SIGCONT))
			paused.stop()
			h.finish(secondAttempt)
		})
	}
}

// TestKilledBetweenFileAndDirectory is about a kill inside fileblob, where this test can put nothing in between: the last
// file of a job is removed and its directory is not, or the directory is made and no file. It makes what is then left.
func TestKilledBetweenFileAndDirectory(t *testing.T) {
	t.Parallel()
	data := newCrashDatabase(t, 10)
	h := newCrashHost(t, data)
	h.order(0)
	h.run(done)
	h.run(step{role: deleting, at: "after Blobs.Delete"})
	require.NoError(t, os.Mkdir(filepath.Join(h.files(), h.ids[0]), 0o700))
	h.finish(gone)
}

// TestKilledWhileSweeping kills the process that cleans up after its own exports, whose files and jobs live for moments.
func TestKilledWhileSweeping(t *testing.T) {
	t.Parallel()
	data := newCrashDatabase(t, 10)
	const moment, long = 300 * time.Millisecond, time.Hour
	for _, test := range []struct {
		name string
		keep time.Duration // how long jobs stay
		at   string
		left int // how many jobs there are in the end
	}{
		{"file expired", long, "before Blobs.Delete", 1},
		{"file removed", long, "after Blobs.Delete", 1},
		{"before the note", long, "before Store.Update EXPIRED", 1},
		{"after the note", long, "after Store.Update EXPIRED", 1},
		{"job too old", moment, "before Store.Delete", 0},
		{"job removed", moment, "after Store.Delete", 0},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			h := newCrashHost(t, data)
			h.retention, h.keep = moment, test.keep
			h.order(0)
			h.run(step{at: test.at})
			last := h.startChild(done)
			h.observe(func(service *dataexport.Service) {
				waitFor(t, time.Minute, "the job and its file to be swept", func() bool {
					page, total, err := service.List(t.Context(), crashScope, dataexport.ListQuery{Limit: 10})
					require.NoError(t, err)
					swept := total == test.left && len(tree(t, h.files())) == 0
					return swept && (total == 0 || page[0].Status == dataexport.StatusExpired && page[0].BlobKey == "")
				})
			})
			last.stop()
		})
	}
}

// TestKilledWhileOrdering kills the process that takes an order, before its answer. The customer, who knows nothing,
// orders again.
func TestKilledWhileOrdering(t *testing.T) {
	t.Parallel()
	data := newCrashDatabase(t, 10)
	for at, taken := range map[string]bool{"before Store.Create": false, "after Store.Create": true} {
		t.Run(at, func(t *testing.T) {
			t.Parallel()
			h := newCrashHost(t, data)
			h.run(step{role: ordering, at: at})
			assert.Equal(t, taken, h.order(0))
			h.finish(firstAttempt)
		})
	}
}

// finish starts a process that is not killed and checks what it makes of everything.
func (h *crashHost) finish(first outcome) {
	t := h.t
	t.Helper()
	last := h.startChild(done)
	h.observe(func(service *dataexport.Service) {
		h.waitForEnd(service)
		var want []string
		for i, id := range h.ids {
			expected := firstAttempt
			if i == 0 {
				expected = first
			}
			if expected == gone {
				_, err := service.Get(t.Context(), crashScope, id)
				require.ErrorIs(t, err, dataexport.ErrNotFound)
				continue
			}
			j := h.checkJob(service, i, expected)
			if j.BlobKey != "" {
				want = append(want, j.ID+"/", j.BlobKey+"+blob")
			}
			again, replayed := h.create(service, i)
			assert.True(t, replayed, "ordering again makes no new job")
			assert.Equal(t, id, again.ID)
		}
		waitFor(t, 30*time.Second, "the files of READY jobs, and no others", func() bool {
			return assert.ObjectsAreEqual(want, tree(t, h.files()))
		}, func() string { return fmt.Sprintf("want %q, got %q", want, tree(t, h.files())) })
		_, total, err := service.List(t.Context(), crashScope, dataexport.ListQuery{Limit: 1})
		require.NoError(t, err)
		jobs := len(h.ids)
		if first == gone {
			jobs--
		}
		assert.Equal(t, jobs, total)
	})
	last.stop()
}
