package dataexport

import (
	"slices"
	"time"
)

// What the methods of a Store make of a job is said here once, so that stores agree on it: they keep what these
// functions return. Pointers and slices are shared with what the functions are given.

// Job returns the PENDING job that Store.Create inserts at a time.
func (n NewJob) Job(now time.Time) Job {
	return Job{
		ID:             n.ID,
		Version:        1,
		Scope:          n.Scope,
		Dataset:        n.Dataset,
		Format:         n.Format,
		Personal:       n.Personal,
		Filter:         n.Filter,
		Status:         StatusPending,
		CreatedAt:      now,
		UpdatedAt:      now,
		IdempotencyKey: n.IdempotencyKey,
		Fingerprint:    n.Fingerprint,
	}
}

// Claimable reports whether Store.Claim may give the job out at a time.
func (j *Job) Claimable(now time.Time) bool {
	return j.Status.Active() && !now.Before(j.HeldUntil)
}

// Claimed returns the job as Store.Claim gives it out at a time.
func (j Job) Claimed(now time.Time, lease time.Duration) Job {
	j.Version++
	j.Status = StatusProcessing
	j.Attempts++
	j.Progress = Progress{}
	j.StartedAt = now
	j.UpdatedAt = now
	j.HeldUntil = now.Add(lease)
	return j
}

// Updated returns the stored job j as Store.Update changes it at a time, given what the caller wants of it and how long
// that holds.
func (j Job) Updated(wanted Job, now time.Time, d time.Duration) Job {
	ended := j.Status == StatusProcessing && !wanted.Status.Active()
	j.Version++
	j.UpdatedAt = now
	j.Status = wanted.Status
	j.Attempts = wanted.Attempts
	j.Progress = wanted.Progress
	j.RecordCount = wanted.RecordCount
	j.FileSize = wanted.FileSize
	j.SHA256 = wanted.SHA256
	j.BlobKey = wanted.BlobKey
	j.Error = wanted.Error
	if j.Status.Active() {
		j.HeldUntil = now.Add(d)
	}
	if ended {
		j.CompletedAt = now
	}
	if ended && j.Status == StatusReady {
		j.ExpiresAt = now.Add(d)
	}
	return j
}

// Clone returns a copy of the job that shares no memory with it.
func (j Job) Clone() Job {
	j.Filter.Categories = slices.Clone(j.Filter.Categories)
	if j.Progress.Total != nil {
		total := *j.Progress.Total
		j.Progress.Total = &total
	}
	if j.Error != nil {
		cause := *j.Error
		j.Error = &cause
	}
	return j
}
