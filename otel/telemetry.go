package otel

import (
	"context"

	global "go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/trace"

	"github.com/dataexport/dataexport"
)

// instrumentation is the name of this package as a source of metrics and spans.
const instrumentation = "github.com/dataexport/dataexport/otel"

// Options say where New sends what it is told. The zero value is fine for a host that has set OpenTelemetry's global providers.
type Options struct {
	MeterProvider  metric.MeterProvider // default the global one; that of metric/noop for no metrics
	TracerProvider trace.TracerProvider // default the global one; that of trace/noop for no traces
}

// Telemetry is what one Service is watched by. It keeps nothing of a job: the span of an attempt travels in its context. Its
// methods are safe for concurrent use.
type Telemetry struct {
	meter       metric.Meter
	instruments *instruments
	tracer      trace.Tracer
}

// New makes the Telemetry of a Service. It returns an error if the MeterProvider refuses an instrument.
func New(o Options) (*Telemetry, error) {
	if o.MeterProvider == nil {
		o.MeterProvider = global.GetMeterProvider()
	}
	if o.TracerProvider == nil {
		o.TracerProvider = global.GetTracerProvider()
	}
	meter := o.MeterProvider.Meter(instrumentation)
	instruments, err := newInstruments(meter)
	if err != nil {
		return nil, err
	}
	return &Telemetry{meter: meter, instruments: instruments, tracer: o.TracerProvider.Tracer(instrumentation)}, nil
}

// Hooks returns the hooks for Config.Hooks, beside which a host may have others.
func (t *Telemetry) Hooks() dataexport.Hooks {
	return dataexport.Hooks{Event: t.event, Attempt: t.startAttempt}
}

// event records what happened to a job.
func (t *Telemetry) event(ctx context.Context, e dataexport.Event) {
	t.instruments.record(ctx, &e)
	switch e.Kind {
	case dataexport.EventCreated:
		t.traceCreation(ctx, &e.Job)
	case dataexport.EventReady, dataexport.EventFailed:
		t.endAttempt(ctx, &e)
		t.traceJob(ctx, &e, e.Job.CompletedAt)
	case dataexport.EventRetried, dataexport.EventHandedBack, dataexport.EventLost:
		t.endAttempt(ctx, &e)
	case dataexport.EventDeleted:
		t.traceDeletion(ctx, &e)
	}
}
