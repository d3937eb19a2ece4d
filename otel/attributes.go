package otel

import (
	"go.opentelemetry.io/otel/attribute"

	"github.com/dataexport/dataexport"
)

// The attributes of metrics and spans.
const (
	keyDataset = attribute.Key("dataexport.dataset")
	keyFormat  = attribute.Key("dataexport.format")
	keyOutcome = attribute.Key("dataexport.outcome") // the EventKind that ended the attempt or the job
	keyError   = attribute.Key("error.type")         // of the general conventions of OpenTelemetry
)

// Attributes of metrics alone.
const (
	keyStatus = attribute.Key("dataexport.job.status")
	keyEvent  = attribute.Key("dataexport.event")
)

// Attributes of spans alone.
const (
	keyJob       = attribute.Key("dataexport.job.id")
	keyWorkspace = attribute.Key("dataexport.workspace.id")
	keyAttempt   = attribute.Key("dataexport.job.attempt")  // from 1
	keyAttempts  = attribute.Key("dataexport.job.attempts") // how many there were
	keyRecords   = attribute.Key("dataexport.records")
	keyBytes     = attribute.Key("dataexport.bytes")
)

// outcome returns how an attempt or a job ended. The code of an error is one of few: the Code of a PublicError is.
func outcome(e *dataexport.Event) []attribute.KeyValue {
	attributes := []attribute.KeyValue{keyOutcome.String(string(e.Kind))}
	if e.Kind == dataexport.EventFailed && e.Job.Error != nil {
		attributes = append(attributes, keyError.String(e.Job.Error.Code))
	}
	return attributes
}
