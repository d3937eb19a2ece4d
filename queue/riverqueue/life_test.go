package riverqueue_test

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"time"

	"github.com/riverqueue/river/rivertype"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dataexport/dataexport"
	"github.com/dataexport/dataexport/memory"
	"github.com/dataexport/dataexport/queue/riverqueue"
)

func TestAnExportBecomesReady(t *testing.T) {
	w := newWorld(t, setting{})
	job := w.create("acme")

	river := w.riverJob(job.ID)
	assert.Equal(t, rivertype.JobStateAvailable, river.State)
	assert.Equal(t, "dataexport", river.Queue)
	assert.JSONEq(t, `{"export_id":"`+job.ID+`"}`, string(river.EncodedArgs), "nothing personal")
	assert.Equal(t, "acme", valueOf(t, river, "workspace"))
	assert.NotContains(t, string(river.Metadata), "ana")

	w.run()
	ready := w.untilStatus(job.ID, dataexport.StatusReady)
	assert.Equal(t, 1, ready.Attempts)
	assert.Contains(t, w.content(ready), `"m1"`)
	river = w.untilRiver(job.ID, rivertype.JobStateCompleted)
	assert.Equal(t, map[string]any{"status": "READY", "attempts": 1.}, valueOf(t, river, "output"))
}

// A failed attempt is a snooze: River counts no attempt of its own, and waits as long as our backoff says.
func TestARetryIsASnooze(t *testing.T) {
	w := newWorld(t, setting{config: func(c *dataexport.Config) {
		c.MaxAttempts = 4
		c.Backoff = func(attempt int) time.Duration { return time.Duration(attempt) * 100 * time.Millisecond }
	}})
	var begun []time.Time
	w.sources.each(func(_ context.Context, q dataexport.Query, yield func(*memory.Record, error) bool) {
		begun = append(begun, time.Now())
		if len(begun) < 4 {
			yield(nil, errors.New("the source is not well"))
			return
		}
		yield(record(q), nil)
	})
	job := w.create("acme")
	w.run()

	assert.Equal(t, 4, w.untilStatus(job.ID, dataexport.StatusReady).Attempts)
	river := w.untilRiver(job.ID, rivertype.JobStateCompleted)
	assert.Equal(t, 1, river.Attempt, "snoozes do not count")
	assert.Empty(t, river.Errors)
	assert.GreaterOrEqual(t, valueOf(t, river, "snoozes"), 3.)
	for i := 1; i < len(begun); i++ {
		assert.GreaterOrEqual(t, begun[i].Sub(begun[i-1]), time.Duration(i)*100*time.Millisecond)
	}
}

func TestAnExportThatFailsCompletesItsRiverJob(t *testing.T) {
	w := newWorld(t, setting{config: func(c *dataexport.Config) {
		c.MaxAttempts = 2
		c.Backoff = func(int) time.Duration { return time.Millisecond }
	}})
	w.sources.each(func(_ context.Context, _ dataexport.Query, yield func(*memory.Record, error) bool) {
		yield(nil, errors.New("the source is not well"))
	})
	job := w.create("acme")
	w.run()

	assert.Equal(t, "EXPORT_FAILED", w.untilStatus(job.ID, dataexport.StatusFailed).Error.Code)
	river := w.untilRiver(job.ID, rivertype.JobStateCompleted)
	assert.Equal(t, map[string]any{"status": "FAILED", "attempts": 2., "error": "EXPORT_FAILED"}, valueOf(t, river, "output"))
}

// The attempt is not counted, and another process can have the job at once.
func TestAGracefulStopHandsTheExportBack(t *testing.T) {
	w := newWorld(t, setting{})
	release := make(chan struct{})
	waiting := w.sources.block(release)
	job := w.create("acme")
	stop := w.run()
	<-waiting
	stop()

	back := w.find(job.ID)
	assert.Equal(t, dataexport.StatusPending, back.Status)
	assert.Zero(t, back.Attempts)
	river := w.riverJob(job.ID)
	assert.Equal(t, rivertype.JobStateAvailable, river.State)
	assert.Zero(t, river.Attempt)

	close(release)
	w.run()
	assert.Equal(t, 1, w.untilStatus(job.ID, dataexport.StatusReady).Attempts)
}

// What ends within DrainTimeout is not interrupted.
func TestADrainWaitsForExportsUnderWay(t *testing.T) {
	w := newWorld(t, setting{options: func(o *riverqueue.Options) { o.DrainTimeout = time.Minute }})
	var asked atomic.Bool
	release := make(chan struct{})
	waiting := w.sources.block(release)
	first, second := w.create("acme"), w.create("acme")
	_ = second
	stop := w.run()
	<-waiting
	<-waiting
	late := w.create("acme")
	stopped := make(chan struct{})
	go func() {
		defer close(stopped)
		asked.Store(true)
		stop()
	}()
	w.until("the stop should be asked for", asked.Load)
	close(release)
	<-stopped

	assert.Equal(t, dataexport.StatusReady, w.find(first.ID).Status)
	assert.Equal(t, rivertype.JobStateCompleted, w.riverJob(first.ID).State)
	assert.Contains(t, []dataexport.Status{dataexport.StatusPending, dataexport.StatusReady}, w.find(late.ID).Status)
}

func TestADeletedExport(t *testing.T) {
	t.Run("that waits", func(t *testing.T) {
		w := newWorld(t, setting{})
		job := w.create("acme")
		require.NoError(t, w.Delete(t.Context(), job.Scope, job.ID))
		w.run()
		w.untilRiver(job.ID, rivertype.JobStateCancelled)
		assert.Empty(t, w.sources.order())
	})
	t.Run("that is under way", func(t *testing.T) {
		w := newWorld(t, setting{})
		waiting := w.sources.block(nil)
		job := w.create("acme")
		w.run()
		<-waiting
		require.NoError(t, w.Delete(t.Context(), job.Scope, job.ID))
		w.untilRiver(job.ID, rivertype.JobStateCancelled)
		for blob, err := range w.blobs.List(t.Context(), "") {
			require.NoError(t, err)
			assert.Fail(t, "no file should be left", blob.Key)
		}
	})
}

// A process that only takes orders has no client that works.
func TestOneProcessInsertsAndAnotherWorks(t *testing.T) {
	database := postgres.NewDatabase(t)
	front := newWorldAt(t, database, setting{})
	back := newMember(t, database, setting{})
	job := front.create("acme")
	back.run()
	front.untilStatus(job.ID, dataexport.StatusReady)
	assert.Equal(t, []string{"acme"}, back.sources.order())
}

func TestRiversTablesCanLieInASchema(t *testing.T) {
	w := newWorld(t, setting{schema: "jobs", options: func(o *riverqueue.Options) { o.Workers = 1 }})
	lost, crashed, other := w.create("acme"), w.create("acme"), w.create("globex")
	w.exec("DELETE FROM jobs.river_job WHERE args ->> 'export_id' = $1", lost.ID)
	w.exec("UPDATE jobs.river_job SET state = 'running', attempted_at = now() - interval '1 hour' WHERE args ->> 'export_id' = $1", crashed.ID)
	more := w.flood("acme", 5)
	w.run()
	for _, id := range append(more, lost.ID, crashed.ID, other.ID) {
		w.untilStatus(id, dataexport.StatusReady)
		w.untilRiver(id, rivertype.JobStateCompleted)
	}
	assert.NotContains(t, w.log.String(), "level=ERROR")
	assert.NotContains(t, w.log.String(), "whose turn")
}

// Poolers in transaction mode know no LISTEN.
func TestPollOnly(t *testing.T) {
	w := newWorld(t, setting{options: func(o *riverqueue.Options) { o.PollOnly = true }})
	w.run()
	job := w.create("acme")
	w.untilStatus(job.ID, dataexport.StatusReady)
	var listening int
	require.NoError(t, w.pool.QueryRow(t.Context(),
		"SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND query ILIKE 'LISTEN%'").Scan(&listening))
	assert.Zero(t, listening)
}
