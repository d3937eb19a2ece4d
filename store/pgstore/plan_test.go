package pgstore

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dataexport/dataexport"
)

// A filling is what a test fills a store with: jobs that wait, in so many workspaces, and jobs that have ended.
type filling struct{ waiting, workspaces, ended int }

// fill puts jobs into the tables, some of them held by a lease, and gathers statistics.
func fill(t testing.TB, pool *pgxpool.Pool, f filling) {
	t.Helper()
	const held = 16
	_, err := pool.Exec(t.Context(), "TRUNCATE dataexport_jobs, dataexport_workspaces")
	require.NoError(t, err)
	_, err = pool.Exec(t.Context(), `
		INSERT INTO dataexport_jobs (id, version, workspace_id, subject, dataset, format, personal, filter, status, created_at, updated_at,
			started_at, completed_at, expires_at, held_until, attempts, progress_records, record_count, file_size, sha256, blob_key,
			idempotency_key, fingerprint)
		SELECT gen_random_uuid(), 1, 'workspace ' || i % $2, 'someone', 'memories', CASE i % 3 WHEN 0 THEN 'json' ELSE 'csv' END,
			i % 2 = 0, '{}',
			CASE WHEN i <= $1 THEN 'PENDING' WHEN i <= $1 + $4 THEN 'PROCESSING'
				WHEN i % 7 = 0 THEN 'FAILED' WHEN i % 11 = 0 THEN 'READY' ELSE 'EXPIRED' END,
			now() - i * interval '1 second', now(), now(), now() - i * interval '1 second', now() + ($3 / 2 - i) * interval '1 second',
			CASE WHEN i <= $1 THEN '-infinity' ELSE now() + interval '1 hour' END, 1, 0, 0, 0, '', CASE i % 4 WHEN 0 THEN 'key' ELSE '' END,
			CASE i % 5 WHEN 0 THEN 'key' || i ELSE '' END, 'fingerprint'
		FROM generate_series(1, $1::int + $3::int + $4::int) AS i`, f.waiting, f.workspaces, f.ended, held)
	require.NoError(t, err)
	_, err = pool.Exec(t.Context(), "INSERT INTO dataexport_workspaces SELECT DISTINCT workspace_id, 0, now() FROM dataexport_jobs")
	require.NoError(t, err)
	_, err = pool.Exec(t.Context(), "VACUUM ANALYZE dataexport_jobs, dataexport_workspaces")
	require.NoError(t, err)
}

// A query is a statement of the store with arguments.
type query struct {
	name      string
	statement string
	args      []any
}

// queries returns every statement of the store that looks at jobs, but for that of Stats, which reads all.
func queries(id string) []query {
	scope := dataexport.Scope{WorkspaceID: "workspace 0", Subject: "someone"}
	ready := update{dataexport.Job{ID: id, Version: 1, Status: dataexport.StatusReady, BlobKey: "key"}, time.Hour}
	creationOf := func(name, key string) query {
		o := order{NewJob: dataexport.NewJob{
			ID: "01900000-0000-7000-8000-000000000000", Scope: scope, Dataset: "memories", Format: "csv", IdempotencyKey: key, Fingerprint: "other",
			MaxActive: 50, MaxReady: 50,
		}, filter: "{}"}
		statement, args := o.createJob()
		return query{name, statement, args}
	}
	list := []query{
		{"find", findJob, []any{id}},
		{"get", getJob, []any{id, scope.WorkspaceID, scope.Subject}},
		{"delete", deleteJob, []any{id, scope.WorkspaceID, scope.Subject}},
		creationOf("create", ""),
		creationOf("create or find", "key5"),
		{"announce", announceJob, nil},
		{"claim any", fairest + claimChosen, []any{[]time.Duration{time.Hour}, fewWorkspaces}},
		{"claim again", fairest + claimChosen, []any{[]time.Duration{time.Hour}, anyWorkspaces}},
		{"claim several", fairest + claimChosen, []any{slices.Repeat([]time.Duration{time.Hour}, 16), fewWorkspaces}},
		{"claim one", asked + claimChosen, []any{[]time.Duration{time.Hour}, []string{id}}},
		{"claimable", claimable, nil},
		{"update", findWanted + updateFound, arguments([]update{ready})},
		{"update together", findWanted + skipLocked + updateFound, arguments([]update{ready})},
		{"next held", nextHeld, nil},
		{"longest waiting", longestWaiting, nil},
		{"rivals", rivals, []any{[]string{scope.WorkspaceID}, []string{id}, rivalsTogether}},
	}
	for _, k := range kinds(dataexport.DueQuery{}) {
		list = append(list, query{"due: " + k.where, k.due(), []any{k.after, 100}}, query{"upcoming: " + k.where, k.upcoming(), []any{k.after}})
	}
	for _, status := range append(dataexport.Statuses(), "") {
		for _, format := range []string{"", "json"} {
			where, args := listed(scope, dataexport.ListQuery{Status: status, Format: format})
			name := fmt.Sprintf("list %s %s", status, format)
			list = append(list,
				query{name + " count", "SELECT count(*) FROM dataexport_jobs WHERE " + where, args},
				query{name, pageOf(where, len(args)), append(args[:len(args):len(args)], 20, 0)})
		}
	}
	return list
}

// A node is a step of a plan.
type node struct {
	Type    string  `json:"Node Type"`
	Table   string  `json:"Relation Name"`
	Cost    float64 `json:"Total Cost"`
	Hits    int     `json:"Shared Hit Blocks"`
	Reads   int     `json:"Shared Read Blocks"`
	Rows    float64 `json:"Actual Rows"`
	Loops   float64 `json:"Actual Loops"`
	Removed float64 `json:"Rows Removed by Filter"`
	Plans   []node  `json:"Plans"`
}

func (n *node) each(do func(*node)) {
	do(n)
	for i := range n.Plans {
		n.Plans[i].each(do)
	}
}

// looked returns how many rows of jobs the plan has looked at.
func (n *node) looked() (rows float64) {
	n.each(func(n *node) {
		if n.Table == "dataexport_jobs" {
			rows += (n.Rows + n.Removed) * n.Loops
		}
	})
	return rows
}

// planModes are how PostgreSQL may plan a prepared statement: for the arguments of a call, or once for all.
var planModes = []string{"force_custom_plan", "force_generic_plan"}

// explainQuery executes a query in a transaction that is undone, and returns its plan. It sees what it changes, so the
// second execution is the one that counts: the first has met with a cold cache.
func explainQuery(t *testing.T, pool *pgxpool.Pool, mode string, q query) (plan node, text string) {
	t.Helper()
	undone := errors.New("undone")
	err := pgx.BeginFunc(t.Context(), pool, func(tx pgx.Tx) error {
		if _, err := tx.Exec(t.Context(), "SET LOCAL plan_cache_mode = "+mode); err != nil {
			return err
		}
		for range 2 {
			if _, err := tx.Exec(t.Context(), "SAVEPOINT again"); err != nil {
				return err
			}
			err := tx.QueryRow(t.Context(), "EXPLAIN (ANALYZE, BUFFERS, TIMING OFF, FORMAT JSON) "+q.statement, q.args...).Scan(&text)
			if err != nil {
				return fmt.Errorf("%s: %w", q.name, err)
			}
			if _, err := tx.Exec(t.Context(), "ROLLBACK TO again"); err != nil {
				return err
			}
		}
		return undone
	})
	require.ErrorIs(t, err, undone)
	var plans []struct{ Plan node }
	require.NoError(t, json.Unmarshal([]byte(text), &plans))
	return plans[0].Plan, text
}

// No statement reads the whole table, or an index of all jobs, in a large store; and none is taken for so expensive that
// PostgreSQL would compile it first (jit_above_cost), which takes longer than running it.
func TestPlans(t *testing.T) {
	pool := migrated(t)
	fill(t, pool, filling{waiting: 6_000, workspaces: 300, ended: 100_000})
	var id string
	require.NoError(t, pool.QueryRow(t.Context(), "SELECT id::text FROM dataexport_jobs WHERE status = 'PENDING' LIMIT 1").Scan(&id))
	for _, mode := range planModes {
		for _, q := range queries(id) {
			t.Run(mode+"/"+q.name, func(t *testing.T) {
				plan, text := explainQuery(t, pool, mode, q)
				plan.each(func(n *node) {
					if n.Table == "dataexport_jobs" && strings.Contains(n.Type, "Seq Scan") {
						t.Errorf("it reads the whole table:\n%s", text)
					}
				})
				if q.name != "claim again" { // which looks at up to 64 jobs of each workspace
					require.Less(t, plan.looked(), 2_500.0)
				}
				require.Less(t, plan.Cost, 50_000.0)
			})
		}
	}
}

// What a claim, and all that goes with it, looks at does not depend on how many jobs wait.
func TestCostDoesNotGrowWithTheQueue(t *testing.T) {
	pool := migrated(t)
	names := []string{"create", "create or find", "announce", "claim any", "claim one", "claimable", "next held", "longest waiting", "rivals"}
	for _, workspaces := range []int{1, 300} {
		for _, waiting := range []int{10, 10_000, 100_000} {
			fill(t, pool, filling{waiting, workspaces, 1_000})
			var id string
			require.NoError(t, pool.QueryRow(t.Context(), "SELECT id::text FROM dataexport_jobs WHERE status = 'PENDING' LIMIT 1").Scan(&id))
			for _, q := range queries(id) {
				if !slices.Contains(names, q.name) {
					continue
				}
				for _, mode := range planModes {
					plan, _ := explainQuery(t, pool, mode, q)
					what := fmt.Sprintf("%s, %s, %d waiting in %d", q.name, mode, waiting, workspaces)
					t.Logf("%s: looked at %.0f rows, %d blocks", what, plan.looked(), plan.Hits+plan.Reads)
					few := 300.0 + 5*float64(workspaces)
					assert.Less(t, plan.looked(), few, what)
					assert.Less(t, float64(plan.Hits+plan.Reads), 3*few, what)
				}
			}
		}
	}
}

// Rows that are dead and not yet vacuumed away do not make looking for work slow.
func TestCostAfterManyChanges(t *testing.T) {
	pool := migrated(t)
	_, err := pool.Exec(t.Context(), "ALTER TABLE dataexport_jobs SET (autovacuum_enabled = off)")
	require.NoError(t, err)
	s := New(pool, Options{})
	const rounds = 1_000
	for i := range rounds {
		orderFor(t, s, fmt.Sprint("workspace ", i%10))
		job, err := s.Claim(t.Context(), dataexport.ClaimOptions{Lease: time.Minute})
		require.NoError(t, err)
		job.Status = dataexport.StatusReady
		_, err = s.Update(context.Background(), job, time.Hour)
		require.NoError(t, err)
	}
	for _, q := range queries("01900000-0000-7000-8000-000000000001") {
		switch q.name {
		case "announce", "claim any", "claimable", "next held", "longest waiting":
			plan, _ := explainQuery(t, pool, planModes[0], q)
			t.Logf("after %d jobs: %-15s looked at %5.0f rows, %5d blocks", rounds, q.name, plan.looked(), plan.Hits+plan.Reads)
			assert.Less(t, plan.Hits+plan.Reads, 120, q.name)
		}
	}
}
