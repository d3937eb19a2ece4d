package memstore

import (
	"time"

	"github.com/dataexport/dataexport"
)

// keep returns what the store keeps of a job: a copy that is shared with nobody.
func keep(j dataexport.Job) *dataexport.Job {
	j = j.Clone()
	return &j
}

// view returns a stored job as it reads now, sharing no memory with it.
func view(j *dataexport.Job, at time.Time) dataexport.Job { return j.At(at).Clone() }
