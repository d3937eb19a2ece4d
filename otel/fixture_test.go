package otel_test

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	"go.opentelemetry.io/otel/trace"

	"github.com/dataexport/dataexport"
	"github.com/dataexport/dataexport/memory"
	dataexportotel "github.com/dataexport/dataexport/otel"
	"github.com/dataexport/dataexport/render"
	"github.com/dataexport/dataexport/store/memblob"
	"github.com/dataexport/dataexport/store/memstore"
)

var (
	scope     = dataexport.Scope{WorkspaceID: "acme", Subject: "ada@example.org"}
	errSecret = errors.New("the database is on fire")
)

// A fixture is a service, what its telemetry told, and a tracer of the host.
type fixture struct {
	*dataexport.Service
	telemetry *dataexportotel.Telemetry
	reader    *metric.ManualReader
	spans     *tracetest.SpanRecorder
	host      trace.Tracer
}

func newFixture(
	t *testing.T, dataset dataexport.Dataset, change func(*dataexport.Config), traces ...sdktrace.TracerProviderOption,
) *fixture {
	t.Helper()
	f := &fixture{reader: metric.NewManualReader(), spans: tracetest.NewSpanRecorder()}
	tracers := sdktrace.NewTracerProvider(append(traces, sdktrace.WithSpanProcessor(f.spans))...)
	f.host = tracers.Tracer("host")
	var err error
	f.telemetry, err = dataexportotel.New(dataexportotel.Options{
		MeterProvider:  metric.NewMeterProvider(metric.WithReader(f.reader)),
		TracerProvider: tracers,
	})
	require.NoError(t, err)
	config := dataexport.Config{
		Datasets:  []dataexport.Dataset{dataset},
		Renderers: render.Standard(),
		Store:     memstore.New(),
		Blobs:     memblob.New(),
		Logger:    slog.New(slog.DiscardHandler),
		Hooks:     []dataexport.Hooks{f.telemetry.Hooks()},
	}
	if change != nil {
		change(&config)
	}
	f.Service, err = dataexport.New(config)
	require.NoError(t, err)
	return f
}

func (f *fixture) create(ctx context.Context, t *testing.T) dataexport.Job {
	t.Helper()
	job, _, err := f.Create(ctx, dataexport.CreateRequest{Scope: scope, Format: "csv"})
	require.NoError(t, err)
	return job
}

// measured returns the data points of all metrics: counters and gauges by name and attributes, and of histograms the sum
// and the count. The prefix dataexport. is left out.
func (f *fixture) measured(t *testing.T) map[string]float64 {
	t.Helper()
	points := make(map[string]float64)
	for _, m := range f.collect(t) {
		name := func(set attribute.Set, suffix string) string {
			return strings.ReplaceAll(fmt.Sprintf("%s%s{%s}", m.Name, suffix, set.Encoded(attribute.DefaultEncoder())), "dataexport.", "")
		}
		switch data := m.Data.(type) {
		case metricdata.Sum[int64]:
			require.True(t, data.IsMonotonic)
			for _, p := range data.DataPoints {
				points[name(p.Attributes, "")] = float64(p.Value)
			}
		case metricdata.Gauge[int64]:
			for _, p := range data.DataPoints {
				points[name(p.Attributes, "")] = float64(p.Value)
			}
		case metricdata.Gauge[float64]:
			for _, p := range data.DataPoints {
				points[name(p.Attributes, "")] = p.Value
			}
		case metricdata.Histogram[float64]:
			for _, p := range data.DataPoints {
				points[name(p.Attributes, ".sum")] = p.Sum
				points[name(p.Attributes, ".count")] = float64(p.Count)
			}
		default:
			t.Fatalf("%s is a %T", m.Name, m.Data)
		}
	}
	return points
}

func (f *fixture) collect(t *testing.T) (metrics []metricdata.Metrics) {
	t.Helper()
	var collected metricdata.ResourceMetrics
	require.NoError(t, f.reader.Collect(t.Context(), &collected))
	for _, s := range collected.ScopeMetrics {
		require.Equal(t, "github.com/dataexport/dataexport/otel", s.Scope.Name)
		metrics = append(metrics, s.Metrics...)
	}
	return metrics
}

// ended returns the spans of a name that have ended.
func (f *fixture) ended(name string) (spans []sdktrace.ReadOnlySpan) {
	for _, s := range f.spans.Ended() {
		if s.Name() == name {
			spans = append(spans, s)
		}
	}
	return spans
}

// attributes returns the attributes of a span as text, without the prefix dataexport. and those that every span of a job has.
func attributes(s sdktrace.ReadOnlySpan) map[string]string {
	found := make(map[string]string)
	for _, a := range s.Attributes() {
		found[strings.TrimPrefix(string(a.Key), "dataexport.")] = a.Value.String()
	}
	for _, key := range []string{"job.id", "workspace.id", "dataset", "format"} {
		delete(found, key)
	}
	return found
}

// records are some of a workspace.
func records(workspace string) []memory.Record {
	created := time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC).Add(-time.Hour)
	return []memory.Record{
		{ID: "m1", WorkspaceID: workspace, Content: "Prefers tea.", CreatedAt: created},
		{ID: "m2", WorkspaceID: workspace, Content: "Lives in Delft.", CreatedAt: created},
	}
}

// newScript makes a dataset whose attempts do one thing after the other, the last one again and again, and yield records then.
func newScript(last func(context.Context) error, first ...func(context.Context) error) dataexport.Dataset {
	acts := make(chan func(context.Context) error, len(first))
	for _, act := range first {
		acts <- act
	}
	return memory.Dataset(func(ctx context.Context, q dataexport.Query) iter.Seq2[*memory.Record, error] {
		return func(yield func(*memory.Record, error) bool) {
			act := last
			select {
			case act = <-acts:
			default:
			}
			if err := act(ctx); err != nil {
				yield(nil, err)
				return
			}
			for _, r := range records(q.Scope.WorkspaceID) {
				if !yield(&r, nil) {
					return
				}
			}
		}
	})
}

func takes(d time.Duration) func(context.Context) error {
	return func(context.Context) error {
		time.Sleep(d)
		return nil
	}
}

func fails(err error) func(context.Context) error {
	return func(context.Context) error {
		time.Sleep(time.Second)
		return err
	}
}

// blocks says that it has started and then waits until it is told to stop.
func blocks(started chan<- struct{}) func(context.Context) error {
	return func(ctx context.Context) error {
		started <- struct{}{}
		<-ctx.Done()
		return ctx.Err()
	}
}
