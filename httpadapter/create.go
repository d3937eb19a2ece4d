package httpadapter

import (
	"errors"
	"io"
	"net/http"
	"strconv"

	"github.com/dataexport/dataexport"
)

const idempotencyKeyHeader = "Idempotency-Key"

// create orders an export.
func (h *handler) create(c *call) error {
	request, err := h.createRequest(c)
	if err != nil {
		return err
	}
	job, replayed, err := h.service.Create(c.r.Context(), request)
	if err != nil {
		return err
	}
	header := c.w.Header()
	// Relative to the path of the request, whose last segment it replaces (RFC 3986, section 5.2.3), so that it holds
	// under every prefix.
	header.Set("Location", "exports/"+job.ID)
	header.Set("Retry-After", "0")
	if job.Status.Active() {
		header.Set("Retry-After", strconv.Itoa(retryAfterCreate))
	}
	if replayed {
		header.Set("Idempotent-Replayed", "true")
	}
	return c.reply(http.StatusAccepted, mediaTypeJSON, newJobDocument(&job))
}

// createRequest reads an order, or returns every fault of it at once.
func (h *handler) createRequest(c *call) (dataexport.CreateRequest, error) {
	q := parseQuery(c.r.URL.RawQuery, append([]string{"dataset", "format"}, dataexport.FilterNames()...)...)
	request := dataexport.CreateRequest{
		Scope:          c.scope,
		Dataset:        q.one("dataset"),
		Format:         q.one("format"),
		IdempotencyKey: q.idempotencyKey(c.r),
	}
	q.emptyBody(c.r)
	var err error
	if request.Filter, err = q.filter(); err != nil {
		return request, err
	}
	if q.err() == nil {
		return request, nil // Create looks for the rest
	}
	if err := q.faults.Merge(h.service.Validate(request)); err != nil {
		return request, err
	}
	return request, q.err()
}

// idempotencyKey returns the key of the request, or "". Length and characters are the service's to check.
func (q *query) idempotencyKey(r *http.Request) string {
	given := r.Header.Values(idempotencyKeyHeader)
	switch {
	case len(given) == 0:
		return ""
	case len(given) > 1:
		q.faults.Add(idempotencyKeyHeader, "the key is given more than once")
		return ""
	case given[0] == "":
		q.faults.Add(idempotencyKeyHeader, "the key is empty; leave the header out instead")
	}
	return given[0]
}

// emptyBody looks for a body. All there is to say is in the query; whoever puts a filter into the body must learn that
// nobody would read it.
func (q *query) emptyBody(r *http.Request) {
	const field = "body"
	if r.ContentLength > 0 {
		q.faults.Add(field, "the body must be empty; parameters go into the query")
		return
	}
	if r.ContentLength == 0 || r.Body == nil {
		return
	}
	switch n, err := io.ReadFull(r.Body, make([]byte, 1)); {
	case n > 0:
		q.faults.Add(field, "the body must be empty; parameters go into the query")
	case !errors.Is(err, io.EOF):
		q.faults.Add(field, "the body could not be read")
	}
}
