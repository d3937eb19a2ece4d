package riverqueue_test

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dataexport/dataexport"
	"github.com/dataexport/dataexport/memory"
	"github.com/dataexport/dataexport/queue/riverqueue"
)

// flood orders many exports for one workspace.
func (w *world) flood(workspace string, exports int) (ids []string) {
	w.t.Helper()
	for range exports {
		ids = append(ids, w.create(workspace).ID)
	}
	return ids
}

// Who orders one export does not wait until those of another workspace that came before are all done.
func TestAFloodDoesNotStarveOthers(t *testing.T) {
	for _, workers := range []int{1, 4} {
		t.Run(fmt.Sprintf("%d workers", workers), func(t *testing.T) {
			w := newWorld(t, setting{options: func(o *riverqueue.Options) { o.Workers = workers }})
			w.flood("flood", 1000)
			late := make(chan dataexport.Job, 1)
			var once sync.Once
			before := 0
			w.sources.each(func(_ context.Context, q dataexport.Query, yield func(*memory.Record, error) bool) {
				if len(w.sources.order()) >= 50 {
					once.Do(func() {
						job := w.create("late")
						before = len(w.sources.order())
						late <- job
					})
				}
				yield(record(q), nil)
			})
			w.run()
			w.untilStatus((<-late).ID, dataexport.StatusReady)
			order := w.sources.order()
			waited := slices.Index(order, "late") - before
			t.Logf("the late export waited for %d others", waited)
			assert.LessOrEqual(t, waited, 5*workers)
		})
	}
}

// Two that order as much get as much, although one came first.
func TestTwoFloodsShareEvenly(t *testing.T) {
	for _, workers := range []int{1, 4} {
		t.Run(fmt.Sprintf("%d workers", workers), func(t *testing.T) {
			w := newWorld(t, setting{options: func(o *riverqueue.Options) { o.Workers = workers }})
			const exports = 200
			ids := slices.Concat(w.flood("first", exports), w.flood("second", exports))
			w.run()
			for _, id := range ids {
				w.untilStatus(id, dataexport.StatusReady)
			}
			order := w.sources.order()
			second := 0
			for _, workspace := range order[:exports] {
				if workspace == "second" {
					second++
				}
			}
			var snoozes float64
			for _, id := range ids {
				n, _ := valueOf(t, w.riverJob(id), "snoozes").(float64)
				snoozes += n
			}
			t.Logf("of the first %d exports %d were of the second workspace; %.2f snoozes an export", exports, second, snoozes/float64(len(ids)))
			assert.InDelta(t, exports/2, second, exports/10)
			assert.LessOrEqual(t, snoozes, 2*float64(len(ids)))
		})
	}
}

// Several processes share a queue, and each decides by itself.
func TestTwoFloodsShareSeveralProcesses(t *testing.T) {
	database := postgres.NewDatabase(t)
	one := func(o *riverqueue.Options) { o.Workers = 1 }
	w := newWorldAt(t, database, setting{options: one})
	const exports = 200
	ids := slices.Concat(w.flood("first", exports), w.flood("second", exports))
	for range 3 {
		newMember(t, database, setting{options: one}).run()
	}
	w.run()
	for _, id := range ids {
		w.untilStatus(id, dataexport.StatusReady)
	}
	var second int
	require.NoError(t, w.pool.QueryRow(t.Context(), `SELECT count(*) FROM (
		SELECT workspace_id FROM dataexport_jobs ORDER BY started_at LIMIT $1) AS half WHERE workspace_id = 'second'`, exports).Scan(&second))
	t.Logf("of the first %d exports %d were of the second workspace", exports, second)
	assert.InDelta(t, exports/2, second, exports/4)
}

// Exports that were deleted before anybody worked on them leave their River jobs behind, which are no turns of their workspace.
func TestDeletedExportsAreNoTurns(t *testing.T) {
	w := newWorld(t, setting{options: func(o *riverqueue.Options) { o.Workers = 1 }})
	const exports = 100
	for _, id := range w.flood("deleted", exports) {
		require.NoError(t, w.Delete(t.Context(), dataexport.Scope{WorkspaceID: "deleted", Subject: "ana"}, id))
	}
	w.flood("flood", exports)
	last := w.create("deleted")
	w.run()
	w.untilStatus(last.ID, dataexport.StatusReady)
	waited := slices.Index(w.sources.order(), "deleted")
	t.Logf("it waited for %d others", waited)
	assert.LessOrEqual(t, waited, 10)
}
