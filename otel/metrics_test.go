package otel_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/metric/noop"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"

	"github.com/dataexport/dataexport"
	dataexportotel "github.com/dataexport/dataexport/otel"
	"github.com/dataexport/dataexport/store/memstore"
)

const kind = "dataset=memories,format=csv"

// events names the data point of an event; the attributes of a point are sorted.
func events(event dataexport.EventKind) string {
	return "events{dataset=memories,event=" + string(event) + ",format=csv}"
}

func TestMetricsOfAWholeLife(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t, newScript(takes(2*time.Second)), nil)
		f.create(t.Context(), t)
		time.Sleep(3 * time.Second)
		ready, err := f.Runner().RunNext(t.Context())
		require.NoError(t, err)
		assert.Equal(t, map[string]float64{
			events("created"): 1,
			events("started"): 1,
			events("ready"):   1,
			"attempt.duration.sum{" + kind + ",outcome=ready}":   2,
			"attempt.duration.count{" + kind + ",outcome=ready}": 1,
			"job.duration.sum{" + kind + ",outcome=ready}":       5,
			"job.duration.count{" + kind + ",outcome=ready}":     1,
			"records{" + kind + "}":                              2,
			"bytes{" + kind + "}":                                float64(ready.FileSize),
		}, f.measured(t))

		time.Sleep(73 * time.Hour)
		_, err = f.Runner().Sweep(t.Context())
		require.NoError(t, err)
		time.Sleep(31 * 24 * time.Hour)
		_, err = f.Runner().Sweep(t.Context())
		require.NoError(t, err)
		measured := f.measured(t)
		assert.InDelta(t, 1, measured[events("expired")], 0)
		assert.InDelta(t, 1, measured[events("forgotten")], 0)
		assert.InDelta(t, 1, measured["attempt.duration.count{"+kind+",outcome=ready}"], 0)
		assert.InDelta(t, 2, measured["records{"+kind+"}"], 0)
	})
}

func TestMetricsOfFailures(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		gone := &dataexport.PublicError{Code: "SOURCE_GONE", Message: "The source is gone.", Permanent: true}
		f := newFixture(t, newScript(fails(gone), fails(errSecret)), nil)
		f.create(t.Context(), t)
		_, err := f.Runner().RunNext(t.Context())
		require.NoError(t, err)
		time.Sleep(time.Second) // the backoff
		_, err = f.Runner().RunNext(t.Context())
		require.NoError(t, err)
		assert.Equal(t, map[string]float64{
			events("created"): 1,
			events("started"): 2,
			events("retried"): 1,
			events("failed"):  1,
			"attempt.duration.sum{" + kind + ",outcome=retried}":                         1,
			"attempt.duration.count{" + kind + ",outcome=retried}":                       1,
			"attempt.duration.sum{" + kind + ",outcome=failed,error.type=SOURCE_GONE}":   1,
			"attempt.duration.count{" + kind + ",outcome=failed,error.type=SOURCE_GONE}": 1,
			"job.duration.sum{" + kind + ",outcome=failed,error.type=SOURCE_GONE}":       3,
			"job.duration.count{" + kind + ",outcome=failed,error.type=SOURCE_GONE}":     1,
		}, f.measured(t))
	})
}

// What is handed back is told under a context that is cancelled, and counts all the same.
func TestMetricsOfAttemptsForNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		started := make(chan struct{})
		f := newFixture(t, newScript(blocks(started)), nil)
		job := f.create(t.Context(), t)
		handBack(t, f, started)
		deleteAtWork(t, f, started, job.ID)
		assert.Equal(t, map[string]float64{
			events("created"):     1,
			events("started"):     2,
			events("handed_back"): 1,
			events("deleted"):     1,
			events("lost"):        1,
			"attempt.duration.sum{" + kind + ",outcome=handed_back}":   1,
			"attempt.duration.count{" + kind + ",outcome=handed_back}": 1,
			"attempt.duration.sum{" + kind + ",outcome=lost}":          1,
			"attempt.duration.count{" + kind + ",outcome=lost}":        1,
		}, f.measured(t))
	})
}

// handBack runs an attempt that is told to stop after a second.
func handBack(t *testing.T, f *fixture, started <-chan struct{}) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		<-started
		time.Sleep(time.Second)
		cancel()
	}()
	job, err := f.Runner().RunNext(ctx)
	require.NoError(t, err)
	require.Equal(t, dataexport.StatusPending, job.Status)
}

// deleteAtWork runs an attempt whose job is deleted after a second.
func deleteAtWork(t *testing.T, f *fixture, started <-chan struct{}, id string) {
	t.Helper()
	go func() {
		<-started
		time.Sleep(time.Second)
		assert.NoError(t, f.Delete(t.Context(), scope, id))
	}()
	_, err := f.Runner().RunNext(t.Context())
	require.ErrorIs(t, err, dataexport.ErrConflict)
	synctest.Wait()
}

func TestUnits(t *testing.T) {
	f := newFixture(t, newScript(takes(0)), nil)
	stop, err := f.telemetry.Watch(t.Context(), f)
	require.NoError(t, err)
	defer func() { require.NoError(t, stop()) }()
	f.create(t.Context(), t)
	_, err = f.Runner().RunNext(t.Context())
	require.NoError(t, err)
	units := make(map[string]string)
	for _, m := range f.collect(t) {
		units[m.Name] = m.Unit
		assert.NotEmpty(t, m.Description)
	}
	assert.Equal(t, map[string]string{
		"dataexport.jobs":             "{job}",
		"dataexport.queue.age":        "s",
		"dataexport.attempt.duration": "s",
		"dataexport.job.duration":     "s",
		"dataexport.records":          "{record}",
		"dataexport.bytes":            "By",
		"dataexport.events":           "{event}",
	}, units)
}

func TestGauges(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t, newScript(takes(0)), nil)
		stop, err := f.telemetry.Watch(t.Context(), f)
		require.NoError(t, err)
		assert.Equal(t, map[string]float64{"queue.age{}": 0}, f.measured(t))

		f.create(t.Context(), t)
		time.Sleep(20 * time.Second)
		f.create(t.Context(), t)
		time.Sleep(22 * time.Second)
		assert.Equal(t, gauges(2, 0, 0, 42), only(f.measured(t), "jobs", "queue.age"))

		_, err = f.Runner().RunNext(t.Context())
		require.NoError(t, err)
		assert.Equal(t, gauges(1, 1, 0, 22), only(f.measured(t), "jobs", "queue.age"))

		_, err = f.Runner().RunNext(t.Context())
		require.NoError(t, err)
		time.Sleep(72 * time.Hour)
		assert.Equal(t, gauges(0, 0, 2, 0), only(f.measured(t), "jobs", "queue.age"))

		require.NoError(t, stop())
		assert.Empty(t, only(f.measured(t), "jobs", "queue.age"))
	})
}

func gauges(pending, ready, expired, age float64) map[string]float64 {
	points := map[string]float64{"queue.age{}": age}
	for status, n := range map[string]float64{"pending": pending, "processing": 0, "ready": ready, "failed": 0, "expired": expired} {
		points[fmt.Sprintf("jobs{%s,job.status=%s}", kind, status)] = n
	}
	return points
}

// only returns the points of some metrics.
func only(points map[string]float64, names ...string) map[string]float64 {
	chosen := make(map[string]float64)
	for point, value := range points {
		for _, name := range names {
			if len(point) > len(name) && point[:len(name)+1] == name+"{" {
				chosen[point] = value
			}
		}
	}
	return chosen
}

func TestAStoreThatCannotCount(t *testing.T) {
	f := newFixture(t, newScript(takes(0)), func(c *dataexport.Config) {
		c.Store = struct{ dataexport.Store }{memstore.New()} // hides Stats
	})
	stop, err := f.telemetry.Watch(t.Context(), f)
	require.ErrorIs(t, err, errors.ErrUnsupported)
	require.NoError(t, stop())
	f.create(t.Context(), t)
	assert.Equal(t, map[string]float64{events("created"): 1}, f.measured(t))
}

// statsFunc counts as a function does.
type statsFunc func() (dataexport.Stats, error)

func (f statsFunc) Stats(context.Context) (dataexport.Stats, error) { return f() }

// A store that is away when the program starts is watched all the same, and its faults are those of a collection.
func TestAStoreThatComesAndGoes(t *testing.T) {
	away := errSecret
	f := newFixture(t, newScript(takes(0)), nil)
	stop, err := f.telemetry.Watch(t.Context(), statsFunc(func() (dataexport.Stats, error) {
		return dataexport.Stats{Waiting: time.Minute}, away
	}))
	require.NoError(t, err)
	defer func() { require.NoError(t, stop()) }()
	require.ErrorIs(t, f.reader.Collect(t.Context(), new(metricdata.ResourceMetrics)), errSecret)
	away = nil
	assert.Equal(t, map[string]float64{"queue.age{}": 60}, f.measured(t))
}

// refusing is a MeterProvider that refuses what can be refused.
type refusing struct {
	noop.MeterProvider
	callbacksOnly bool
}

func (p refusing) Meter(string, ...metric.MeterOption) metric.Meter {
	return refusingMeter{callbacksOnly: p.callbacksOnly}
}

type refusingMeter struct {
	noop.Meter
	callbacksOnly bool
}

func (m refusingMeter) Int64Counter(string, ...metric.Int64CounterOption) (metric.Int64Counter, error) {
	if m.callbacksOnly {
		return noop.Int64Counter{}, nil
	}
	return noop.Int64Counter{}, errSecret
}

func (refusingMeter) RegisterCallback(metric.Callback, ...metric.Observable) (metric.Registration, error) {
	return nil, errSecret
}

func TestAMeterProviderThatRefuses(t *testing.T) {
	_, err := dataexportotel.New(dataexportotel.Options{MeterProvider: refusing{}})
	require.ErrorIs(t, err, errSecret)

	telemetry, err := dataexportotel.New(dataexportotel.Options{MeterProvider: refusing{callbacksOnly: true}})
	require.NoError(t, err)
	stop, err := telemetry.Watch(t.Context(), memstore.New())
	require.ErrorIs(t, err, errSecret)
	require.NoError(t, stop())
}
