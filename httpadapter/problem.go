package httpadapter

import (
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strconv"

	"github.com/dataexport/dataexport"
)

// The errors of this package that a client may cause, besides ErrUnauthorized. The table below says how they are answered.
var (
	errNoSuchPath         = errors.New("httpadapter: no such path")
	errMethodNotAllowed   = errors.New("httpadapter: method not allowed")
	errForbidden          = errors.New("httpadapter: forbidden")
	errRange              = errors.New("httpadapter: range not satisfiable")
	errPreconditionFailed = errors.New("httpadapter: precondition failed")
	errAccountNotFound    = errors.New("httpadapter: account not found")
	errHTTPVersion        = errors.New("httpadapter: HTTP version not supported")
)

// An answer says how an error is told to the client.
type answer struct {
	err        error // which errors it is for, by errors.Is
	status     int
	code       string
	detail     string
	retryAfter int // seconds, or 0 for no Retry-After
}

// retryAfterCreate is after how many seconds a look at a new job is worth it.
const retryAfterCreate = 2

// answers is the one table from errors to what clients see of them.
var answers = []answer{
	{errNoSuchPath, http.StatusNotFound, "NOT_FOUND", "There is nothing at this path.", 0},
	{errMethodNotAllowed, http.StatusMethodNotAllowed, "METHOD_NOT_ALLOWED", "The path does not have this method; Allow names those that it has.", 0},
	{ErrUnauthorized, http.StatusUnauthorized, "UNAUTHORIZED", "The credential is missing or wrong.", 0},
	{errForbidden, http.StatusForbidden, "FORBIDDEN", "The credential does not allow this.", 0},
	{errAccountNotFound, http.StatusNotFound, "ACCOUNT_NOT_FOUND", "There is no such account.", 0},
	{dataexport.ErrNotFound, http.StatusNotFound, "EXPORT_NOT_FOUND", "There is no such export.", 0},
	{dataexport.ErrNotReady, http.StatusConflict, "EXPORT_NOT_READY", "The export is still being made.", retryAfterCreate},
	{dataexport.ErrFailed, http.StatusConflict, "EXPORT_FAILED", "The export has failed and has no file; order a new one.", 0},
	{dataexport.ErrExpired, http.StatusGone, "EXPORT_EXPIRED", "The export has expired and its file is no longer available; order a new one.", 0},
	{errPreconditionFailed, http.StatusPreconditionFailed, "PRECONDITION_FAILED", "The file is not the one that the request asks for.", 0},
	{errRange, http.StatusRequestedRangeNotSatisfiable, "RANGE_NOT_SATISFIABLE", "The file does not have the range that was asked for.", 0},
	{dataexport.ErrIdempotencyKeyReused, http.StatusUnprocessableEntity, "IDEMPOTENCY_KEY_REUSED", "The idempotency key was used before with other parameters.", 0},
	{dataexport.ErrTooManyExports, http.StatusTooManyRequests, "TOO_MANY_EXPORTS", "The workspace has as many exports as it may; wait until one is done or remove one.", 30},
	{errHTTPVersion, http.StatusHTTPVersionNotSupported, "HTTP_VERSION_NOT_SUPPORTED", "This needs HTTP/1.1 or later: HTTP/1.0 cannot tell whether the answer is whole.", 0},
	{dataexport.ErrUnavailable, http.StatusServiceUnavailable, "UNAVAILABLE", "The service cannot answer at the moment.", 5},
}

var (
	validationAnswer = answer{status: http.StatusBadRequest, code: "VALIDATION_ERROR", detail: "The request has faults; errors names each of them."}
	internalAnswer   = answer{status: http.StatusInternalServerError, code: "INTERNAL", detail: "Something went wrong. The request id leads to the cause in the log of the service."}
)

// A problem is the document of an error (RFC 9457). Its type is about:blank: code says which problem it is, and stays the
// same wherever the handler is mounted.
type problem struct {
	Type      string       `json:"type"`
	Title     string       `json:"title"`
	Status    int          `json:"status"`
	Detail    string       `json:"detail"`
	Code      string       `json:"code"`
	RequestID string       `json:"request_id"`
	Errors    []fieldError `json:"errors,omitempty"` // of a validation error
}

type fieldError struct {
	Field   string `json:"field"`
	Message string `json:"message"`
}

// An explained error has a detail of its own in place of the one in the table.
type explained struct {
	error
	detail string
}

func (e *explained) Unwrap() error { return e.error }

func explain(err error, format string, args ...any) error {
	return &explained{error: err, detail: fmt.Sprintf(format, args...)}
}

// fail answers with an error and logs those that are not the client's.
func (x *exchange) fail(err error) {
	a := x.answerTo(err)
	document := problem{
		Type: "about:blank", Title: http.StatusText(a.status), Status: a.status, Detail: a.detail, Code: a.code, RequestID: x.id,
	}
	var faults *dataexport.ValidationError
	if a.status == http.StatusBadRequest && errors.As(err, &faults) {
		for _, fault := range faults.Fields {
			document.Errors = append(document.Errors, fieldError{fault.Field, fault.Message})
		}
	}
	h := x.w.Header()
	if a.status == http.StatusUnauthorized {
		h.Set("WWW-Authenticate", x.front.challenge)
	}
	if a.retryAfter > 0 {
		h.Set("Retry-After", strconv.Itoa(a.retryAfter))
	}
	if err := x.reply(a.status, "application/problem+json", document); err != nil {
		x.log(slog.LevelError, "the problem could not be written", err)
	}
}

// answerTo finds the answer to an error and logs the error if it is not the client's. When the client has gone, whatever
// failed then most likely failed for that: it is neither logged as an error nor called one.
func (x *exchange) answerTo(err error) answer {
	a := findAnswer(err)
	if a.status < http.StatusInternalServerError || a.status == http.StatusHTTPVersionNotSupported {
		return a
	}
	switch {
	case x.r.Context().Err() != nil:
		x.log(slog.LevelDebug, "the request was cancelled", err)
		return findAnswer(dataexport.ErrUnavailable)
	case a.status == http.StatusServiceUnavailable:
		x.log(slog.LevelWarn, "unavailable", err)
	default:
		x.log(slog.LevelError, "internal error", err)
	}
	return a
}

func findAnswer(err error) answer {
	var faults *dataexport.ValidationError
	if errors.As(err, &faults) {
		return validationAnswer
	}
	for _, a := range answers {
		if errors.Is(err, a.err) {
			var e *explained
			if errors.As(err, &e) {
				a.detail = e.detail
			}
			return a
		}
	}
	return internalAnswer
}
