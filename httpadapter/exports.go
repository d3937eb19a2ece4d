package httpadapter

import (
	"net/http"
	"strings"

	"github.com/dataexport/dataexport"
	"github.com/google/uuid"
)

const mediaTypeJSON = "application/json"

// get shows one job.
func (h *handler) get(c *call) error {
	if err := parseQuery(c.r.URL.RawQuery).err(); err != nil {
		return err
	}
	id, err := jobID(c.id)
	if err != nil {
		return err
	}
	job, err := h.service.Get(c.r.Context(), c.scope, id)
	if err != nil {
		return err
	}
	return c.reply(http.StatusOK, mediaTypeJSON, newJobDocument(&job))
}

// delete cancels a job and removes it and its file.
func (h *handler) delete(c *call) error {
	if err := parseQuery(c.r.URL.RawQuery).err(); err != nil {
		return err
	}
	id, err := jobID(c.id)
	if err != nil {
		return err
	}
	if err := h.service.Delete(c.r.Context(), c.scope, id); err != nil {
		return err
	}
	c.w.WriteHeader(http.StatusNoContent)
	return nil
}

// A listDocument is a page of jobs.
type listDocument struct {
	Data     []jobDocument `json:"data"`
	Total    int           `json:"total"`
	Page     int64         `json:"page"`
	PageSize int64         `json:"page_size"`
}

const (
	defaultPageSize = 20
	maxPageSize     = 100

	// farthest is an offset behind the last job that any workspace will ever have, in an int of 32 bits too.
	farthest = 1 << 30
)

// list shows a page of jobs, newest first.
func (h *handler) list(c *call) error {
	q := parseQuery(c.r.URL.RawQuery, "page", "page_size", "status", "format")
	page := q.number("page", 1, 1<<63-1)
	size := q.number("page_size", defaultPageSize, maxPageSize)
	status := q.oneOf("status", statusNames())
	format := q.oneOf("format", h.formatNames())
	if err := q.err(); err != nil {
		return err
	}
	jobs, total, err := h.service.List(c.r.Context(), c.scope, dataexport.ListQuery{
		Status: dataexport.Status(status), Format: format, Offset: offset(page, size), Limit: int(size),
	})
	if err != nil {
		return err
	}
	data := make([]jobDocument, len(jobs))
	for i := range jobs {
		data[i] = newJobDocument(&jobs[i])
	}
	return c.reply(http.StatusOK, mediaTypeJSON, listDocument{data, total, page, size})
}

// offset returns how many jobs are on the pages in front of one, and farthest in place of what would overflow.
func offset(page, size int64) int {
	if page-1 > farthest/size {
		return farthest
	}
	return int((page - 1) * size)
}

func statusNames() []string {
	var names []string
	for _, status := range dataexport.Statuses() {
		names = append(names, string(status))
	}
	return names
}

func (h *handler) formatNames() []string {
	var names []string
	for _, format := range h.service.Formats() {
		names = append(names, format.Name)
	}
	return names
}

// jobID returns the id of a job as the store knows it. An id of another form is that of no job, and answered like one.
func jobID(id string) (string, error) {
	const length = 36 // with hyphens; uuid.Validate knows other forms too
	if len(id) != length || uuid.Validate(id) != nil {
		return "", dataexport.ErrNotFound
	}
	return strings.ToLower(id), nil // RFC 9562, section 4: read in either case, written in lower case
}
