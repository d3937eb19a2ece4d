package otel

import (
	"context"
	"crypto/sha256"
	"errors"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/trace"

	"github.com/dataexport/dataexport"
)

// The names of spans.
const (
	spanCreate  = "dataexport.create"
	spanAttempt = "dataexport.attempt"
	spanJob     = "dataexport.job"
)

// TraceID returns the id of the trace of a job: the first half of the SHA-256 sum of Job.ID. It is not the id itself, since
// samplers take the end of a trace id for random, and in a UUID the bits at which TraceIDRatioBased looks first are
// always the same: it would take no job at 50 % and every one at 75 %.
func TraceID(jobID string) trace.TraceID {
	sum := sha256.Sum256([]byte(jobID))
	return trace.TraceID(sum[:16])
}

// attemptKey is the key of the span of an attempt in its context. It is not the current span that ends with the attempt, as
// another hook may have started one within.
type attemptKey struct{ of *Telemetry }

// start starts a span in the trace of a job, and links it with the span of another trace that it came about in.
func (t *Telemetry) start(
	ctx context.Context, name string, kind trace.SpanKind, job *dataexport.Job, options ...trace.SpanStartOption,
) (context.Context, trace.Span) {
	// A parent that has a trace id and no span id makes a root span of that trace: samplers and exporters take it for no parent.
	// So does the SDK for Go; the specification leaves it open, and another SDK may make a trace of each span.
	parent := trace.NewSpanContext(trace.SpanContextConfig{TraceID: TraceID(job.ID)})
	options = append(options, trace.WithSpanKind(kind), trace.WithAttributes(
		keyJob.String(job.ID), keyWorkspace.String(job.Scope.WorkspaceID), keyDataset.String(job.Dataset), keyFormat.String(job.Format)))
	around := trace.SpanFromContext(ctx)
	linked := around.SpanContext().IsValid() && around.SpanContext().TraceID() != parent.TraceID()
	if linked {
		options = append(options, trace.WithLinks(trace.Link{SpanContext: around.SpanContext()}))
	}
	ctx, span := t.tracer.Start(trace.ContextWithSpanContext(ctx, parent), name, options...)
	if linked && span.SpanContext().IsSampled() {
		around.AddLink(trace.Link{SpanContext: span.SpanContext()})
	}
	return ctx, span
}

// traceCreation makes the span of the order.
func (t *Telemetry) traceCreation(ctx context.Context, job *dataexport.Job) {
	_, span := t.start(ctx, spanCreate, trace.SpanKindProducer, job)
	span.End()
}

// startAttempt starts the span of an attempt.
func (t *Telemetry) startAttempt(ctx context.Context, job dataexport.Job) context.Context {
	attempt, span := t.start(ctx, spanAttempt, trace.SpanKindConsumer, &job, trace.WithAttributes(keyAttempt.Int(job.Attempts)))
	if !span.SpanContext().IsValid() {
		return ctx // there is no tracing, and a span that was current goes on being it
	}
	return context.WithValue(attempt, attemptKey{t}, span)
}

// endAttempt ends the span of the attempt that an event ended.
func (t *Telemetry) endAttempt(ctx context.Context, e *dataexport.Event) {
	span, ok := ctx.Value(attemptKey{t}).(trace.Span)
	if !ok {
		return
	}
	span.SetAttributes(outcome(e)...)
	span.SetAttributes(result(e)...)
	if e.Err != nil && wentWrong(e) {
		span.RecordError(e.Err)
		span.SetStatus(codes.Error, e.Err.Error())
	}
	span.End()
}

// wentWrong reports whether an operator would call the end of an attempt a fault.
func wentWrong(e *dataexport.Event) bool {
	switch e.Kind {
	case dataexport.EventFailed, dataexport.EventRetried:
		return true
	case dataexport.EventLost:
		return !errors.Is(e.Err, dataexport.ErrNotFound) // unless the job was deleted
	}
	return false
}

// result returns the size of a file that is ready.
func result(e *dataexport.Event) []attribute.KeyValue {
	if e.Kind != dataexport.EventReady {
		return nil
	}
	return []attribute.KeyValue{keyRecords.Int64(e.Job.RecordCount), keyBytes.Int64(e.Job.FileSize)}
}

// traceDeletion makes the span of a job that was deleted before it had ended. The span of any other has been made already.
func (t *Telemetry) traceDeletion(ctx context.Context, e *dataexport.Event) {
	if !e.Job.Status.Active() {
		return
	}
	now := time.Now()
	if now.Before(e.Job.CreatedAt) {
		now = e.Job.CreatedAt // the store's clock is ahead of ours
	}
	t.traceJob(ctx, e, now)
}

// traceJob makes the span of a whole job, now that it has ended.
func (t *Telemetry) traceJob(ctx context.Context, e *dataexport.Event, end time.Time) {
	_, span := t.start(ctx, spanJob, trace.SpanKindInternal, &e.Job,
		trace.WithTimestamp(e.Job.CreatedAt), trace.WithAttributes(keyAttempts.Int(e.Job.Attempts)),
		trace.WithAttributes(outcome(e)...), trace.WithAttributes(result(e)...)) // at once, for samplers to see
	if e.Kind == dataexport.EventFailed && e.Job.Error != nil {
		span.SetStatus(codes.Error, e.Job.Error.Code)
	}
	span.End(trace.WithTimestamp(end))
}
