package otel

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"go.opentelemetry.io/otel/metric"

	"github.com/dataexport/dataexport"
)

// Watch has the gauges dataexport.jobs and dataexport.queue.age report what a Service, or a store, counts. That is asked for
// each time that metrics are collected, every minute as a rule, and takes as long as Stats does. If it fails, the gauges
// say nothing that time, and OpenTelemetry's error handler is told.
//
// Watch asks for Stats once itself. If that is an errors.ErrUnsupported, there are no gauges and the error is returned; a
// host that can do without them goes on. Otherwise they report until stop is called. It is never nil, and returns the error
// of the MeterProvider.
func (t *Telemetry) Watch(ctx context.Context, jobs dataexport.StatsReader) (stop func() error, err error) {
	nothing := func() error { return nil }
	if _, err := jobs.Stats(ctx); errors.Is(err, errors.ErrUnsupported) {
		return nothing, fmt.Errorf("otel: no gauges of jobs: %w", err)
	}
	registration, err := t.meter.RegisterCallback(func(ctx context.Context, o metric.Observer) error {
		stats, err := jobs.Stats(ctx)
		if err != nil {
			return fmt.Errorf("otel: counting jobs: %w", err)
		}
		t.instruments.observe(o, stats)
		return nil
	}, t.instruments.jobs, t.instruments.queueAge)
	if err != nil {
		return nothing, fmt.Errorf("otel: registering the gauges: %w", err)
	}
	return registration.Unregister, nil
}

// observe reports what was counted. A dataset and format of which there is any job is reported in every status, so that
// a status that has run empty goes to 0 and does not just end.
func (i *instruments) observe(o metric.Observer, stats dataexport.Stats) {
	type kind struct{ dataset, format string }
	counts := make(map[kind]map[dataexport.Status]int64)
	for _, c := range stats.Jobs {
		k := kind{c.Dataset, c.Format}
		if counts[k] == nil {
			counts[k] = make(map[dataexport.Status]int64)
		}
		counts[k][c.Status] += c.Jobs
	}
	for k, byStatus := range counts {
		for _, status := range dataexport.Statuses() {
			o.ObserveInt64(i.jobs, byStatus[status], metric.WithAttributes(
				keyStatus.String(strings.ToLower(string(status))), keyDataset.String(k.dataset), keyFormat.String(k.format)))
		}
	}
	o.ObserveFloat64(i.queueAge, stats.Waiting.Seconds())
}
