package dataexport

import (
	"errors"
	"fmt"
	"strings"
)

// The errors of this package and of every plug-in, to be told apart with errors.Is.
var (
	// ErrInvalid says that something given does not make sense. A *ValidationError, which names each field, is one.
	ErrInvalid = errors.New("dataexport: invalid")

	// ErrNotFound says that there is no such job, or none that the caller may know of; of a BlobStore, that there is no
	// such blob; of a Dataset, that what the scope names has no data to export.
	ErrNotFound = errors.New("dataexport: not found")

	// ErrConflict says that a job was changed by someone else since it was read: its version differs.
	ErrConflict = errors.New("dataexport: the job was changed in the meantime")

	// ErrNoJob says that no job is waiting to be claimed.
	ErrNoJob = errors.New("dataexport: no job is waiting")

	// ErrNotReady says that the file of a job is not there yet.
	ErrNotReady = errors.New("dataexport: the export is not ready")

	// ErrFailed says that a job has failed and has no file.
	ErrFailed = errors.New("dataexport: the export has failed")

	// ErrExpired says that the file of a job was there and is no longer to be had.
	ErrExpired = errors.New("dataexport: the export has expired")

	// ErrTooManyExports says that a workspace has its fill of active jobs or of files.
	ErrTooManyExports = errors.New("dataexport: too many exports")

	// ErrIdempotencyKeyReused says that an idempotency key came again with other parameters.
	ErrIdempotencyKeyReused = errors.New("dataexport: the idempotency key was used with other parameters")

	// ErrLimitExceeded says that an export grew past a configured bound.
	ErrLimitExceeded = errors.New("dataexport: the export exceeds its limit")

	// ErrBadRow says that a source gave a row that must not be exported: of another workspace, out of order, or not of the
	// collection's columns. The source has a fault; trying again does not help.
	ErrBadRow = errors.New("dataexport: the source gave a bad row")

	// ErrUnavailable says that a store does not answer or that the service is stopping. Trying again later may help.
	ErrUnavailable = errors.New("dataexport: unavailable")
)

// A FieldError says what is wrong with one field or parameter.
type FieldError struct {
	Field   string // as the caller wrote it, for example "created_after"
	Message string // one sentence that may be shown to the caller
}

// A ValidationError names every fault of a request at once. It is an ErrInvalid.
type ValidationError struct {
	Fields []FieldError
}

func (e *ValidationError) Error() string {
	var b strings.Builder
	b.WriteString("dataexport: invalid")
	for i, f := range e.Fields {
		if i == 0 {
			b.WriteString(": ")
		} else {
			b.WriteString("; ")
		}
		b.WriteString(f.Field + ": " + f.Message)
	}
	return b.String()
}

// Is reports whether target is ErrInvalid.
func (e *ValidationError) Is(target error) bool { return target == ErrInvalid }

// Add appends a fault of a field.
func (e *ValidationError) Add(field, format string, args ...any) {
	e.Fields = append(e.Fields, FieldError{Field: field, Message: fmt.Sprintf(format, args...)})
}

// Merge appends the faults of err if it is a ValidationError, and returns any other error.
func (e *ValidationError) Merge(err error) error {
	var other *ValidationError
	if errors.As(err, &other) {
		e.Fields = append(e.Fields, other.Fields...)
		return nil
	}
	return err
}

// Err returns e, or nil if it has no faults.
func (e *ValidationError) Err() error {
	if len(e.Fields) == 0 {
		return nil
	}
	return e
}

// A PublicError is a cause together with what the user may be told of it. A Source or Dataset that returns one decides
// what the failed job shows; of any other error the user learns only that something went wrong.
type PublicError struct {
	Code      string // upper case, for example "SOURCE_GONE"
	Message   string // one sentence without internals
	Permanent bool   // trying again does not help
	Err       error  // the cause, for the log; may be nil
}

func (e *PublicError) Error() string {
	if e.Err == nil {
		return e.Code + ": " + e.Message
	}
	return e.Code + ": " + e.Message + ": " + e.Err.Error()
}

func (e *PublicError) Unwrap() error { return e.Err }
