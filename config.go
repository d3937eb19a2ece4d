package dataexport

import (
	"fmt"
	"log/slog"
	"time"
)

// Limits bound what users can ask for. 0 stands for the default, a negative number for no bound.
type Limits struct {
	ActiveJobs int   // PENDING and PROCESSING jobs of a workspace; default 20
	ReadyFiles int   // READY files of a workspace; default 1,000
	Records    int64 // of one export; default 100 million
	Bytes      int64 // of one file; default 100 GiB
}

// A Config says what New makes a Service of. Datasets, Renderers, Store and Blobs are required; everything else has a
// default, which a zero value stands for.
type Config struct {
	Datasets  []Dataset  // the first is the one that a request without a dataset means
	Renderers []Renderer // the first is the one that a request without a format means
	Store     Store
	// Blobs belongs to Store: Run removes files of jobs that Store does not know. Another service, or a copy of this one
	// with another database, needs a directory or a bucket of its own.
	Blobs BlobStore

	Logger *slog.Logger // default slog.Default()
	Hooks  []Hooks      // called one after the other; default none
	Limits Limits

	Retention    time.Duration // how long a file can be downloaded; default 72 h
	JobRetention time.Duration // how long a job and its idempotency key stay after its end; default 30 days

	Workers       int                             // exports that Run works on at the same time; default 2
	Lease         time.Duration                   // after which a job of a worker that is silent is given to another; default 30 s
	MaxAttempts   int                             // how often a job is tried, crashes counted; default 5
	Backoff       func(attempt int) time.Duration // how long to wait after a failed attempt, from 1; default 1 s, doubled up to 1 min
	StallTimeout  time.Duration                   // after which an attempt without a new record has failed; default 15 min
	StopTimeout   time.Duration                   // how long a stopping worker waits for a source that does not stop; default 10 s
	StoreTimeout  time.Duration                   // how long one call of the Store may take; default 10 s
	PollInterval  time.Duration                   // how often an idle worker looks for work, unless the store wakes it; default 1 s
	SweepInterval time.Duration                   // how often Run cleans up at the least; default 1 min
}

// logOf returns the logger of what concerns a job.
func (c *Config) logOf(j *Job) *slog.Logger {
	return c.Logger.With(slog.String("job", j.ID), slog.String("workspace", j.Scope.WorkspaceID), slog.Int("attempt", j.Attempts))
}

// leaseMin is the shortest lease.
const leaseMin = 10 * time.Millisecond

// fileGraceMax is how long a file outlives its expiry at the most, so that downloads that began in time can end.
const fileGraceMax = 10 * time.Minute

// fileGrace is how long a file outlives its expiry.
func (c *Config) fileGrace() time.Duration { return min(fileGraceMax, c.Retention) }

// withDefaults returns a copy in which every default is filled in.
func (c Config) withDefaults() Config {
	if c.Logger == nil {
		c.Logger = slog.Default()
	}
	c.Limits.ActiveJobs = limitOr(c.Limits.ActiveJobs, 20)
	c.Limits.ReadyFiles = limitOr(c.Limits.ReadyFiles, 1000)
	c.Limits.Records = limitOr(c.Limits.Records, 100_000_000)
	c.Limits.Bytes = limitOr(c.Limits.Bytes, 100<<30)
	setDefault(&c.Retention, 72*time.Hour)
	setDefault(&c.JobRetention, 30*24*time.Hour)
	setDefault(&c.Workers, 2)
	setDefault(&c.Lease, 30*time.Second)
	setDefault(&c.MaxAttempts, 5)
	setDefault(&c.StallTimeout, 15*time.Minute)
	setDefault(&c.StopTimeout, 10*time.Second)
	setDefault(&c.StoreTimeout, 10*time.Second)
	setDefault(&c.PollInterval, time.Second)
	setDefault(&c.SweepInterval, time.Minute)
	if c.Backoff == nil {
		c.Backoff = defaultBackoff
	}
	return c
}

func setDefault[T time.Duration | int](setting *T, value T) {
	if *setting == 0 {
		*setting = value
	}
}

// limitOr returns the limit that is meant: 0 in its result is no bound.
func limitOr[T int | int64](limit, value T) T {
	switch {
	case limit == 0:
		return value
	case limit < 0:
		return 0
	}
	return limit
}

func defaultBackoff(attempt int) time.Duration {
	const longest = time.Minute
	if attempt > 6 {
		return longest
	}
	return min(longest, time.Second<<(attempt-1))
}

// validate reports what is wrong with a configuration whose defaults are filled in.
func (c *Config) validate() error {
	fail := func(format string, args ...any) error {
		return fmt.Errorf("%w: Config: %s", ErrInvalid, fmt.Sprintf(format, args...))
	}
	switch {
	case len(c.Datasets) == 0:
		return fail("Datasets is empty; there is nothing to export")
	case len(c.Renderers) == 0:
		return fail("Renderers is empty; render.Standard() has JSON, CSV and Markdown")
	case c.Store == nil:
		return fail("Store is nil; memstore.New() keeps jobs in memory")
	case c.Blobs == nil:
		return fail("Blobs is nil; memblob.New() keeps files in memory")
	case c.Workers < 0 || c.MaxAttempts < 0:
		return fail("Workers and MaxAttempts cannot be negative")
	}
	for name, d := range map[string]time.Duration{
		"Retention": c.Retention, "JobRetention": c.JobRetention, "Lease": c.Lease, "StallTimeout": c.StallTimeout, "StopTimeout": c.StopTimeout,
		"StoreTimeout": c.StoreTimeout, "PollInterval": c.PollInterval, "SweepInterval": c.SweepInterval,
	} {
		if d < 0 {
			return fail("%s cannot be negative", name)
		}
	}
	if c.Lease < leaseMin {
		return fail("Lease must be at least %s, not %s: it is renewed three times within itself", leaseMin, c.Lease)
	}
	datasets := make(map[string]bool)
	for _, d := range c.Datasets {
		info := d.Info()
		if err := info.Validate(); err != nil {
			return err
		}
		if datasets[info.Name] {
			return fail("two datasets have the name %q", info.Name)
		}
		datasets[info.Name] = true
	}
	formats := make(map[string]bool)
	for _, r := range c.Renderers {
		name := r.Format().Name
		if !validName(name) {
			return fail("the format name %q must be 1 to 64 letters, digits, '-' or '_'", name)
		}
		if formats[name] {
			return fail("two renderers write the format %q", name)
		}
		formats[name] = true
	}
	return nil
}
