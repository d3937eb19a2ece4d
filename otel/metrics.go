package otel

import (
	"context"
	"errors"
	"fmt"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"

	"github.com/dataexport/dataexport"
)

// instruments are what is measured.
type instruments struct {
	jobs     metric.Int64ObservableGauge
	queueAge metric.Float64ObservableGauge

	attempts  metric.Float64Histogram
	durations metric.Float64Histogram // of whole jobs
	records   metric.Int64Counter
	bytes     metric.Int64Counter
	events    metric.Int64Counter
}

func newInstruments(meter metric.Meter) (*instruments, error) {
	// An export of a few records takes milliseconds, one of everything that there is takes hours.
	attemptBounds := metric.WithExplicitBucketBoundaries(0.01, 0.05, 0.1, 0.5, 1, 5, 10, 30, 60, 300, 900, 3600, 14400)
	// A job also waits, for its turn or for its next attempt.
	jobBounds := metric.WithExplicitBucketBoundaries(0.1, 0.5, 1, 5, 10, 30, 60, 300, 900, 3600, 14400, 43200, 86400)

	var i instruments
	faults := make([]error, 7)
	i.jobs, faults[0] = meter.Int64ObservableGauge("dataexport.jobs", metric.WithUnit("{job}"),
		metric.WithDescription("Jobs of all workspaces and processes."))
	i.queueAge, faults[1] = meter.Float64ObservableGauge("dataexport.queue.age", metric.WithUnit("s"),
		metric.WithDescription("How long the job that waits the longest could have been worked on."))
	i.attempts, faults[2] = meter.Float64Histogram("dataexport.attempt.duration", metric.WithUnit("s"), attemptBounds,
		metric.WithDescription("How long attempts at jobs took."))
	i.durations, faults[3] = meter.Float64Histogram("dataexport.job.duration", metric.WithUnit("s"), jobBounds,
		metric.WithDescription("How long jobs took from the order until they were READY or FAILED."))
	i.records, faults[4] = meter.Int64Counter("dataexport.records", metric.WithUnit("{record}"),
		metric.WithDescription("Records in the files of jobs that became READY."))
	i.bytes, faults[5] = meter.Int64Counter("dataexport.bytes", metric.WithUnit("By"),
		metric.WithDescription("Bytes of the files of jobs that became READY."))
	i.events, faults[6] = meter.Int64Counter("dataexport.events", metric.WithUnit("{event}"),
		metric.WithDescription("Events in the lives of jobs."))
	if err := errors.Join(faults...); err != nil {
		return nil, fmt.Errorf("otel: making instruments: %w", err)
	}
	return &i, nil
}

// record measures an event.
func (i *instruments) record(ctx context.Context, e *dataexport.Event) {
	of := []attribute.KeyValue{keyDataset.String(e.Job.Dataset), keyFormat.String(e.Job.Format)}
	i.events.Add(ctx, 1, with(of, keyEvent.String(string(e.Kind))))
	ended := with(of, outcome(e)...)
	switch e.Kind {
	case dataexport.EventReady:
		i.records.Add(ctx, e.Job.RecordCount, with(of))
		i.bytes.Add(ctx, e.Job.FileSize, with(of))
		fallthrough
	case dataexport.EventFailed:
		i.durations.Record(ctx, e.Job.CompletedAt.Sub(e.Job.CreatedAt).Seconds(), ended)
		fallthrough
	case dataexport.EventRetried, dataexport.EventHandedBack, dataexport.EventLost:
		i.attempts.Record(ctx, e.Elapsed.Seconds(), ended)
	}
}

// with returns both lists of attributes together.
func with(of []attribute.KeyValue, more ...attribute.KeyValue) metric.MeasurementOption {
	return metric.WithAttributeSet(attribute.NewSet(append(of[:len(of):len(of)], more...)...))
}
