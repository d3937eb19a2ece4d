package httpadapter

import (
	"time"

	"github.com/dataexport/dataexport"
)

// A jobDocument is a job as clients see it. Every member is always there, null where it does not apply.
type jobDocument struct {
	ID            string    `json:"id"`
	Format        string    `json:"format"`
	Status        string    `json:"status"`
	UserID        *string   `json:"user_id"`
	AgentID       *string   `json:"agent_id"`
	SessionID     *string   `json:"session_id"`
	Priority      *string   `json:"priority"`
	Categories    []string  `json:"categories"`
	CreatedAfter  *string   `json:"created_after"`
	CreatedBefore *string   `json:"created_before"`
	CreatedAt     string    `json:"created_at"`
	UpdatedAt     string    `json:"updated_at"`
	Dataset       string    `json:"dataset"`
	StartedAt     *string   `json:"started_at"`
	CompletedAt   *string   `json:"completed_at"`
	ExpiresAt     *string   `json:"expires_at"`
	Attempts      int       `json:"attempts"`
	Progress      progress  `json:"progress"`
	RecordCount   *int64    `json:"record_count"`
	FileSize      *int64    `json:"file_size"`
	SHA256        *string   `json:"sha256"`
	Error         *jobError `json:"error"`
}

type progress struct {
	Records int64  `json:"records"`
	Total   *int64 `json:"total"`
}

type jobError struct {
	Code    string `json:"code"`
	Message string `json:"message"`
}

func newJobDocument(j *dataexport.Job) jobDocument {
	d := jobDocument{
		ID:            j.ID,
		Format:        j.Format,
		Status:        string(j.Status),
		UserID:        optional(j.Filter.UserID),
		AgentID:       optional(j.Filter.AgentID),
		SessionID:     optional(j.Filter.SessionID),
		Priority:      optional(string(j.Filter.Priority)),
		Categories:    j.Filter.Categories,
		CreatedAfter:  optional(exactTime(j.Filter.CreatedAfter)),
		CreatedBefore: optional(exactTime(j.Filter.CreatedBefore)),
		CreatedAt:     milliseconds(j.CreatedAt),
		UpdatedAt:     milliseconds(j.UpdatedAt),
		Dataset:       j.Dataset,
		StartedAt:     optional(milliseconds(j.StartedAt)),
		CompletedAt:   optional(milliseconds(j.CompletedAt)),
		Attempts:      j.Attempts,
		Progress:      progress{j.Progress.Records, j.Progress.Total},
	}
	switch j.Status {
	case dataexport.StatusReady, dataexport.StatusExpired:
		d.ExpiresAt = optional(milliseconds(j.ExpiresAt))
		d.RecordCount, d.FileSize, d.SHA256 = &j.RecordCount, &j.FileSize, &j.SHA256
	case dataexport.StatusFailed:
		if j.Error != nil {
			d.Error = &jobError{j.Error.Code, j.Error.Message}
		}
	}
	return d
}

// optional returns nil for what is not set.
func optional(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

// milliseconds writes a time of a job, which has milliseconds and no more; a zero time is empty.
func milliseconds(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format("2006-01-02T15:04:05.000Z")
}

// exactTime writes a time of a filter, which is shown as it was given: with milliseconds, or more digits if it has them.
func exactTime(t time.Time) string {
	if t.IsZero() || t.Nanosecond()%int(time.Millisecond) == 0 {
		return milliseconds(t)
	}
	return t.UTC().Format("2006-01-02T15:04:05.999999999Z")
}
