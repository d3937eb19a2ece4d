package pgstore

import (
	"math"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"

	"github.com/dataexport/dataexport"
	"github.com/dataexport/dataexport/store/storetest"
)

// What PostgreSQL cannot hold is refused by name, and nothing is stored.
func TestTextThatPostgresCannotHold(t *testing.T) {
	pool := migrated(t)
	s := New(pool, Options{})
	for _, bad := range []string{"a\x00b", "\xff"} {
		for place, set := range map[string]func(*dataexport.NewJob){
			"the workspace":       func(n *dataexport.NewJob) { n.Scope.WorkspaceID = bad },
			"the subject":         func(n *dataexport.NewJob) { n.Scope.Subject = bad },
			"the dataset":         func(n *dataexport.NewJob) { n.Dataset = bad },
			"the format":          func(n *dataexport.NewJob) { n.Format = bad },
			"the idempotency key": func(n *dataexport.NewJob) { n.IdempotencyKey = bad },
			"the fingerprint":     func(n *dataexport.NewJob) { n.Fingerprint = bad },
		} {
			n := newJob("a")
			set(&n)
			_, _, err := s.Create(t.Context(), n)
			require.ErrorIs(t, err, dataexport.ErrInvalid)
			require.ErrorContains(t, err, place)
		}
	}
	require.Zero(t, value[int](t, pool, "SELECT count(*)::int FROM dataexport_jobs"))

	n := newJob("a")
	n.Filter.UserID = "a\x00b" // JSON can say it
	job, _, err := s.Create(t.Context(), n)
	require.NoError(t, err)
	require.Equal(t, n.Filter, job.Filter)
	for place, set := range map[string]func(*dataexport.Job){
		"the SHA-256":              func(j *dataexport.Job) { j.SHA256 = "\x00" },
		"the key of the file":      func(j *dataexport.Job) { j.BlobKey = "\xff" },
		"the code of the error":    func(j *dataexport.Job) { j.Error = &dataexport.JobError{Code: "\x00"} },
		"the message of the error": func(j *dataexport.Job) { j.Error = &dataexport.JobError{Message: "\xff"} },
	} {
		changed := job
		set(&changed)
		_, err := s.Update(t.Context(), changed, time.Hour)
		require.ErrorIs(t, err, dataexport.ErrInvalid)
		require.ErrorContains(t, err, place)
	}
	found, err := s.Find(t.Context(), job.ID)
	require.NoError(t, err)
	require.Equal(t, job, found)
	for _, bad := range []string{"a\x00b", "\xff"} { // no such workspace can be there
		_, _, err = s.List(t.Context(), dataexport.Scope{WorkspaceID: bad}, dataexport.ListQuery{Limit: 1})
		require.ErrorIs(t, err, dataexport.ErrInvalid)
	}
}

// The longest duration of Go is 292 years, and does no harm.
func TestFarFuture(t *testing.T) {
	s := New(migrated(t), Options{})
	const longest = time.Duration(math.MaxInt64)
	n := newJob("a")
	n.Filter.CreatedBefore = time.Date(9999, 12, 31, 23, 59, 59, 999_999_999, time.UTC)
	job, _, err := s.Create(t.Context(), n)
	require.NoError(t, err)
	require.Equal(t, n.Filter, job.Filter)
	job, err = s.Claim(t.Context(), dataexport.ClaimOptions{Lease: longest})
	require.NoError(t, err)
	require.Equal(t, job.StartedAt.Add(longest.Truncate(time.Microsecond)), job.HeldUntil)
	wait, err := untilClaimable(t.Context(), s.pool)
	require.NoError(t, err)
	require.Greater(t, wait, 90*365*24*time.Hour)
	job.Status = dataexport.StatusReady
	job.BlobKey = "key"
	job, err = s.Update(t.Context(), job, longest)
	require.NoError(t, err)
	require.Equal(t, job.CompletedAt.Add(longest.Truncate(time.Microsecond)), job.ExpiresAt)
	jobs, next, err := s.Due(t.Context(), dataexport.DueQuery{FileGrace: longest, Keep: longest, Limit: 1})
	require.NoError(t, err)
	require.Empty(t, jobs)
	require.Greater(t, next, 90*365*24*time.Hour)
}

// As behind a pooler that does not know prepared statements.
func TestStoreWithoutPreparedStatements(t *testing.T) {
	config := migrated(t).Config()
	config.ConnConfig.DefaultQueryExecMode = pgx.QueryExecModeExec
	pool, err := pgxpool.NewWithConfig(t.Context(), config)
	require.NoError(t, err)
	t.Cleanup(pool.Close)
	storetest.Run(t, func(t *testing.T) dataexport.Store {
		_, err := pool.Exec(t.Context(), "TRUNCATE dataexport_jobs, dataexport_workspaces")
		require.NoError(t, err)
		return New(pool, Options{})
	})
}
