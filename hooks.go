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
	EventLost       EventKind = "lost"        // the attempt ended for nothing: the job was deleted or given to another worker
	EventReady      EventKind = "ready"       // READY
	EventFailed     EventKind = "failed"      // FAILED with Err
	EventDeleted    EventKind = "deleted"     // gone, as its user asked
	EventExpired    EventKind = "expired"     // EXPIRED: the sweep removed its file
	EventForgotten  EventKind = "forgotten"   // gone: the sweep removed a job that had ended long ago
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
// An event is told once, by the process in which it came about; a process that dies in between tells nothing. So hooks are
// for watching, and nothing that must happen may depend on them.
type Hooks struct {
	// Event is told of everything that happens to a job.
	Event func(context.Context, Event)
	// Attempt is called when an attempt at a job begins, after EventStarted. The context that it returns is derived from the
	// one that it is given; the dataset and the store of files get it, and so do the events up to the end of the attempt.
	Attempt func(context.Context, Job) context.Context
}

// tell calls the hook of events.
func (c *Config) tell(ctx context.Context, e Event) {
	if c.Hooks.Event == nil {
		return
	}
	defer c.catchHook(e.Job)
	c.Hooks.Event(ctx, e)
}

// attemptContext returns the context of an attempt.
func (c *Config) attemptContext(ctx context.Context, j Job) (attempt context.Context) {
	if c.Hooks.Attempt == nil {
		return ctx
	}
	attempt = ctx // if the hook panics
	defer c.catchHook(j)
	if derived := c.Hooks.Attempt(ctx, j); derived != nil {
		return derived
	}
	return ctx
}

// catchHook logs the panic of a hook.
func (c *Config) catchHook(j Job) {
	if v := recover(); v != nil {
		c.logOf(&j).Error("a hook panicked", slog.Any("panic", v), slog.String("stack", string(debug.Stack())))
	}
}
