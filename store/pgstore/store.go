package pgstore

import (
	"context"
	"sync"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/dataexport/dataexport"
)

// Options are what a Store can be told besides its database.
type Options struct {
	// OnCreate, if not nil, is called in the transaction that makes jobs, after they are there: it can write down what
	// must be there if and only if they are, such as jobs of an engine that does the work. They are those that are ordered
	// from the Store at the same time, in most cases one; without quotas and idempotency keys they can be of several workspaces. An error undoes everything;
	// if there are several jobs they are made again one by one, so that each has an error of its own, which Create returns
	// wrapped. A panic is that of one order, and makes the others an ErrUnavailable. It is not called for a job that an idempotency key has found again.
	// Its context has no values, since it is not that of one order. It must not end the transaction nor call Create, and is to be
	// quick: other orders wait for it.
	OnCreate func(ctx context.Context, tx pgx.Tx, jobs []dataexport.Job) error

	// Quiet leaves out the NOTIFY by which idle workers in other processes learn of a job at once. It is for engines that
	// bring the jobs to the workers themselves.
	Quiet bool
}

// A Store is a dataexport.Store, a dataexport.WorkWaiter and a dataexport.StatsReader in PostgreSQL. It is safe for
// concurrent use, and any number of them, in any number of processes, may share a database. Its clock is the database's,
// with microseconds.
//
// A call of WaitForWork holds a connection for as long as it waits; others that wait at the same time need none. The rest
// takes connections for moments.
type Store struct {
	pool     *pgxpool.Pool
	onCreate func(context.Context, pgx.Tx, []dataexport.Job) error
	quiet    bool // nobody is to be notified
	listens  bool // the pool has a connection to spare for WaitForWork

	orders      orders
	claimsOfAny *gathering[dataexport.ClaimOptions, claimed]
	claimsOfOne *gathering[dataexport.ClaimOptions, claimed]
	updates     *gathering[update, updatedJob]
	asks        *gathering[ownedJob, []string]
	turns       turns

	mu        sync.Mutex
	waiting   []chan struct{} // of the calls of WaitForWork, each closed to wake it; the one that has waited the longest in front
	listening bool            // one of them listens for the others
}

var (
	_ dataexport.Store       = (*Store)(nil)
	_ dataexport.WorkWaiter  = (*Store)(nil)
	_ dataexport.StatsReader = (*Store)(nil)
)

// New makes a Store of a database that Migrate has been at. The pool stays the caller's, who closes it when the Store is
// not used any more.
func New(pool *pgxpool.Pool, o Options) *Store {
	s := &Store{pool: pool, onCreate: o.OnCreate, quiet: o.Quiet, listens: pool.Config().MaxConns > 1}
	s.orders.make = s.createTogether
	s.claimsOfAny = newGathering(claimsTogether, s.claimAny)
	s.claimsOfOne = newGathering(claimsTogether, s.claimOne)
	s.updates = newGathering(updatesTogether, s.updateTogether)
	s.asks = newGathering(turnsTogether, s.aheadOf)
	return s
}

// changing is how a transaction that changes something begins, whatever the database has for its default: what waits for a
// lock must then see what the other has done.
var changing = pgx.TxOptions{IsoLevel: pgx.ReadCommitted}

// view makes a transaction see one state of the database.
var view = pgx.TxOptions{IsoLevel: pgx.RepeatableRead, AccessMode: pgx.ReadOnly}

// transact runs a function in a transaction, again if the database had to undo it for the sake of another.
func (s *Store) transact(ctx context.Context, o pgx.TxOptions, do func(pgx.Tx) error) error {
	return retry(ctx, func() error { return pgx.BeginTxFunc(ctx, s.pool, o, do) })
}

// keepPlans has the statements of a transaction of the Store alone planned once for a connection, whatever PostgreSQL expects to gain from planning
// them anew for the arguments: that takes several times as long as running them. Since a plan is kept while the tables grow,
// it must look rows up one by one, and in their order, where it could read or sort a whole table that is small now. Compiling
// takes longer than running too.
const keepPlans = `
	SELECT set_config('plan_cache_mode', 'force_generic_plan', true), set_config('jit', 'off', true),
		set_config('enable_seqscan', 'off', true), set_config('enable_sort', 'off', true),
		set_config('enable_hashjoin', 'off', true), set_config('enable_mergejoin', 'off', true)`

// send runs the statements of a batch in a transaction, all on one way to the server and back. It makes the batch anew when
// the database had to undo it for the sake of another.
func (s *Store) send(ctx context.Context, fill func(*pgx.Batch)) error {
	return retry(ctx, func() error {
		var batch pgx.Batch
		batch.Queue("BEGIN ISOLATION LEVEL READ COMMITTED")
		batch.Queue(keepPlans)
		fill(&batch)
		batch.Queue("COMMIT")
		conn, err := s.pool.Acquire(ctx)
		if err != nil {
			return err
		}
		defer conn.Release() // closes it if the transaction is still open
		return conn.SendBatch(ctx, &batch).Close()
	})
}
