package dataexport

import (
	"fmt"
	"slices"
	"time"
)

// A Status is the state of a job.
type Status string

// The states of a job. docs/state_machine.md shows how one becomes another.
const (
	StatusPending    Status = "PENDING"    // waits for a worker
	StatusProcessing Status = "PROCESSING" // a worker holds it under a lease
	StatusReady      Status = "READY"      // the file can be downloaded
	StatusFailed     Status = "FAILED"     // ended without a file
	StatusExpired    Status = "EXPIRED"    // the file was there, and its time is over
)

// transitions is the one table of what a job may become. Deleting a job is possible in every state and is no
// transition: the job is gone.
var transitions = map[Status][]Status{
	StatusPending:    {StatusProcessing},
	StatusProcessing: {StatusProcessing, StatusPending, StatusReady, StatusFailed},
	StatusReady:      {StatusExpired},
	StatusFailed:     {},
	StatusExpired:    {},
}

// Statuses returns all states of a job in the order of its life.
func Statuses() []Status {
	return []Status{StatusPending, StatusProcessing, StatusReady, StatusFailed, StatusExpired}
}

// Valid reports whether s is a state of a job.
func (s Status) Valid() bool { return slices.Contains(Statuses(), s) }

// CanBecome reports whether a job in state s may go to state next. PROCESSING may become PROCESSING: another worker takes
// over when a lease has run out.
func (s Status) CanBecome(next Status) bool { return slices.Contains(transitions[s], next) }

// Active reports whether a job in this state is still to be done.
func (s Status) Active() bool { return s == StatusPending || s == StatusProcessing }

// Scope says on whose behalf something is asked for. It bounds all that is seen, exported and deleted.
type Scope struct {
	WorkspaceID string // the tenant; never empty
	Subject     string // the person behind the request; needed for personal datasets
}

// A JobError says why a job has failed, in words that its user may read.
type JobError struct {
	Code    string `json:"code"`
	Message string `json:"message"`
}

// Progress says how far a job is.
type Progress struct {
	Records int64  // exported so far by the attempt under way
	Total   *int64 // of all, or nil where the source cannot count
}

// A Job is one export that a user has asked for. Times are UTC and by the clock of the Store; a zero time is not set.
type Job struct {
	ID       string // a UUID of version 7: ids sort by time of creation
	Version  int64  // counts the changes; the fence that Store.Update compares
	Scope    Scope  // who asked for it
	Dataset  string
	Format   string
	Personal bool // the job exists for Scope.Subject alone
	Filter   Filter

	Status      Status
	CreatedAt   time.Time // also the cut-off of the export: records created later are not in it
	UpdatedAt   time.Time
	StartedAt   time.Time // of the latest attempt
	CompletedAt time.Time // when it became READY or FAILED
	ExpiresAt   time.Time // until when a READY file can be downloaded
	HeldUntil   time.Time // PROCESSING: end of the lease; PENDING: not to be claimed before

	Attempts int // started, but for those that a graceful stop handed back
	Progress Progress
	Error    *JobError // of a FAILED job

	// Of a READY job:
	RecordCount int64
	FileSize    int64  // bytes
	SHA256      string // of the file, in lower-case hex
	BlobKey     string // where the file lies; empty once the sweep has removed it

	IdempotencyKey string // as the user gave it, or empty
	Fingerprint    string // of all parameters, see NewJob
}

// VisibleTo reports whether the job exists for a scope: it is of the same workspace and, if personal, of the same subject.
func (j *Job) VisibleTo(s Scope) bool {
	return j.Scope.WorkspaceID == s.WorkspaceID && (!j.Personal || j.Scope.Subject == s.Subject)
}

// At returns the job as it reads at a time: a READY job whose time is over is EXPIRED, whether or not a sweep has run.
// Every Store passes the jobs that it returns through At.
func (j Job) At(now time.Time) Job {
	if j.Status == StatusReady && !now.Before(j.ExpiresAt) {
		j.Status = StatusExpired
	}
	return j
}

// become sets the state of a job by the table of transitions.
func (j *Job) become(next Status) error {
	if !j.Status.CanBecome(next) {
		return fmt.Errorf("dataexport: job %s cannot go from %s to %s", j.ID, j.Status, next)
	}
	j.Status = next
	return nil
}
