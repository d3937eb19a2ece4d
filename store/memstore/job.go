package memstore

import (
	"slices"
	"time"

	"github.com/dataexport/dataexport"
)

func newJob(n dataexport.NewJob, at time.Time) *dataexport.Job {
	n.Filter.Categories = slices.Clone(n.Filter.Categories)
	return &dataexport.Job{
		ID:             n.ID,
		Version:        1,
		Scope:          n.Scope,
		Dataset:        n.Dataset,
		Format:         n.Format,
		Personal:       n.Personal,
		Filter:         n.Filter,
		Status:         dataexport.StatusPending,
		CreatedAt:      at,
		UpdatedAt:      at,
		IdempotencyKey: n.IdempotencyKey,
		Fingerprint:    n.Fingerprint,
	}
}

// hold gives a job to a worker.
func hold(j *dataexport.Job, at time.Time, lease time.Duration) {
	j.Version++
	j.Status = dataexport.StatusProcessing
	j.Attempts++
	j.Progress = dataexport.Progress{}
	j.StartedAt = at
	j.UpdatedAt = at
	j.HeldUntil = at.Add(lease)
}

// overwrite writes to the stored job what Store.Update takes from j.
func overwrite(stored, j *dataexport.Job, at time.Time, d time.Duration) {
	ended := stored.Status == dataexport.StatusProcessing && !j.Status.Active()
	stored.Version++
	stored.UpdatedAt = at
	stored.Status = j.Status
	stored.Attempts = j.Attempts
	stored.Progress = dataexport.Progress{Records: j.Progress.Records, Total: clone(j.Progress.Total)}
	stored.RecordCount = j.RecordCount
	stored.FileSize = j.FileSize
	stored.SHA256 = j.SHA256
	stored.BlobKey = j.BlobKey
	stored.Error = clone(j.Error)
	if j.Status.Active() {
		stored.HeldUntil = at.Add(d)
	}
	if ended {
		stored.CompletedAt = at
	}
	if ended && j.Status == dataexport.StatusReady {
		stored.ExpiresAt = at.Add(d)
	}
}

// view returns a stored job as it reads now, sharing no memory with it.
func view(j *dataexport.Job, at time.Time) dataexport.Job {
	seen := j.At(at)
	seen.Filter.Categories = slices.Clone(j.Filter.Categories)
	seen.Progress.Total = clone(j.Progress.Total)
	seen.Error = clone(j.Error)
	return seen
}

func clone[T any](p *T) *T {
	if p == nil {
		return nil
	}
	value := *p
	return &value
}
