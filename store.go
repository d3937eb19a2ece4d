package dataexport

import (
	"context"
	"time"
)

// A NewJob is what Store.Create makes a job of.
type NewJob struct {
	ID       string // a UUID of version 7
	Scope    Scope
	Dataset  string
	Format   string
	Personal bool
	Filter   Filter

	IdempotencyKey string // empty for none
	// Fingerprint is equal for two requests if and only if they ask for the same export.
	Fingerprint string

	MaxActive int // how many PENDING and PROCESSING jobs the workspace may have, this one included; 0 for no bound
	MaxReady  int // how many READY jobs it may have before this one is refused; 0 for no bound
}

// A ListQuery says which jobs to list.
type ListQuery struct {
	Status Status // empty for any; EXPIRED and READY are told apart by the clock
	Format string // empty for any
	Offset int    // how many of the newest to pass over
	Limit  int    // how many to return at most; at least 1
}

// ClaimOptions say what Store.Claim may give out.
type ClaimOptions struct {
	ID    string        // this job alone, or any if empty
	Lease time.Duration // how long the job is held for its worker; more than 0
}

// A DueQuery says what Store.Due looks for.
type DueQuery struct {
	FileGrace time.Duration // how long after ExpiresAt a file stays
	Keep      time.Duration // how long a job stays after its end: CompletedAt of a FAILED one, ExpiresAt of an EXPIRED one
	Limit     int           // how many jobs to return at most; at least 1
}

// A Store keeps the jobs. All methods are safe for concurrent use, also by several processes where the store can be
// shared, and each is one atomic step. Times are the store's own: it sets CreatedAt, UpdatedAt, StartedAt, CompletedAt,
// ExpiresAt and HeldUntil from its one clock, UTC, with microseconds at least, and compares with that clock.
//
// Jobs that are returned have passed through Job.At. A scope sees the jobs of which Job.VisibleTo says so; any other job
// is an ErrNotFound. An id that is not a UUID is an ErrNotFound like any id that is not there. A store that cannot be
// reached returns an error that is ErrUnavailable, after which a change may have been made or not; after any other error
// nothing has changed. Arguments that make no sense, such as an id that is taken, a Limit below 1 or a Lease of 0, are an
// ErrInvalid. A store does not look at Status.CanBecome: that is the caller's.
//
// storetest.Run checks an implementation against all of this.
type Store interface {
	// Create makes a PENDING job, in this order:
	// if IdempotencyKey is set and a job that the scope sees has the same key, it returns that job with replayed true, or
	// ErrIdempotencyKeyReused if the fingerprints differ;
	// if the workspace has MaxActive active or MaxReady READY jobs, all subjects counted, it returns ErrTooManyExports;
	// else it inserts NewJob.Job. Two that race with the same key make one job.
	Create(ctx context.Context, n NewJob) (j Job, replayed bool, err error)

	// Get returns a job, or ErrNotFound.
	Get(ctx context.Context, s Scope, id string) (Job, error)

	// Find returns a job whatever its scope, or ErrNotFound. It is for the sweep, which answers to no user.
	Find(ctx context.Context, id string) (Job, error)

	// List returns the jobs that the scope sees, newest first by CreatedAt and then id, and how many there are without
	// Offset and Limit, both from one view. The page is never nil.
	List(ctx context.Context, s Scope, q ListQuery) (page []Job, total int, err error)

	// Delete removes a job in any state and returns it as it was, or ErrNotFound. Its idempotency key is free again.
	Delete(ctx context.Context, s Scope, id string) (Job, error)

	// Claim gives out a job that is PENDING or PROCESSING and whose HeldUntil has passed, as Job.Claimed says: PROCESSING,
	// held for the lease, with Version and Attempts one higher. It returns ErrNoJob if there is none, or none with that id.
	// No two callers get the same version of a job. Without an id it chooses among workspaces the one that has the fewest
	// jobs held by a lease, then the one that was given a job the longest ago, then the one whose job is the oldest; within
	// a workspace the oldest job. With an id it gives out that job, even if another would be next.
	Claim(ctx context.Context, o ClaimOptions) (Job, error)

	// Update writes Status, Attempts, Progress, RecordCount, FileSize, SHA256, BlobKey and Error of a job if its Version is
	// still that of j, as Job.Updated says, and returns it with the version one higher. Otherwise it returns ErrConflict, or ErrNotFound if the
	// job is gone. Its other fields stay.
	//
	// d counts from now. It is the lease of a PROCESSING job, the time before which a PENDING one is not given out, and the
	// retention of a READY one. When a PROCESSING job becomes READY or FAILED, CompletedAt is set to now, and for READY
	// ExpiresAt to now + d.
	Update(ctx context.Context, j Job, d time.Duration) (Job, error)

	// Due returns jobs that the sweep must clean, those that were due first in front: EXPIRED ones with a BlobKey, once
	// FileGrace has passed; FAILED ones, and EXPIRED ones without a BlobKey, once Keep has passed. next is how long it
	// takes until there is more to clean: 0 if Limit cut the list, negative if nothing is in sight.
	Due(ctx context.Context, q DueQuery) (jobs []Job, next time.Duration, err error)
}

// A WorkWaiter is a Store that can tell at once when there is work, so that workers need not wait for the next poll.
type WorkWaiter interface {
	// WaitForWork returns nil when a job may have become claimable since the last call began, or the error of ctx. It may
	// return too often, and for all callers at once.
	WaitForWork(ctx context.Context) error
}

// Stats counts the jobs of all workspaces.
type Stats struct {
	Jobs []JobCount // of each status, dataset and format of which there are jobs
	// Waiting is how long the job that has waited the longest could have been claimed: since it was made, or put back, or
	// its lease has run out. 0 if none waits.
	Waiting time.Duration
}

// A JobCount says how many jobs there are of one kind.
type JobCount struct {
	Status  Status // READY and EXPIRED are told apart by the clock
	Dataset string
	Format  string
	Jobs    int64
}

// A StatsReader is a Store that can count its jobs. It may have to read all of them.
type StatsReader interface {
	// Stats counts the jobs, by status, dataset and format in ascending order of their text.
	Stats(ctx context.Context) (Stats, error)
}
