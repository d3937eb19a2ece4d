package riverqueue_test

import (
	"io"
	"testing"
	"time"

	"github.com/riverqueue/river"
	"github.com/riverqueue/river/rivertype"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dataexport/dataexport"
	"github.com/dataexport/dataexport/queue/riverqueue"
)

// crash has the River job of an export look as if its worker had died.
func (w *world) crash(id string) {
	w.t.Helper()
	w.exec(`UPDATE river_job SET state = 'running', attempt = 1, attempted_at = now() - interval '1 hour', attempted_by = '{dead}',
		finalized_at = NULL WHERE args ->> 'export_id' = $1`, id)
}

func TestALostRiverJobIsInsertedAgain(t *testing.T) {
	for _, state := range []rivertype.JobState{"", rivertype.JobStateCompleted, rivertype.JobStateDiscarded} {
		t.Run("state "+string(state), func(t *testing.T) {
			w := newWorld(t, setting{})
			job := w.create("acme")
			if state == "" {
				w.exec("DELETE FROM river_job")
			} else {
				w.exec("UPDATE river_job SET state = $1, finalized_at = now()", state)
			}
			w.run()
			w.untilStatus(job.ID, dataexport.StatusReady)
			w.until("the new River job should be completed", func() bool {
				jobs := w.riverJobs(job.ID)
				return jobs[len(jobs)-1].State == rivertype.JobStateCompleted
			})
			assert.Contains(t, w.log.String(), "an export had no River job and gets another")
		})
	}
}

func TestAnExportThatWaitsInRiverGetsNoSecondJob(t *testing.T) {
	w := newWorld(t, setting{options: func(o *riverqueue.Options) { o.Workers = 1 }})
	waiting := w.sources.block(nil)
	w.create("acme")
	w.run()
	<-waiting // and so keeps the only worker
	job := w.create("acme")
	for range 2 {
		w.untilSweep("lost")
	}
	assert.Equal(t, rivertype.JobStateAvailable, w.riverJob(job.ID).State)
	assert.NotContains(t, w.log.String(), "an export had no River job")
}

// pause has no jobs of a queue fetched any more. The queue must be worked on: River notes it down then.
func (w *world) pause(queue string) {
	w.t.Helper()
	w.until("the queue should be paused", func() bool { return w.client.QueuePause(w.t.Context(), queue, nil) == nil })
}

// untilSweep waits until one more sweep has been made.
func (w *world) untilSweep(task string) {
	w.t.Helper()
	count := func() (n int) {
		err := w.pool.QueryRow(w.t.Context(), `SELECT count(*) FROM river_job
			WHERE kind = 'dataexport.sweep' AND args ->> 'task' = $1 AND state = 'completed'`, task).Scan(&n)
		require.NoError(w.t, err)
		return n
	}
	before := count()
	w.until("there should be a sweep", func() bool { return count() > before })
}

func TestTheExportOfACrashedWorkerIsDoneByAnother(t *testing.T) {
	w := newWorld(t, setting{})
	job := w.create("acme")
	_, err := w.store.Claim(t.Context(), dataexport.ClaimOptions{ID: job.ID, Lease: time.Millisecond})
	require.NoError(t, err)
	w.crash(job.ID)
	w.run()

	assert.Equal(t, 2, w.untilStatus(job.ID, dataexport.StatusReady).Attempts)
	done := w.untilRiver(job.ID, rivertype.JobStateCompleted)
	require.Len(t, done.Errors, 1)
	assert.Contains(t, done.Errors[0].Error, "the worker was lost")
	assert.Equal(t, 1, done.Attempt)
}

// The worker died between the end of the export and that of the River job.
func TestARiverJobOfAnEndedExportIsCompleted(t *testing.T) {
	w := newWorld(t, setting{})
	job, deleted := w.create("acme"), w.create("acme")
	_, err := w.Runner().RunJob(t.Context(), job.ID)
	require.NoError(t, err)
	require.NoError(t, w.Delete(t.Context(), deleted.Scope, deleted.ID))
	w.crash(job.ID)
	w.crash(deleted.ID)
	w.run()
	w.untilRiver(job.ID, rivertype.JobStateCompleted)
	w.untilRiver(deleted.ID, rivertype.JobStateCancelled)
	assert.Len(t, w.sources.order(), 1)
}

// An operator has cancelled the job, and then the worker died.
func TestTheCancelledExportOfACrashedWorkerFails(t *testing.T) {
	w := newWorld(t, setting{})
	job := w.create("acme")
	w.crash(job.ID)
	_, err := w.client.JobCancel(t.Context(), w.riverJob(job.ID).ID)
	require.NoError(t, err)
	w.run()
	assert.Equal(t, "CANCELLED", w.untilStatus(job.ID, dataexport.StatusFailed).Error.Code)
	assert.Equal(t, rivertype.JobStateCancelled, w.riverJob(job.ID).State)
}

// The lease is what tells whether a worker lives, and not how long River's job has been running.
func TestAnExportThatIsHeldIsLeftAlone(t *testing.T) {
	w := newWorld(t, setting{})
	waiting := w.sources.block(nil)
	job := w.create("acme")
	w.run()
	<-waiting
	w.exec("UPDATE river_job SET attempted_at = now() - interval '1 day' WHERE kind = 'dataexport.export'")
	for range 2 {
		w.untilSweep("lost")
	}
	assert.Equal(t, rivertype.JobStateRunning, w.riverJob(job.ID).State)
	assert.Equal(t, 1, w.find(job.ID).Attempts)
}

// Two workers can come to have the same export, and the second leaves it alone.
func TestAnExportThatAnotherWorkerHoldsIsSnoozed(t *testing.T) {
	w := newWorld(t, setting{})
	job := w.create("acme")
	held, err := w.store.Claim(t.Context(), dataexport.ClaimOptions{ID: job.ID, Lease: time.Minute})
	require.NoError(t, err)
	w.run()
	river := w.untilRiver(job.ID, rivertype.JobStateScheduled)
	assert.WithinDuration(t, held.HeldUntil, river.ScheduledAt, 10*time.Second)
	assert.Empty(t, w.sources.order())
}

func TestExpiredFilesAreSwept(t *testing.T) {
	w := newWorld(t, setting{config: func(c *dataexport.Config) { c.Retention = 500 * time.Millisecond }})
	job := w.create("acme")
	w.run()
	w.until("the file should be removed", func() bool {
		found := w.find(job.ID)
		return found.Status == dataexport.StatusExpired && found.BlobKey == ""
	})
}

func TestOrphansAreSwept(t *testing.T) {
	w := newWorld(t, setting{})
	key := "01890000-0000-7000-8000-000000000000/1"
	require.NoError(t, w.putBlob(key))
	w.run()
	w.until("the orphan should be removed", func() bool {
		_, err := w.blobs.Open(t.Context(), key)
		return err != nil
	})
}

// River's leader inserts one sweep of each kind in each interval, however many clients there are.
func TestSweepsAreNotPiledUp(t *testing.T) {
	w := newWorld(t, setting{})
	stop := w.run()
	w.pause("dataexport_sweep")
	w.until("sweeps should be inserted", func() bool {
		page, err := w.client.JobList(t.Context(), river.NewJobListParams().Kinds("dataexport.sweep"))
		require.NoError(t, err)
		return len(page.Jobs) >= 3
	})
	stop()
	var most int
	require.NoError(t, w.pool.QueryRow(t.Context(), `SELECT max(n) FROM (
		SELECT count(*) AS n FROM river_job WHERE kind = 'dataexport.sweep' GROUP BY args, date_trunc('second', scheduled_at)) AS c`).Scan(&most))
	assert.Equal(t, 1, most)
}

func (w *world) putBlob(key string) error {
	return w.blobs.Put(w.t.Context(), key, dataexport.Format{}, func(out io.Writer) error {
		_, err := io.WriteString(out, "left behind")
		return err
	})
}
