//go:build linux

package chaos

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dataexport/dataexport"
)

// A job is a row of PostgreSQL.
type job struct {
	ID           string
	Key          string
	Status       dataexport.Status
	Attempts     int
	ErrorCode    *string
	ErrorMessage *string
	BlobKey      string
	FileSize     int64
	SHA256       string
	CreatedAt    time.Time
}

const readJobs = `SELECT id::text, idempotency_key, status, attempts, error_code, error_message, blob_key, file_size, sha256, created_at
	FROM dataexport_jobs ORDER BY id`

// judge waits until everything has come to an end, and demands that every promise was kept.
func (w *world) judge() {
	w.waitFor("all jobs to end", func() string {
		return w.list("SELECT concat_ws(' ', id, status, attempts, held_until) FROM dataexport_jobs WHERE status IN ('PENDING', 'PROCESSING') ORDER BY id")
	})
	w.timeline.add("all jobs have ended")
	jobs, err := query[job](w.t.Context(), w, readJobs)
	require.NoError(w.t, err)
	ready := w.judgeJobs(jobs)
	w.judgeFiles(ready)
	w.timeline.add("all files were downloaded from every server")
	w.judgeRiver()
	for _, m := range w.members {
		require.NoError(w.t, m.terminate(), "%s must end in good order, with no goroutine left", m.name)
	}
	w.sweep(ready)
	w.judgeHistory()
	for _, m := range w.members {
		w.judgeLog(m)
	}
}

// list returns the texts that a query finds, in one line, or what is wrong with asking.
func (w *world) list(statement string) string {
	type row struct{ Text string }
	rows, err := query[row](w.t.Context(), w, statement)
	if err != nil {
		return err.Error()
	}
	var texts []string
	for _, r := range rows {
		texts = append(texts, r.Text)
	}
	return strings.Join(texts, "; ")
}

// judgeJobs demands: every order that was answered and not deleted is there, once, and has ended, most of them READY and the
// others FAILED for a reason that chaos explains; and nothing else is there. It returns those that are READY.
func (w *world) judgeJobs(jobs []job) map[*order]job {
	byID := make(map[string]*job)
	for i := range jobs {
		byID[jobs[i].ID] = &jobs[i]
	}
	ready := make(map[*order]job)
	deleted, reasons := 0, make(map[string]int)
	for _, o := range w.orders.all {
		j := byID[o.id]
		delete(byID, o.id)
		switch {
		case o.id == "":
			w.t.Errorf("%s was never answered", o)
		case o.deleted:
			deleted++
			if j != nil {
				w.blame(o.id, "%s is there although it was deleted", o)
			}
			w.checkDeleted(o)
		case j == nil:
			w.blame(o.id, "%s is lost", o)
		case j.Status == dataexport.StatusReady:
			ready[o] = *j
		default:
			reasons[w.judgeFailed(o, j)]++
		}
	}
	for id := range byID {
		w.blame(id, "nobody has ordered it, or nobody knows")
	}
	failed := len(w.orders.all) - deleted - len(ready)
	w.t.Logf("%d orders: %d READY, %d deleted, %d FAILED %v", len(w.orders.all), len(ready), deleted, failed, reasons)
	assert.LessOrEqual(w.t, failed, len(w.orders.all)/5, "so many failed: %v", reasons) // seldom more than one in fifty
	return ready
}

// judgeFailed demands that a job has failed for no other reason than that all its attempts did.
func (w *world) judgeFailed(o *order, j *job) string {
	if j.Status != dataexport.StatusFailed || j.ErrorCode == nil || j.ErrorMessage == nil || *j.ErrorMessage == "" {
		w.blame(o.id, "%s is %s and gives no reason", o, j.Status)
		return string(j.Status)
	}
	if !slices.Contains([]string{"EXPORT_FAILED", "INTERRUPTED"}, *j.ErrorCode) || j.Attempts != maxAttempts || j.BlobKey != "" {
		w.blame(o.id, "%s has failed with %s after %d attempts, and its file is %q", o, *j.ErrorCode, j.Attempts, j.BlobKey)
	}
	return *j.ErrorCode
}

// judgeFiles demands that each file is the one that a quiet run makes, from whichever server.
func (w *world) judgeFiles(ready map[*order]job) {
	for o, j := range ready {
		for _, m := range w.members {
			content, err := w.download(m.address(), o)
			if err != nil {
				w.blame(o.id, "%s: downloading it from %s: %v", o, m.name, err)
				continue
			}
			if int64(len(content)) != j.FileSize || fmt.Sprintf("%x", sha256.Sum256(content)) != j.SHA256 {
				w.blame(o.id, "%s: the job has a file of %d bytes and the SHA-256 %s, and %s sends another of %d bytes", o, j.FileSize, j.SHA256, m.name, len(content))
			}
			want := w.accounts[o.format]
			if o.account {
				content = untimed(w.t, o.format, content)
			} else {
				want = w.data.export(w.t, o, j.CreatedAt)
			}
			if !bytes.Equal(want, content) {
				w.blame(o.id, "%s: the file from %s has %d bytes and is not what a quiet run makes, which has %d", o, m.name, len(content), len(want))
			}
		}
	}
}

// judgeRiver demands that River has nothing left to do for an export.
func (w *world) judgeRiver() {
	if w.list("SELECT coalesce(to_regclass('river_job')::text, '')") == "" {
		return
	}
	w.waitFor("River to be done with all exports", func() string {
		return w.list(`SELECT concat_ws(' ', id, state, args, attempted_at, scheduled_at) FROM river_job
			WHERE kind = 'dataexport.export' AND state NOT IN ('completed', 'cancelled')`)
	})
	w.t.Logf("River: %s", w.list("SELECT concat(kind, ' ', state, ' ', count(*)) FROM river_job GROUP BY kind, state"))
	if strange := w.list(`SELECT concat_ws(' ', river_job.id, state, status, args) FROM river_job
		LEFT JOIN dataexport_jobs AS job ON job.id::text = args ->> 'export_id'
		WHERE kind = 'dataexport.export' AND (state = 'completed' AND status NOT IN ('READY', 'FAILED')
			OR state = 'cancelled' AND status IS NOT NULL)`); strange != "" {
		w.t.Errorf("River jobs that end otherwise than their exports: %s", strange)
	}
	if lost := w.list(`SELECT job.id::text FROM dataexport_jobs AS job
		WHERE NOT EXISTS (SELECT FROM river_job WHERE kind = 'dataexport.export' AND args ->> 'export_id' = job.id::text)`); lost != "" {
		w.t.Errorf("exports without a River job: %s", lost)
	}
}

// sweep starts one more server, which sweeps, and demands that then there is one file for each READY job and nothing else.
func (w *world) sweep(ready map[*order]job) {
	var want []string
	for _, j := range ready {
		want = append(want, j.BlobKey)
	}
	slices.Sort(want)
	orphans := len(w.storage.Objects(w.t)) - len(want)
	w.t.Logf("before the sweep there are %d files and %d uploads too many", orphans, len(w.storage.Uploads(w.t)))
	sweeper := w.newMember("the sweeper", "pool") // River sweeps every ten minutes, whoever is there
	w.members = append(w.members, sweeper)
	sweeper.start()
	w.waitFor("the files of READY jobs and no others", func() string {
		if uploads := w.storage.Uploads(w.t); len(uploads) > 0 {
			return fmt.Sprintf("uploads %q", uploads)
		}
		if objects := w.storage.Objects(w.t); !slices.Equal(objects, want) {
			return fmt.Sprintf("files %q, not %q", objects, want)
		}
		return ""
	})
	w.waitFor("the sweeper to listen", func() string {
		if sweeper.address() == "" {
			return "it does not"
		}
		return ""
	})
	w.timeline.add("all orphans are swept")
	require.NoError(w.t, sweeper.terminate())
}

// judgeLog looks for what must never be in the log of a server.
func (w *world) judgeLog(m *member) {
	for line := range strings.Lines(m.log()) {
		for _, bad := range []string{"panic", "DATA RACE", "is missing", "deadlock", "goroutine "} {
			if strings.Contains(line, bad) {
				w.t.Errorf("the log of %s says: %s", m.name, line)
			}
		}
	}
}
