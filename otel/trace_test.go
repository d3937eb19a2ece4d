package otel_test

import (
	"context"
	"strconv"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	global "go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	metricnoop "go.opentelemetry.io/otel/metric/noop"
	"go.opentelemetry.io/otel/sdk/metric"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	"go.opentelemetry.io/otel/trace"
	tracenoop "go.opentelemetry.io/otel/trace/noop"

	"github.com/dataexport/dataexport"
	dataexportotel "github.com/dataexport/dataexport/otel"
	"github.com/dataexport/dataexport/store/memstore"
)

func TestTheTraceOfAJob(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var f *fixture
		f = newFixture(t, newScript(func(ctx context.Context) error {
			_, query := f.host.Start(ctx, "SELECT")
			defer query.End()
			time.Sleep(2 * time.Second)
			return nil
		}), nil)
		requestCtx, request := f.host.Start(t.Context(), "POST /exports")
		job := f.create(requestCtx, t)
		request.End()
		time.Sleep(3 * time.Second)
		engineCtx, engine := f.host.Start(t.Context(), "engine")
		ready, err := f.Runner().RunNext(engineCtx)
		require.NoError(t, err)
		engine.End()

		create, query := f.ended("dataexport.create")[0], f.ended("SELECT")[0]
		attempt, whole := f.ended("dataexport.attempt")[0], f.ended("dataexport.job")[0]
		require.Len(t, f.spans.Ended(), 6)
		require.Len(t, f.spans.Started(), 6)
		for _, s := range []sdktrace.ReadOnlySpan{create, attempt, whole, query} {
			assert.Equal(t, dataexportotel.TraceID(job.ID), s.SpanContext().TraceID(), s.Name())
		}
		for _, s := range []sdktrace.ReadOnlySpan{create, attempt, whole} {
			assert.False(t, s.Parent().HasSpanID(), s.Name())
			for key, value := range map[string]string{
				"dataexport.job.id": job.ID, "dataexport.workspace.id": "acme", "dataexport.dataset": "memories", "dataexport.format": "csv",
			} {
				assert.Contains(t, s.Attributes(), attribute.String(key, value), s.Name())
			}
		}
		assert.Equal(t, attempt.SpanContext().SpanID(), query.Parent().SpanID())

		assert.Equal(t, trace.SpanKindProducer, create.SpanKind())
		assert.Equal(t, trace.SpanKindConsumer, attempt.SpanKind())
		assert.Equal(t, trace.SpanKindInternal, whole.SpanKind())
		bytes := strconv.FormatInt(ready.FileSize, 10)
		assert.Empty(t, attributes(create))
		assert.Equal(t, map[string]string{"job.attempt": "1", "outcome": "ready", "records": "2", "bytes": bytes}, attributes(attempt))
		assert.Equal(t, map[string]string{"job.attempts": "1", "outcome": "ready", "records": "2", "bytes": bytes}, attributes(whole))
		assert.Equal(t, codes.Unset, attempt.Status().Code)
		assert.Equal(t, codes.Unset, whole.Status().Code)
		assert.Equal(t, ready.CreatedAt, whole.StartTime())
		assert.Equal(t, ready.CompletedAt, whole.EndTime())
		assert.Equal(t, 5*time.Second, whole.EndTime().Sub(whole.StartTime()))
		assert.Equal(t, 2*time.Second, attempt.EndTime().Sub(attempt.StartTime()))

		assertLinked(t, create, f.ended("POST /exports")[0])
		assertLinked(t, attempt, f.ended("engine")[0])
		assert.Empty(t, whole.Links())
	})
}

// assertLinked says that two spans are linked to each other and to nothing else.
func assertLinked(t *testing.T, one, other sdktrace.ReadOnlySpan) {
	t.Helper()
	require.Len(t, one.Links(), 1)
	require.Len(t, other.Links(), 1)
	assert.Equal(t, other.SpanContext(), one.Links()[0].SpanContext)
	assert.Equal(t, one.SpanContext(), other.Links()[0].SpanContext)
}

// Two processes work on a job: each finds its trace, and nothing was handed from one to the other but the job.
func TestTheTraceOfAJobOfSeveralProcesses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := memstore.New()
		sharing := func(c *dataexport.Config) { c.Store = store }
		first := newFixture(t, newScript(fails(errSecret)), sharing)
		second := newFixture(t, newScript(takes(0)), sharing)
		job := first.create(t.Context(), t)
		_, err := first.Runner().RunNext(t.Context())
		require.NoError(t, err)
		time.Sleep(time.Second) // the backoff
		_, err = second.Runner().RunNext(t.Context())
		require.NoError(t, err)

		require.Len(t, first.ended("dataexport.attempt"), 1)
		require.Empty(t, first.ended("dataexport.job"))
		retried, ready := first.ended("dataexport.attempt")[0], second.ended("dataexport.attempt")[0]
		whole := second.ended("dataexport.job")[0]
		assert.Equal(t, dataexportotel.TraceID(job.ID), retried.SpanContext().TraceID())
		assert.Equal(t, dataexportotel.TraceID(job.ID), ready.SpanContext().TraceID())
		assert.Equal(t, dataexportotel.TraceID(job.ID), whole.SpanContext().TraceID())
		assert.Equal(t, map[string]string{"job.attempt": "1", "outcome": "retried"}, attributes(retried))
		assert.Equal(t, "2", attributes(ready)["job.attempt"])
		assert.Equal(t, "2", attributes(whole)["job.attempts"])
		assertFault(t, retried, errSecret.Error())
		assert.Equal(t, codes.Unset, whole.Status().Code)
	})
}

func TestTheTraceOfAJobThatFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t, newScript(fails(errSecret)), func(c *dataexport.Config) { c.MaxAttempts = 1 })
		f.create(t.Context(), t)
		failed, err := f.Runner().RunNext(t.Context())
		require.NoError(t, err)
		attempt, whole := f.ended("dataexport.attempt")[0], f.ended("dataexport.job")[0]
		assert.Equal(t, map[string]string{"job.attempt": "1", "outcome": "failed", "error.type": "EXPORT_FAILED"}, attributes(attempt))
		assert.Equal(t, map[string]string{"job.attempts": "1", "outcome": "failed", "error.type": "EXPORT_FAILED"}, attributes(whole))
		assertFault(t, attempt, errSecret.Error())
		assert.Equal(t, sdktrace.Status{Code: codes.Error, Description: "EXPORT_FAILED"}, whole.Status())
		assert.Empty(t, whole.Events())
		assert.Equal(t, failed.CompletedAt, whole.EndTime())
	})
}

// assertFault says that a span has an error as its status and as an exception.
func assertFault(t *testing.T, s sdktrace.ReadOnlySpan, text string) {
	t.Helper()
	assert.Equal(t, codes.Error, s.Status().Code)
	assert.Contains(t, s.Status().Description, text)
	require.Len(t, s.Events(), 1)
	assert.Equal(t, "exception", s.Events()[0].Name)
}

// An attempt that ends for nothing is no fault, and a job that is deleted has a span that ends with that.
func TestTheTraceOfAJobThatIsDeleted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		started := make(chan struct{})
		f := newFixture(t, newScript(blocks(started)), nil)
		job := f.create(t.Context(), t)
		handBack(t, f, started)
		deleteAtWork(t, f, started, job.ID)

		attempts := f.ended("dataexport.attempt")
		require.Len(t, attempts, 2)
		assert.Equal(t, map[string]string{"job.attempt": "1", "outcome": "handed_back"}, attributes(attempts[0]))
		assert.Equal(t, map[string]string{"job.attempt": "1", "outcome": "lost"}, attributes(attempts[1]))
		require.Len(t, f.ended("dataexport.job"), 1)
		whole := f.ended("dataexport.job")[0]
		assert.Equal(t, map[string]string{"job.attempts": "1", "outcome": "deleted"}, attributes(whole))
		assert.Equal(t, 2*time.Second, whole.EndTime().Sub(whole.StartTime()))
		for _, s := range f.spans.Ended() {
			assert.Equal(t, codes.Unset, s.Status().Code)
			assert.Empty(t, s.Events())
		}
		assert.Len(t, f.spans.Ended(), len(f.spans.Started()))
	})
}

// What becomes of a job after its end makes no more spans.
func TestAJobHasOneSpan(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t, newScript(takes(0)), nil)
		deleted := f.create(t.Context(), t)
		f.create(t.Context(), t)
		for range 2 {
			_, err := f.Runner().RunNext(t.Context())
			require.NoError(t, err)
		}
		require.NoError(t, f.Delete(t.Context(), scope, deleted.ID))
		for range 2 {
			time.Sleep(31 * 24 * time.Hour)
			_, err := f.Runner().Sweep(t.Context())
			require.NoError(t, err)
		}
		assert.InDelta(t, 1, f.measured(t)[events("forgotten")], 0)
		assert.InDelta(t, 1, f.measured(t)[events("deleted")], 0)
		assert.Len(t, f.ended("dataexport.job"), 2)
		assert.Len(t, f.spans.Started(), 6)
	})
}

// A store that is ahead of the process makes no span that ends before it begins.
func TestAJobThatIsDeletedBeforeItWasMade(t *testing.T) {
	f := newFixture(t, newScript(takes(0)), nil)
	created := time.Now().Add(time.Hour)
	f.telemetry.Hooks().Event(t.Context(), dataexport.Event{
		Kind: dataexport.EventDeleted,
		Job:  dataexport.Job{ID: "019bc0f5-3a80-7000-8000-000000000001", Status: dataexport.StatusPending, CreatedAt: created},
	})
	whole := f.ended("dataexport.job")[0]
	assert.Equal(t, created, whole.StartTime())
	assert.Equal(t, created, whole.EndTime())
}

// A hangingStore does not take updates.
type hangingStore struct{ dataexport.Store }

func (hangingStore) Update(context.Context, dataexport.Job, time.Duration) (dataexport.Job, error) {
	return dataexport.Job{}, dataexport.ErrUnavailable
}

func TestTheTraceOfAnAttemptThatLosesItsLease(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		started := make(chan struct{}, 1)
		f := newFixture(t, newScript(blocks(started)), func(c *dataexport.Config) { c.Store = hangingStore{memstore.New()} })
		f.create(t.Context(), t)
		_, err := f.Runner().RunNext(t.Context())
		require.ErrorIs(t, err, dataexport.ErrConflict)
		attempt := f.ended("dataexport.attempt")[0]
		assert.Equal(t, map[string]string{"job.attempt": "1", "outcome": "lost"}, attributes(attempt))
		assertFault(t, attempt, "could not be renewed in time")
		assert.Empty(t, f.ended("dataexport.job"))
	})
}

// A sampler that looks at the trace id takes a job as a whole or not at all, and the share of jobs that it was asked for.
func TestSamplingByTraceID(t *testing.T) {
	half := sdktrace.TraceIDRatioBased(0.5)
	sampled := func(id trace.TraceID) bool {
		return half.ShouldSample(sdktrace.SamplingParameters{ParentContext: t.Context(), TraceID: id}).Decision == sdktrace.RecordAndSample
	}
	const jobs = 1000
	raw, hashed := 0, 0
	for range jobs {
		id := uuid.Must(uuid.NewV7())
		if sampled(trace.TraceID(id)) {
			raw++
		}
		if sampled(dataexportotel.TraceID(id.String())) {
			hashed++
		}
	}
	assert.Zero(t, raw)                    // why TraceID is not the id of the job itself
	assert.InDelta(t, jobs/2, hashed, 130) // more than eight standard deviations

	f := newFixture(t, newScript(takes(0)), nil, sdktrace.WithSampler(sdktrace.ParentBased(half)))
	request := trace.ContextWithSpanContext(t.Context(), trace.NewSpanContext(trace.SpanContextConfig{
		TraceID: trace.TraceID{1}, SpanID: trace.SpanID{1}, TraceFlags: trace.FlagsSampled,
	}))
	want := 0
	for range 20 {
		if job := f.create(request, t); sampled(dataexportotel.TraceID(job.ID)) {
			want += 3
		}
		_, err := f.Runner().RunNext(request)
		require.NoError(t, err)
	}
	assert.Len(t, f.spans.Ended(), want)
}

// A span that is not sampled is not linked to.
func TestUnsampledSpansAreNotLinkedTo(t *testing.T) {
	f := newFixture(t, newScript(takes(0)), nil, sdktrace.WithSampler(sdktrace.NeverSample()))
	recorder := tracetest.NewSpanRecorder()
	host := sdktrace.NewTracerProvider(sdktrace.WithSpanProcessor(recorder)).Tracer("host")
	ctx, request := host.Start(t.Context(), "POST /exports")
	f.create(ctx, t)
	request.End()
	assert.Empty(t, recorder.Ended()[0].Links())
	assert.Empty(t, f.spans.Ended())
}

// Where there is no tracing, a span that is current stays so.
func TestWithoutTracing(t *testing.T) {
	telemetry, err := dataexportotel.New(dataexportotel.Options{
		MeterProvider: metricnoop.NewMeterProvider(), TracerProvider: tracenoop.NewTracerProvider(),
	})
	require.NoError(t, err)
	recorder := tracetest.NewSpanRecorder()
	host := sdktrace.NewTracerProvider(sdktrace.WithSpanProcessor(recorder)).Tracer("host")
	ctx, engine := host.Start(t.Context(), "engine")
	var within trace.Span
	f := newFixture(t, newScript(func(ctx context.Context) error {
		within = trace.SpanFromContext(ctx)
		return nil
	}), func(c *dataexport.Config) { c.Hooks = []dataexport.Hooks{telemetry.Hooks()} })
	f.create(ctx, t)
	ready, err := f.Runner().RunNext(ctx)
	require.NoError(t, err)
	assert.Equal(t, dataexport.StatusReady, ready.Status)
	assert.Equal(t, engine.SpanContext(), within.SpanContext())
	engine.End()
	assert.Empty(t, recorder.Ended()[0].Links())
}

// Another hook may make a span of its own the current one: it is not that which ends.
func TestAnotherHookWithASpanOfItsOwn(t *testing.T) {
	var f *fixture
	f = newFixture(t, newScript(takes(0)), func(c *dataexport.Config) {
		c.Hooks = append(c.Hooks, dataexport.Hooks{Attempt: func(ctx context.Context, _ dataexport.Job) context.Context {
			ctx, _ = f.host.Start(ctx, "mine")
			return ctx
		}})
	})
	f.create(t.Context(), t)
	_, err := f.Runner().RunNext(t.Context())
	require.NoError(t, err)
	assert.Len(t, f.ended("dataexport.attempt"), 1)
	assert.Empty(t, f.ended("mine"))
}

func TestGlobalProviders(t *testing.T) {
	reader, recorder := metric.NewManualReader(), tracetest.NewSpanRecorder()
	global.SetMeterProvider(metric.NewMeterProvider(metric.WithReader(reader)))
	global.SetTracerProvider(sdktrace.NewTracerProvider(sdktrace.WithSpanProcessor(recorder)))
	defer global.SetMeterProvider(metricnoop.NewMeterProvider())
	defer global.SetTracerProvider(tracenoop.NewTracerProvider())
	telemetry, err := dataexportotel.New(dataexportotel.Options{})
	require.NoError(t, err)
	f := newFixture(t, newScript(takes(0)), func(c *dataexport.Config) { c.Hooks = []dataexport.Hooks{telemetry.Hooks()} })
	job := f.create(t.Context(), t)
	_, err = f.Runner().RunNext(t.Context())
	require.NoError(t, err)
	f.reader = reader
	assert.InDelta(t, 2, f.measured(t)["records{"+kind+"}"], 0)
	require.Len(t, recorder.Ended(), 3)
	for _, s := range recorder.Ended() {
		assert.Equal(t, dataexportotel.TraceID(job.ID), s.SpanContext().TraceID())
	}
}

func TestManyJobsAtOnce(t *testing.T) {
	f := newFixture(t, newScript(takes(0)), func(c *dataexport.Config) { c.Limits.ActiveJobs, c.Workers = -1, 4 })
	stop, err := f.telemetry.Watch(t.Context(), f)
	require.NoError(t, err)
	defer func() { require.NoError(t, stop()) }()
	const creators, each = 4, 25
	var group sync.WaitGroup
	for range creators {
		group.Go(func() {
			for range each {
				job, _, err := f.Create(t.Context(), dataexport.CreateRequest{Scope: scope, Format: "csv"})
				if !assert.NoError(t, err) {
					return
				}
				_, err = f.Runner().RunJob(t.Context(), job.ID)
				assert.NoError(t, err)
			}
		})
		group.Go(func() { f.measured(t) })
	}
	group.Wait()
	measured := f.measured(t)
	assert.InDelta(t, creators*each, measured["jobs{"+kind+",job.status=ready}"], 0)
	assert.InDelta(t, creators*each, measured["attempt.duration.count{"+kind+",outcome=ready}"], 0)
	assert.InDelta(t, 2*creators*each, measured["records{"+kind+"}"], 0)
	traces := make(map[trace.TraceID]int)
	for _, s := range f.spans.Ended() {
		traces[s.SpanContext().TraceID()]++
	}
	assert.Len(t, traces, creators*each)
	for _, spans := range traces {
		assert.Equal(t, 3, spans)
	}
}
