package otel_test

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"

	"github.com/dataexport/dataexport"
	"github.com/dataexport/dataexport/memory"
	dataexportotel "github.com/dataexport/dataexport/otel"
	"github.com/dataexport/dataexport/render"
	"github.com/dataexport/dataexport/store/memblob"
	"github.com/dataexport/dataexport/store/memstore"
)

// A host brings its providers, or sets the global ones, and hands the hooks to the service.
func Example() {
	// In earnest: a reader and an exporter that send to a collector.
	reader, exporter := metric.NewManualReader(), tracetest.NewInMemoryExporter()
	telemetry, err := dataexportotel.New(dataexportotel.Options{
		MeterProvider:  metric.NewMeterProvider(metric.WithReader(reader)),
		TracerProvider: sdktrace.NewTracerProvider(sdktrace.WithSyncer(exporter)),
	})
	if err != nil {
		panic(err)
	}

	service, err := dataexport.New(dataexport.Config{
		Datasets:  []dataexport.Dataset{memory.Slice(records("acme"))},
		Renderers: render.Standard(),
		Store:     memstore.New(),
		Blobs:     memblob.New(),
		Hooks:     []dataexport.Hooks{telemetry.Hooks()},
	})
	if err != nil {
		panic(err)
	}
	ctx := context.Background()
	stop, err := telemetry.Watch(ctx, service)
	if err != nil {
		panic(err)
	}
	defer func() { _ = stop() }()

	job, _, err := service.Create(ctx, dataexport.CreateRequest{Scope: dataexport.Scope{WorkspaceID: "acme"}})
	if err != nil {
		panic(err)
	}
	if _, err := service.Runner().RunNext(ctx); err != nil { // in earnest: service.Run
		panic(err)
	}

	var collected metricdata.ResourceMetrics
	if err := reader.Collect(ctx, &collected); err != nil {
		panic(err)
	}
	names := make(map[string]bool)
	for _, m := range collected.ScopeMetrics[0].Metrics {
		names[m.Name] = true
	}
	for _, name := range slices.Sorted(maps.Keys(names)) {
		fmt.Println(name)
	}
	for _, span := range exporter.GetSpans() {
		fmt.Println(span.Name, span.SpanContext.TraceID() == dataexportotel.TraceID(job.ID))
	}
	// Output:
	// dataexport.attempt.duration
	// dataexport.bytes
	// dataexport.events
	// dataexport.job.duration
	// dataexport.jobs
	// dataexport.queue.age
	// dataexport.records
	// dataexport.create true
	// dataexport.attempt true
	// dataexport.job true
}

// A host has hooks of its own beside those of the telemetry.
func ExampleTelemetry_Hooks() {
	telemetry, err := dataexportotel.New(dataexportotel.Options{})
	if err != nil {
		panic(err)
	}
	audit := dataexport.Hooks{Event: func(_ context.Context, e dataexport.Event) { fmt.Println(e.Kind) }}

	service, err := dataexport.New(dataexport.Config{
		Datasets:  []dataexport.Dataset{memory.Slice(nil)},
		Renderers: render.Standard(),
		Store:     memstore.New(),
		Blobs:     memblob.New(),
		Hooks:     []dataexport.Hooks{audit, telemetry.Hooks()},
	})
	if err != nil {
		panic(err)
	}
	ctx := context.Background()
	if _, _, err := service.Create(ctx, dataexport.CreateRequest{Scope: dataexport.Scope{WorkspaceID: "acme"}}); err != nil {
		panic(err)
	}
	if _, err := service.Runner().RunNext(ctx); err != nil {
		panic(err)
	}
	// Output:
	// created
	// started
	// ready
}
