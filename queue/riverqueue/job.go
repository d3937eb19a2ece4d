package riverqueue

import (
	"encoding/json"
	"fmt"

	"github.com/riverqueue/river"
	"github.com/riverqueue/river/rivertype"

	"github.com/dataexport/dataexport"
)

// ExportKind is the kind of the River jobs that stand for exports.
const ExportKind = "dataexport.export"

// ExportArgs are the arguments of a River job that stands for an export. Nothing personal is in them, and nothing that
// could differ from the export.
type ExportArgs struct {
	ExportID string `json:"export_id"`
}

// Kind implements river.JobArgs.
func (ExportArgs) Kind() string { return ExportKind }

// metadata tells the user of River's tools what a job is about.
type metadata struct {
	Workspace string `json:"workspace"`
	Dataset   string `json:"dataset"`
	Format    string `json:"format"`
}

// output tells the user of River's tools how the export stands.
type output struct {
	Status   string `json:"status"`
	Attempts int    `json:"attempts"`
	Error    string `json:"error,omitempty"` // the code
}

// The priorities of River's jobs; a lower number goes first.
const (
	priorityInTurn  = 1 // somebody has found that the job goes before others
	priorityDefault = 2
)

// liveStates are the states of a River job that will run or is running.
var liveStates = []rivertype.JobState{
	rivertype.JobStateAvailable, rivertype.JobStatePending, rivertype.JobStateRetryable, rivertype.JobStateRunning, rivertype.JobStateScheduled,
}

// insertOptions returns how the River job of an export is inserted. An export has one live job at the most.
func (q *Queue) insertOptions(export *dataexport.Job) (*river.InsertOpts, error) {
	about, err := json.Marshal(metadata{Workspace: export.Scope.WorkspaceID, Dataset: export.Dataset, Format: export.Format})
	if err != nil {
		return nil, fmt.Errorf("riverqueue: export %s: %w", export.ID, err)
	}
	return &river.InsertOpts{
		Queue:      q.options.Queue,
		Priority:   priorityDefault,
		Metadata:   about,
		UniqueOpts: river.UniqueOpts{ByArgs: true, ByState: liveStates},
	}, nil
}
