package dataexport

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"
)

const sweepBatch = 100 // jobs that the sweep asks for at a time

// Sweep removes the files of expired jobs once their grace is over, and jobs that have been kept long enough. It returns
// how long it takes until there is more to do, or a negative duration if nothing is in sight. What cannot be removed is
// in the error, and tried again by the next sweep. Several may sweep at the same time.
func (r *Runner) Sweep(ctx context.Context) (next time.Duration, err error) {
	query := DueQuery{FileGrace: r.config.fileGrace(), Keep: r.config.JobRetention}
	stuck := make(map[string]error) // by job; those that cannot be cleaned do not keep the others
	for {
		query.Limit = len(stuck) + sweepBatch
		jobs, next, err := r.store.Due(ctx, query)
		if err != nil {
			return 0, fmt.Errorf("dataexport: sweeping: %w", err)
		}
		tried := 0
		for _, job := range jobs {
			if stuck[job.ID] != nil {
				continue
			}
			tried++
			if err := r.clean(ctx, job); err != nil {
				stuck[job.ID] = fmt.Errorf("job %s: %w", job.ID, err)
			}
		}
		switch {
		case tried > 0 && next == 0:
		case len(stuck) > 0:
			return next, fmt.Errorf("dataexport: sweeping: %w", errors.Join(slices.Collect(maps.Values(stuck))...))
		default:
			return next, nil
		}
	}
}

// clean takes one job a step further: first its file goes, much later the job itself.
func (r *Runner) clean(ctx context.Context, job Job) error {
	var err error
	event := Event{Kind: EventForgotten}
	if job.BlobKey != "" {
		if err := r.config.Blobs.Delete(ctx, job.BlobKey); err != nil {
			return err
		}
		job.BlobKey = ""
		event.Kind = EventExpired
		event.Job, err = r.store.Update(ctx, job, 0)
	} else {
		event.Job, err = r.store.Delete(ctx, job.Scope, job.ID)
	}
	switch {
	case err == nil:
		r.config.tell(ctx, event)
	case gone(err):
		return nil // someone else was faster
	}
	return err
}

// SweepOrphans removes files that no job needs, which a crash at the wrong moment leaves behind. It reads the whole list
// of files and looks at the job of each; keys that are not made by a Runner are left alone.
func (r *Runner) SweepOrphans(ctx context.Context) error {
	var faults []error
	var job *Job // of the blob before, nil if it does not exist
	var id string
	for blob, err := range r.config.Blobs.List(ctx, "") {
		if err != nil {
			return fmt.Errorf("dataexport: looking for orphans: %w", err)
		}
		owner, ok := jobOfKey(blob.Key)
		if !ok {
			continue
		}
		if owner != id || job != nil && job.Status.Active() {
			found, err := r.store.Find(ctx, owner)
			switch {
			case err == nil:
				job = &found
			case errors.Is(err, ErrNotFound):
				job = nil
			default:
				return fmt.Errorf("dataexport: looking for orphans: %w", err)
			}
			id = owner
		}
		isNeeded := needed(job, blob.Key)
		if isNeeded && job.Status.Active() {
			continue
		}
		removed, err := r.removeBlob(ctx, blob, isNeeded)
		if !removed && err == nil {
			continue
		}
		if err != nil {
			faults = append(faults, fmt.Errorf("%s: %w", blob.Key, err))
			continue
		}
		log := r.config.Logger.With(slog.String("job", owner))
		if job != nil {
			log = r.config.logOf(job)
		}
		message := "a file that no job needs was removed"
		if isNeeded {
			message = "an upload that was left over was removed; the file of the same key stays"
		}
		log.InfoContext(ctx, message, slog.String("key", blob.Key))
	}
	if len(faults) > 0 {
		return fmt.Errorf("dataexport: removing orphans: %w", errors.Join(faults...))
	}
	return nil
}

// needed reports whether a file may be of use. An active job may be writing it at this moment; when that job ends, its
// worker removes what is left of earlier attempts. A job that has ended never names another file, and one that is gone
// never comes back.
func needed(job *Job, key string) bool {
	return job != nil && (job.Status.Active() || job.BlobKey == key)
}

// removeBlob removes a blob of a job that has ended, which has no Put under way. If the key is needed, it removes only what is unfinished, and only
// if the storage can.
func (r *Runner) removeBlob(ctx context.Context, blob BlobInfo, needed bool) (removed bool, err error) {
	if !needed {
		return true, r.config.Blobs.Delete(ctx, blob.Key)
	}
	deleter, ok := r.config.Blobs.(UnfinishedDeleter)
	if !ok || !blob.Unfinished {
		return false, nil
	}
	err = deleter.DeleteUnfinished(ctx, blob.Key)
	if errors.Is(err, errors.ErrUnsupported) {
		return false, nil
	}
	return true, err
}

// attemptKey returns where the attempt that claimed a job writes its file: no two attempts have the same version.
func attemptKey(job Job) string { return job.ID + "/" + strconv.FormatInt(job.Version, 10) }

// jobOfKey returns the id of the job of a key that attemptKey has made.
func jobOfKey(key string) (id string, ok bool) {
	id, version, _ := strings.Cut(key, "/")
	n, err := strconv.ParseInt(version, 10, 64)
	parsed, parseErr := uuid.Parse(id)
	made := err == nil && n > 0 && parseErr == nil && parsed.Version() == 7 && key == attemptKey(Job{ID: parsed.String(), Version: n})
	return id, made
}

// removeUnneeded removes the file of an attempt that was overtaken, unless its job needs it after all or is still active,
// since then whoever has the job removes it at the end. Faults are logged; SweepOrphans will find what is left.
func (r *Runner) removeUnneeded(ctx context.Context, key string, log *slog.Logger) {
	ctx, cancel := context.WithTimeout(ctx, r.config.StoreTimeout)
	defer cancel()
	id, _ := jobOfKey(key)
	found, err := r.store.Find(ctx, id)
	job := &found
	if errors.Is(err, ErrNotFound) {
		job, err = nil, nil
	}
	if err == nil && !needed(job, key) {
		err = r.config.Blobs.Delete(ctx, key)
	}
	if err != nil {
		log.ErrorContext(ctx, "a file that nobody needs could not be removed; the sweep will", slog.String("key", key), slog.Any("error", err))
	}
}

// removeFiles removes all files of a job but the one to keep. Faults are logged; SweepOrphans will find what is left.
func (r *Runner) removeFiles(ctx context.Context, job Job, keep string) {
	ctx, cancel := context.WithTimeout(ctx, r.config.StoreTimeout)
	defer cancel()
	for blob, err := range r.config.Blobs.List(ctx, job.ID+"/") {
		listing := err != nil
		if !listing {
			_, err = r.removeBlob(ctx, blob, blob.Key == keep)
		}
		if err != nil {
			r.config.logOf(&job).ErrorContext(ctx, "a file that nobody needs could not be removed; the sweep will",
				slog.String("key", blob.Key), slog.Any("error", err))
		}
		if listing {
			return
		}
	}
}
