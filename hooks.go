package dataexport

import (
	"context"
	"log/slog"
	"runtime/debug"
	"time"
)

// An EventKind says what happened to a job.
type EventKind string

// What happens to a job, in the order of its life.
const (
	EventCreated    EventKind = "created"     // PENDING; a replayed idempotency key creates nothing
	EventStarted    EventKind = "started"     // PROCESSING: an attempt has begun
	EventRetried    EventKind = "retried"     // PENDING again until HeldUntil: the attempt failed with Err
	EventHandedBack EventKind = "handed_back" // PENDING again: the worker was told to stop; the attempt is not counted
	// EventLost says that an attempt ended for nothing: the job was deleted or given to another worker, or the store did not
	// answer while the lease lasted, and then its change may have been made or not.
	EventLost      EventKind = "lost"
	EventReady     EventKind = "ready"     // READY
	EventFailed    EventKind = "failed"    // FAILED with Err
	EventDeleted   EventKind = "deleted"   // gone, as its user asked
	EventExpired   EventKind = "expired"   // EXPIRED: the sweep removed its file
	EventForgotten EventKind = "forgotten" // gone: the sweep removed a job that had ended long ago
)

// An Event is something that happened to a job, and was written down by the Store.
type Event struct {
	Kind EventKind
	Job  Job   // as it was left, or as it was before it was gone; of a lost one, as the worker knew it
	Err  error // why, for the log and not for users; nil unless Kind says so
	// Elapsed is how long the attempt took by the clock of this process; 0 for an event that ends no attempt.
	Elapsed time.Duration
}

// Hooks are functions of the host that are told what becomes of jobs. A nil function is not called. They are called by many
// goroutines at once, each time on the goroutine that does the work, which waits for them: they must be quick. A panic in
// one is logged and changes nothing.
//
// An event is told once, by the process in which it came about; a process that dies in between tells nothing. Events of one
// job from different goroutines may come in another order than they happened: a worker can be faster than the order that
// made its job, and then EventCreated comes last. So hooks are
// for watching, and nothing that must happen may depend on them.
type Hooks struct {
	// Event is told of everything that happens to a job.
	Event func(context.Context, Event)
	// Attempt is called when an attempt at a job begins, after EventStarted. The context that it returns is derived from the
	// one that it is given; the dataset and the store of files get it, and so do the events up to the end of the attempt.
	Attempt func(context.Context, Job) context.Context
}

// tell calls the hooks of events.
func (c *Config) tell(ctx context.Context, e Event) {
	for _, h := range c.Hooks {
		if h.Event != nil {
			c.guardHook(&e.Job, func() { h.Event(ctx, e) })
		}
	}
}

// attemptContext returns the context of an attempt, which is what all hooks have made of it.
func (c *Config) attemptContext(ctx context.Context, j Job) context.Context {
	for _, h := range c.Hooks {
		if h.Attempt == nil {
			continue
		}
		c.guardHook(&j, func() {
			if derived := h.Attempt(ctx, j); derived != nil {
				ctx = derived
			}
		})
	}
	return ctx
}

// guardHook calls a hook and logs its panic.
func (c *Config) guardHook(j *Job, hook func()) {
	defer func() {
		if v := recover(); v != nil {
			c.logOf(j).Error("a hook panicked", slog.Any("panic", v), slog.String("stack", string(debug.Stack())))
		}
	}()
	hook()
}
