package riverqueue

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"regexp"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/riverqueue/river"
	"github.com/riverqueue/river/riverdriver/riverpgxv5"
	"github.com/riverqueue/river/rivermigrate"

	"github.com/dataexport/dataexport"
)

// Options say how exports are queued. All processes of a service must agree on Queue and Schema; the zero value of each
// field stands for its default.
type Options struct {
	Queue  string // River's queue of the exports; default "dataexport"; the sweeps have one named after it, with "_sweep"
	Schema string // of River's tables; default the search_path of the connection

	Workers int // exports that a process works on at the same time; default 2

	FetchCooldown     time.Duration // how long a process waits between fetches of jobs at the least; default 5 ms
	FetchPollInterval time.Duration // how often it looks for jobs without having been notified; default 1 s
	PollOnly          bool          // do without LISTEN, which poolers in transaction mode do not know

	SweepInterval time.Duration // how often expired files and lost jobs are looked for; default 1 min, at least 1 s
	// LostAfter is how long an export could have been worked on before it is looked whether its River job was lost. It
	// bounds how late a dead worker is noticed after its lease has run out. Default 1 min.
	LostAfter time.Duration
	// DrainTimeout is how long exports under way may go on after Run was told to stop, before they are handed back.
	// Default 5 s.
	DrainTimeout time.Duration

	Logger *slog.Logger // also River's, where Run makes the client; default slog.Default()
}

func (o Options) withDefaults() Options {
	o.Queue = cmp.Or(o.Queue, "dataexport")
	o.Workers = cmp.Or(o.Workers, 2)
	o.FetchCooldown = cmp.Or(o.FetchCooldown, 5*time.Millisecond)
	o.FetchPollInterval = cmp.Or(o.FetchPollInterval, time.Second)
	o.SweepInterval = cmp.Or(o.SweepInterval, time.Minute)
	o.LostAfter = cmp.Or(o.LostAfter, time.Minute)
	o.DrainTimeout = cmp.Or(o.DrainTimeout, 5*time.Second)
	o.Logger = cmp.Or(o.Logger, slog.Default())
	return o
}

// queueName matches the names of queues that River takes. Both queues of this package must fit into its 64 characters.
var queueName = regexp.MustCompile(`^[a-z0-9]+([_-][a-z0-9]+)*$`)

const queueNameMax = 64 - len(sweepSuffix)

// validate looks at what River would not complain about, or too late. Defaults are filled in.
func (o *Options) validate() error {
	switch {
	case !queueName.MatchString(o.Queue) || len(o.Queue) > queueNameMax:
		return fmt.Errorf("%w: riverqueue: Options.Queue must be at most %d lower-case letters and digits, parted by '_' or '-', not %q",
			dataexport.ErrInvalid, queueNameMax, o.Queue)
	case o.Workers < 0:
		return fmt.Errorf("%w: riverqueue: Options.Workers cannot be negative", dataexport.ErrInvalid)
	case o.SweepInterval < time.Second:
		return fmt.Errorf("%w: riverqueue: Options.SweepInterval must be at least 1 s, not %s", dataexport.ErrInvalid, o.SweepInterval)
	case o.LostAfter < 0 || o.DrainTimeout < 0:
		return fmt.Errorf("%w: riverqueue: Options.LostAfter and DrainTimeout cannot be negative", dataexport.ErrInvalid)
	}
	return nil
}

// A Queue connects exports and River. Its methods are safe for concurrent use.
type Queue struct {
	pool    *pgxpool.Pool
	options Options
	client  *river.Client[pgx.Tx] // inserts and looks, and works on nothing
	table   string                // River's table of jobs, quoted
}

// New makes a Queue on the database of the pool, which stays the caller's. It returns a dataexport.ErrInvalid if the options
// make no sense.
func New(pool *pgxpool.Pool, o Options) (*Queue, error) {
	o = o.withDefaults()
	if err := o.validate(); err != nil {
		return nil, err
	}
	client, err := river.NewClient(riverpgxv5.New(pool), &river.Config{Logger: o.Logger, Schema: o.Schema, FetchCooldown: o.FetchCooldown,
		FetchPollInterval: o.FetchPollInterval})
	if err != nil {
		return nil, fmt.Errorf("%w: riverqueue: %w", dataexport.ErrInvalid, err)
	}
	return &Queue{pool: pool, options: o, client: client, table: tableOfJobs(o.Schema)}, nil
}

// Migrate brings River's tables in a schema, or in the search_path if that is empty, to the version that this package needs,
// and adds an index, river_job_dataexport, by which the River job of an export is found at once. A host that runs River
// already may have done the former; while the index is made on a large table of jobs, River waits.
func Migrate(ctx context.Context, pool *pgxpool.Pool, schema string) error {
	migrator, err := rivermigrate.New(riverpgxv5.New(pool), &rivermigrate.Config{Schema: schema, Logger: slog.New(slog.DiscardHandler)})
	if err == nil {
		_, err = migrator.Migrate(ctx, rivermigrate.DirectionUp, nil)
	}
	if err != nil {
		return fmt.Errorf("riverqueue: migrating River's tables: %w", err)
	}
	if err := addIndex(ctx, pool, schema); err != nil {
		return fmt.Errorf("riverqueue: adding an index to River's table of jobs: %w", err)
	}
	return nil
}

// indexLock is the advisory lock under which processes that start at the same time look for the index.
const indexLock = 0x72697665 // "rive"

// addIndex adds the index by which the River job of an export is found. It touches nothing if it is there.
func addIndex(ctx context.Context, pool *pgxpool.Pool, schema string) error {
	const name = "river_job_dataexport"
	index := pgx.Identifier{name}
	if schema != "" {
		index = pgx.Identifier{schema, name}
	}
	return pgx.BeginFunc(ctx, pool, func(tx pgx.Tx) error {
		var there bool
		if _, err := tx.Exec(ctx, "SELECT pg_advisory_xact_lock($1)", indexLock); err != nil {
			return err
		}
		if err := tx.QueryRow(ctx, "SELECT to_regclass($1) IS NOT NULL", index.Sanitize()).Scan(&there); err != nil || there {
			return err
		}
		_, err := tx.Exec(ctx, "CREATE INDEX "+name+" ON "+tableOfJobs(schema)+" ((args->>'export_id')) WHERE kind = '"+ExportKind+"'")
		return err
	})
}

// tableOfJobs returns the name of River's table in a schema, quoted.
func tableOfJobs(schema string) string {
	if schema == "" {
		return pgx.Identifier{"river_job"}.Sanitize()
	}
	return pgx.Identifier{schema, "river_job"}.Sanitize()
}

// Insert inserts the River jobs of exports, in the transaction in which the exports are created. It is meant for OnCreate of
// pgstore.Options.
func (q *Queue) Insert(ctx context.Context, tx pgx.Tx, exports []dataexport.Job) error {
	if len(exports) == 0 {
		return nil
	}
	params := make([]river.InsertManyParams, len(exports))
	for i := range exports {
		options, err := q.insertOptions(&exports[i])
		if err != nil {
			return err
		}
		params[i] = river.InsertManyParams{Args: ExportArgs{ExportID: exports[i].ID}, InsertOpts: options}
	}
	if _, err := q.client.InsertManyTx(ctx, tx, params); err != nil {
		return fmt.Errorf("riverqueue: inserting the River jobs of %d exports, the first %s: %w", len(exports), exports[0].ID, err)
	}
	return nil
}
