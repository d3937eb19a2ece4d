//go:build linux

package chaos

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dataexport/dataexport"
)

// audit has PostgreSQL itself write down every change of a job, whoever makes it.
const audit = `
	CREATE SCHEMA chaos;
	CREATE TABLE chaos.audit (
		seq bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, at timestamptz NOT NULL DEFAULT clock_timestamp(), op text NOT NULL,
		id uuid NOT NULL, workspace text NOT NULL, key text NOT NULL, version bigint NOT NULL, status text NOT NULL, attempts int NOT NULL,
		started_at timestamptz, held_until timestamptz, blob_key text NOT NULL);
	CREATE INDEX ON chaos.audit (id, seq);
	CREATE FUNCTION chaos.write() RETURNS trigger LANGUAGE plpgsql AS $$
	DECLARE j dataexport_jobs;
	BEGIN
		IF TG_OP = 'DELETE' THEN j := OLD; ELSE j := NEW; END IF;
		INSERT INTO chaos.audit (op, id, workspace, key, version, status, attempts, started_at, held_until, blob_key)
		VALUES (TG_OP, j.id, j.workspace_id, j.idempotency_key, j.version, j.status, j.attempts, j.started_at,
			nullif(j.held_until, '-infinity'), j.blob_key);
		RETURN NULL;
	END $$;
	CREATE TRIGGER chaos AFTER INSERT OR UPDATE OR DELETE ON dataexport_jobs FOR EACH ROW EXECUTE FUNCTION chaos.write()`

// A change is one row of the audit.
type change struct {
	Seq       int64
	At        time.Time
	Op        string
	ID        string
	Workspace string
	Key       string
	Version   int64
	Status    dataexport.Status
	Attempts  int
	StartedAt *time.Time
	HeldUntil *time.Time
	BlobKey   string
}

func (c *change) String() string {
	held := "never held"
	if c.HeldUntil != nil {
		held = "held until " + c.HeldUntil.UTC().Format("15:04:05.000")
	}
	return fmt.Sprintf("%s %-6s version %d %-10s attempts %d, %s, file %q", c.At.UTC().Format("15:04:05.000"), c.Op, c.Version, c.Status, c.Attempts, held, c.BlobKey)
}

// query asks PostgreSQL itself, without the proxy, and reads all rows.
func query[T any](ctx context.Context, w *world, statement string, args ...any) ([]T, error) {
	conn, err := pgx.Connect(ctx, w.postgres.URL("postgres"))
	if err != nil {
		return nil, err
	}
	defer conn.Close(ctx)
	rows, err := conn.Query(ctx, statement, args...)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, pgx.RowToStructByPos[T])
}

func (w *world) installAudit() {
	conn, err := pgx.Connect(w.t.Context(), w.postgres.URL("postgres"))
	require.NoError(w.t, err)
	defer conn.Close(w.t.Context())
	_, err = conn.Exec(w.t.Context(), audit)
	require.NoError(w.t, err)
}

const readAudit = `SELECT seq, at, op, id::text, workspace, key, version, status, attempts, started_at, held_until, blob_key FROM chaos.audit `

// judgeHistory looks at every change that there ever was.
func (w *world) judgeHistory() {
	changes, err := query[change](w.t.Context(), w, readAudit+"ORDER BY seq")
	require.NoError(w.t, err)
	lives := make(map[string]*life)
	keys := make(map[string]string) // of which job
	active := make(map[string]int)  // how many jobs each workspace has
	events := make(map[string]int)
	for i := range changes {
		c := &changes[i]
		l := lives[c.ID]
		if l == nil {
			l = &life{}
			lives[c.ID] = l
		}
		before := l.active()
		event, fault := l.follow(c)
		events[event]++
		if fault != "" {
			w.blame(c.ID, "version %d: %s", c.Version, fault)
		}
		if c.Op == "INSERT" {
			if other := keys[c.Key]; other != "" {
				w.blame(c.ID, "the order %s has another job too, %s", c.Key, other)
			}
			keys[c.Key] = c.ID
		}
		switch after := l.active(); {
		case after && !before:
			active[c.Workspace]++
		case before && !after:
			active[c.Workspace]--
		}
		if active[c.Workspace] > 20 {
			w.blame(c.ID, "it was made although its workspace had its 20 active jobs")
		}
	}
	w.t.Logf("%d changes of %d jobs: %v", len(changes), len(lives), events)
	if w.settings.long() {
		for _, event := range []string{"taken over", "repeated", "renewed", "deleted PENDING", "deleted READY"} {
			assert.NotZero(w.t, events[event], "the chaos was too quiet: no job was %s", event)
		}
	}
}

// A life is what has become of a job so far.
type life struct {
	last    *change
	claimed int64 // the version of the attempt under way
	gone    bool
}

func (l *life) active() bool { return l.last != nil && !l.gone && l.last.Status.Active() }

// follow takes one change further. It returns what happened, and what is wrong with it.
func (l *life) follow(c *change) (event, fault string) {
	before := l.last
	l.last = c
	switch {
	case l.gone:
		return "fault", "the job came back after it was deleted"
	case before == nil:
		if c.Op != "INSERT" || c.Version != 1 || c.Status != dataexport.StatusPending || c.Attempts != 0 {
			return "fault", "it did not begin as PENDING with version 1"
		}
		return "ordered", ""
	case c.Op == "DELETE":
		l.gone = true
		return "deleted " + string(c.Status), ""
	case c.Op != "UPDATE":
		return "fault", "the job was inserted twice"
	case c.Version != before.Version+1:
		return "fault", fmt.Sprintf("the version before was %d", before.Version)
	case !before.Status.CanBecome(c.Status):
		return "fault", fmt.Sprintf("it was %s and became %s", before.Status, c.Status)
	case c.StartedAt == nil:
		return "fault", "it was changed before anybody had claimed it"
	case before.StartedAt == nil || !c.StartedAt.Equal(*before.StartedAt):
		return l.claim(before, c)
	}
	return l.goOn(before, c)
}

// claim looks at the beginning of an attempt.
func (l *life) claim(before, c *change) (event, fault string) {
	l.claimed = c.Version
	event = "claimed"
	if before.Status == dataexport.StatusProcessing {
		event = "taken over"
	}
	switch {
	case c.Status != dataexport.StatusProcessing || c.Attempts != before.Attempts+1:
		fault = "a claim must make it PROCESSING, with one attempt more"
	case before.HeldUntil != nil && c.StartedAt.Before(*before.HeldUntil):
		fault = "it was claimed while another held it, or before its delay was over"
	case c.BlobKey != "":
		fault = "it has a file already"
	}
	return event, fault
}

// goOn looks at a change within an attempt.
func (l *life) goOn(before, c *change) (event, fault string) {
	want := fmt.Sprintf("%s/%d", c.ID, l.claimed)
	switch c.Status {
	case dataexport.StatusReady:
		if c.BlobKey != want || c.Attempts != before.Attempts {
			fault = "the file of a READY job is that of its attempt, " + want
		}
		return "READY", fault
	case dataexport.StatusPending:
		event = "repeated"
		if c.Attempts == before.Attempts-1 {
			event = "handed back"
		} else if c.Attempts != before.Attempts {
			fault = "its attempts are counted wrong"
		}
	case dataexport.StatusProcessing:
		event = "renewed"
		if c.Attempts != before.Attempts {
			fault = "its attempts have changed while it was held"
		}
	case dataexport.StatusFailed:
		event = "FAILED"
	default:
		fault = "nobody can have made it " + string(c.Status)
	}
	if c.BlobKey != "" {
		fault = "it has a file although it is not READY"
	}
	return event, fault
}

// trail tells the history of a job.
func (w *world) trail(id string) string {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(w.t.Context()), 10*time.Second)
	defer cancel()
	changes, err := query[change](ctx, w, readAudit+"WHERE id::text = $1 ORDER BY seq", id)
	if err != nil {
		return err.Error()
	}
	var b strings.Builder
	for i := range changes {
		fmt.Fprintf(&b, "  %s\n", &changes[i])
	}
	return b.String()
}
