package pgstore

import (
	"context"
	"errors"
	"slices"
	"testing"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/dataexport/dataexport"
)

// newJob returns an order of a workspace.
func newJob(workspace string) dataexport.NewJob {
	return dataexport.NewJob{
		ID: uuid.Must(uuid.NewV7()).String(), Scope: dataexport.Scope{WorkspaceID: workspace}, Dataset: "d", Format: "f", Fingerprint: "same",
	}
}

func TestOnCreate(t *testing.T) {
	pool := migrated(t)
	_, err := pool.Exec(t.Context(), "CREATE TABLE host (id uuid PRIMARY KEY REFERENCES dataexport_jobs ON DELETE CASCADE)")
	require.NoError(t, err)
	var seen []dataexport.Job
	s := New(pool, Options{OnCreate: func(ctx context.Context, tx pgx.Tx, jobs []dataexport.Job) error {
		seen = append(seen, jobs...)
		_, err := tx.Exec(ctx, "INSERT INTO host VALUES ($1)", jobs[0].ID) // the foreign key holds: the job is there
		return err
	}})
	n := newJob("a")
	n.IdempotencyKey = "key"
	n.MaxActive = 1
	created, replayed, err := s.Create(t.Context(), n)
	require.NoError(t, err)
	require.False(t, replayed)
	require.Equal(t, []dataexport.Job{created}, seen)

	again := newJob("a")
	again.IdempotencyKey = "key"
	_, replayed, err = s.Create(t.Context(), again)
	require.NoError(t, err)
	require.True(t, replayed)
	again.Fingerprint = "other"
	_, _, err = s.Create(t.Context(), again)
	require.ErrorIs(t, err, dataexport.ErrIdempotencyKeyReused)
	full := newJob("a")
	full.MaxActive = 1
	_, _, err = s.Create(t.Context(), full)
	require.ErrorIs(t, err, dataexport.ErrTooManyExports)
	taken := newJob("b")
	taken.ID = created.ID
	_, _, err = s.Create(t.Context(), taken)
	require.ErrorIs(t, err, dataexport.ErrInvalid)
	require.Len(t, seen, 1, "it is called for new jobs alone")
}

// Whatever goes wrong in it, there is no job, the error is the host's own, and the pool is whole.
func TestOnCreateFails(t *testing.T) {
	failure := errors.New("failure")
	for name, test := range map[string]struct {
		onCreate func(ctx context.Context, tx pgx.Tx) error
		want     error
	}{
		"an error":                   {func(context.Context, pgx.Tx) error { return failure }, failure},
		"an error of ours":           {func(context.Context, pgx.Tx) error { return dataexport.ErrTooManyExports }, dataexport.ErrTooManyExports},
		"no rows, which is not ours": {func(context.Context, pgx.Tx) error { return pgx.ErrNoRows }, pgx.ErrNoRows},
		"commit":                     {func(ctx context.Context, tx pgx.Tx) error { return tx.Commit(ctx) }, errEndedByHost},
		"commit, unseen": {func(ctx context.Context, tx pgx.Tx) error {
			_ = tx.Commit(ctx)
			return nil
		}, errEndedByHost},
		"rollback, unseen": {func(ctx context.Context, tx pgx.Tx) error {
			_ = tx.Rollback(ctx)
			return nil
		}, errEndedByHost},
		"ROLLBACK by hand": {func(ctx context.Context, tx pgx.Tx) error {
			_, err := tx.Exec(ctx, "ROLLBACK")
			return err
		}, errEndedByHost},
		"a statement that fails, unseen": {func(ctx context.Context, tx pgx.Tx) error {
			_, _ = tx.Exec(ctx, "SELECT 1/0")
			return nil
		}, errEndedByHost},
	} {
		t.Run(name, func(t *testing.T) {
			pool := migrated(t)
			s := New(pool, Options{OnCreate: func(ctx context.Context, tx pgx.Tx, _ []dataexport.Job) error { return test.onCreate(ctx, tx) }})
			n := newJob("a")
			_, _, err := s.Create(t.Context(), n)
			require.ErrorIs(t, err, test.want)
			require.ErrorContains(t, err, "Options.OnCreate")
			_, err = s.Find(t.Context(), n.ID)
			require.ErrorIs(t, err, dataexport.ErrNotFound)
			require.Zero(t, pool.Stat().AcquiredConns())
		})
	}
}

// Errors of the host's tables are not taken for errors of the store's.
func TestOnCreateMeetsErrorsOfTheDatabase(t *testing.T) {
	for name, statement := range map[string]string{
		"missing table": "INSERT INTO missing VALUES (1)",
		"taken key":     "INSERT INTO host VALUES (1), (1)",
	} {
		t.Run(name, func(t *testing.T) {
			pool := migrated(t)
			_, err := pool.Exec(t.Context(), "CREATE TABLE host (id integer PRIMARY KEY)")
			require.NoError(t, err)
			s := New(pool, Options{OnCreate: func(ctx context.Context, tx pgx.Tx, _ []dataexport.Job) error {
				_, err := tx.Exec(ctx, statement)
				return err
			}})
			_, _, err = s.Create(t.Context(), newJob("a"))
			require.ErrorContains(t, err, "Options.OnCreate")
			require.NotErrorIs(t, err, dataexport.ErrInvalid)
			require.NotContains(t, err.Error(), "Migrate")
		})
	}
}

// Several orders are made in one transaction; where the host refuses one, the others are made without it.
func TestOnCreateOfSeveral(t *testing.T) {
	pool := migrated(t)
	refused := errors.New("refused")
	var calls [][]string
	s := New(pool, Options{OnCreate: func(ctx context.Context, _ pgx.Tx, jobs []dataexport.Job) error {
		require.Nil(t, ctx.Value(refused))
		var workspaces []string
		for _, j := range jobs {
			workspaces = append(workspaces, j.Scope.WorkspaceID)
		}
		calls = append(calls, workspaces)
		if slices.Contains(workspaces, "bad") {
			return context.DeadlineExceeded
		}
		return nil
	}})
	ctx := context.WithValue(t.Context(), refused, "a value")
	var group []*asker[order, madeJob]
	for _, workspace := range []string{"a", "bad", "c"} {
		group = append(group, &asker[order, madeJob]{ctx: ctx, question: order{NewJob: newJob(workspace), filter: "{}"}})
	}
	newGathering(ordersTogether, s.createTogether).askFor(group)
	require.Equal(t, [][]string{{"a", "bad", "c"}, {"a"}, {"bad"}, {"c"}}, calls)
	require.NoError(t, group[0].err)
	require.ErrorIs(t, group[1].err, context.DeadlineExceeded)
	require.NoError(t, group[2].err)
	require.Equal(t, 2, value[int](t, pool, "SELECT count(*)::int FROM dataexport_jobs"))
}

func TestOnCreatePanics(t *testing.T) {
	pool := migrated(t)
	s := New(pool, Options{OnCreate: func(context.Context, pgx.Tx, []dataexport.Job) error { panic("in the host") }})
	n := newJob("a")
	require.PanicsWithValue(t, "in the host", func() { _, _, _ = s.Create(t.Context(), n) })
	_, err := s.Find(t.Context(), n.ID)
	require.ErrorIs(t, err, dataexport.ErrNotFound)
	require.Zero(t, pool.Stat().AcquiredConns())
}
