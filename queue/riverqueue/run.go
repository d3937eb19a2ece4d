package riverqueue

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/riverqueue/river"
	"github.com/riverqueue/river/riverdriver/riverpgxv5"

	"github.com/dataexport/dataexport"
)

const (
	restartWait = time.Second // after which it is tried again to start while PostgreSQL is away
	// stopTimeout is how long it may take, after DrainTimeout, to hand exports back and to write down what River's jobs have
	// come to. A source that does not stop is left behind before, after dataexport.Config.StopTimeout.
	stopTimeout = 30 * time.Second
)

// Configure adds to the configuration of a client what it needs to work on exports: the workers, their queues and the
// periodic jobs. The service must have the store. Another River client of the same database and schema that may become the leader must be configured
// likewise, since it is the leader that starts the sweeps. With LeaderElectionDisabled no periodic jobs are added.
//
// JobTimeout and RescueStuckJobsAfter of the client do not matter to exports. Set its SoftStopTimeout, or stop it with StopAndCancel: an
// export may take long, and Stop alone waits for its end.
func (q *Queue) Configure(config *river.Config, service *dataexport.Service, store Store) error {
	if config.Workers == nil {
		config.Workers = river.NewWorkers()
	}
	runner := service.Runner()
	err := errors.Join(
		river.AddWorkerSafely(config.Workers, &exportWorker{queue: q, runner: runner, store: store}),
		river.AddWorkerSafely(config.Workers, &sweepWorker{queue: q, runner: runner, store: store}))
	if err != nil {
		return fmt.Errorf("%w: riverqueue: %w", dataexport.ErrInvalid, err)
	}
	queues := map[string]river.QueueConfig{
		q.options.Queue: {MaxWorkers: q.options.Workers, FetchCooldown: q.options.FetchCooldown, FetchPollInterval: q.options.FetchPollInterval},
		q.sweepQueue():  {MaxWorkers: 3}, // exports that take long do not keep the sweeps waiting
	}
	for name, existing := range config.Queues {
		if _, taken := queues[name]; taken {
			return fmt.Errorf("%w: riverqueue: the client has a queue %q already; name another in Options.Queue", dataexport.ErrInvalid, name)
		}
		queues[name] = existing
	}
	config.Queues = queues
	if !config.LeaderElectionDisabled {
		config.PeriodicJobs = append(config.PeriodicJobs, q.periodicJobs()...)
	}
	return nil
}

// Run works on exports and sweeps until ctx is done, with a client of its own. Then no more jobs are fetched, exports under
// way may go on for DrainTimeout, those that are not done then are handed back, and Run returns nil. While PostgreSQL
// is away Run goes on trying. It returns an error if River's tables are not there (see Migrate), and if exports do not stop.
func (q *Queue) Run(ctx context.Context, service *dataexport.Service, store Store) error {
	config := &river.Config{
		Logger:          q.options.Logger,
		Schema:          q.options.Schema,
		PollOnly:        q.options.PollOnly,
		SoftStopTimeout: max(q.options.DrainTimeout, time.Millisecond), // River takes 0 for no end
	}
	if err := q.Configure(config, service, store); err != nil {
		return err
	}
	client, err := river.NewClient(riverpgxv5.New(q.pool), config)
	if err != nil {
		return fmt.Errorf("%w: riverqueue: %w", dataexport.ErrInvalid, err)
	}
	for {
		// Not ctx: its end has to be a stop in order, which needs the database.
		err := client.Start(context.WithoutCancel(ctx))
		if err == nil {
			break
		}
		if permanent(err) {
			return fmt.Errorf("riverqueue: starting River; Migrate makes its tables: %w", err)
		}
		if ctx.Err() != nil {
			return nil
		}
		q.options.Logger.ErrorContext(ctx, "River could not be started; it will be tried again", slog.Any("error", err))
		sleep(ctx, restartWait)
	}
	<-ctx.Done()
	stopping, cancel := context.WithTimeout(context.WithoutCancel(ctx), q.options.DrainTimeout+stopTimeout)
	defer cancel()
	if err := client.Stop(stopping); err != nil {
		return fmt.Errorf("riverqueue: River did not stop in time; leases and the sweep will see to what is left: %w", err)
	}
	return nil
}

// permanent reports whether a client cannot start because of the database's contents and not because it is away.
func permanent(err error) bool {
	const undefinedTable, undefinedColumn, undefinedSchema = "42P01", "42703", "3F000"
	var answer *pgconn.PgError
	if !errors.As(err, &answer) {
		return false
	}
	return answer.Code == undefinedTable || answer.Code == undefinedColumn || answer.Code == undefinedSchema
}

// sleep returns after a time or when ctx is done.
func sleep(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-timer.C:
	}
}
