// Package otel tells OpenTelemetry what dataexport does: metrics of the jobs, and a trace for each of them. Import it under
// a name of its own, since OpenTelemetry's package is called otel too:
//
//	import dataexportotel "github.com/dataexport/dataexport/otel"
//
//	telemetry, err := dataexportotel.New(dataexportotel.Options{})
//	service, err := dataexport.New(dataexport.Config{Hooks: []dataexport.Hooks{telemetry.Hooks()}, …})
//	stop, err := telemetry.Watch(ctx, service)
//
// # Metrics
//
// All names begin with "dataexport.". Every metric but queue.age has the attributes dataexport.dataset and dataexport.format;
// none has an id of a job or of a workspace. Durations are in seconds.
//
//	jobs               gauge      {job}     jobs by dataexport.job.status: pending, processing, ready, failed, expired
//	queue.age          gauge      s         how long the job that waits the longest could have been worked on; 0 if none waits
//	attempt.duration   histogram  s         attempts by dataexport.outcome: ready, failed, retried, handed_back, lost
//	job.duration       histogram  s         from the order to the end, by dataexport.outcome: ready, failed
//	records            counter    {record}  records in files of READY jobs
//	bytes              counter    By        bytes of files of READY jobs
//	events             counter    {event}   events by dataexport.event, which is the EventKind
//
// What has failed also has error.type, the public code of the job's error. The gauges come from [Telemetry.Watch], which
// reads the store: each process that watches reports the jobs of all. So look at their maximum over the processes and
// not at their sum, or have one process watch. The others are told by the process in which it happened, and add up.
//
// # Traces
//
// A job is worked on by whichever process is free, often after the request that ordered it is over, and again after a failure.
// It has one trace all the same. [TraceID] makes the id of the trace of the id of the job, so that every process knows it and
// nothing has to be stored. These spans are in it, none of them the parent of another:
//
//	dataexport.create   producer  the moment of the order, told by the process that took it
//	dataexport.attempt  consumer  an attempt; what the dataset and the store of files do under its context are its children
//	dataexport.job      internal  the whole job, from the order until it is READY, FAILED, or deleted before it was either
//
// The span of a job is made at its end, with the times of the store's clock. Those of the others are of the process's clock.
// A process that dies takes the span of its attempt with it, and the next attempt goes on in the same trace.
//
// A span that came about within another trace, such as that of the HTTP request that orders or deletes a job or that of a job
// engine, is linked to it, and it to the span. Whether spans are recorded is up to the sampler of the TracerProvider, for which
// they are roots: one that decides by the trace id, such as TraceIDRatioBased with or without ParentBased, takes a job as a
// whole or not at all. A sampler behind a collector that waits for whole traces sees the parts of a long job one by one.
//
// Spans say dataexport.job.id, dataexport.workspace.id, dataexport.dataset and dataexport.format; an attempt its number as
// dataexport.job.attempt, a job the number of them as dataexport.job.attempts; and what has ended dataexport.outcome,
// dataexport.records, dataexport.bytes and error.type. None says the Subject of a Scope. An attempt that has failed, or has lost
// its job although that was not deleted, has the status Error and the text of the error, as it is in the log. If a source puts
// personal data into its errors, it is in both. The span of the job has the public code alone.
package otel
