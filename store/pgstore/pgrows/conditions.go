package pgrows

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/dataexport/dataexport"
)

// Conditions say in SQL what scope and filter look at in a table. Each is an expression, mostly the name of a column, or
// empty if the table has none. They are SQL and must not be made of what users give.
type Conditions struct {
	Workspace  string // equals Scope.WorkspaceID
	Subject    string // equals Scope.Subject
	UserID     string
	AgentID    string
	SessionID  string
	Priority   string
	Categories string // text[]; a jsonb array of text takes "ARRAY(SELECT jsonb_array_elements_text(categories))"
	CreatedAt  string // timestamptz; AsOf bounds it too
}

// Where returns the condition that a query sets, for Table. A query with a condition that there is no expression for is a
// dataexport.ErrInvalid, since without it the export would hold too much; the dataset should not have that filter in its
// Info. So is a table that has neither Workspace nor Subject, and a scope that lacks one of those that the table has.
func (c Conditions) Where(q dataexport.Query) (string, pgx.NamedArgs, error) {
	w := where{args: pgx.NamedArgs{}}
	if c.Workspace == "" && c.Subject == "" {
		return "", nil, fmt.Errorf("%w: pgrows: Conditions have neither Workspace nor Subject, and would export the records of everybody", dataexport.ErrInvalid)
	}
	w.owner("Workspace", c.Workspace, q.Scope.WorkspaceID)
	w.owner("Subject", c.Subject, q.Scope.Subject)
	f := &q.Filter
	w.equal("UserID", c.UserID, f.UserID)
	w.equal("AgentID", c.AgentID, f.AgentID)
	w.equal("SessionID", c.SessionID, f.SessionID)
	w.equal("Priority", c.Priority, string(f.Priority))
	if f.Categories != nil {
		w.add("Categories", c.Categories, " && @Categories::text[]", f.Categories)
	}
	if !f.CreatedAfter.IsZero() {
		w.add("CreatedAfter", c.CreatedAt, " > @CreatedAfter", floor(f.CreatedAfter))
	}
	if !f.CreatedBefore.IsZero() {
		w.add("CreatedBefore", c.CreatedAt, " < @CreatedBefore", ceiling(f.CreatedBefore))
	}
	if !q.AsOf.IsZero() && c.CreatedAt != "" {
		w.add("AsOf", c.CreatedAt, " <= @AsOf", floor(q.AsOf))
	}
	if len(w.faults) > 0 {
		return "", nil, fmt.Errorf("%w: pgrows: %w", dataexport.ErrInvalid, errors.Join(w.faults...))
	}
	return strings.Join(w.clauses, " AND "), w.args, nil
}

// A where is a condition that grows.
type where struct {
	clauses []string
	args    pgx.NamedArgs
	faults  []error
}

// owner bounds the records to those of a workspace or subject.
func (w *where) owner(name, expression, value string) {
	if expression != "" && value == "" {
		w.faults = append(w.faults, fmt.Errorf("the table is of one %s each, and the scope of the query has none", name))
	}
	if expression != "" {
		w.add(name, expression, " = @"+name, value)
	}
}

func (w *where) equal(name, expression, value string) {
	if value != "" {
		w.add(name, expression, " = @"+name, value)
	}
}

func (w *where) add(name, expression, comparison string, value any) {
	if expression == "" {
		w.faults = append(w.faults, fmt.Errorf("the query has the condition %s, and there is no expression for it", name))
		return
	}
	w.clauses = append(w.clauses, "("+expression+")"+comparison)
	w.args[name] = value
}

// PostgreSQL keeps microseconds, and a filter may have nanoseconds. A time of PostgreSQL is after an instant, or not after
// it, if it is so of the microsecond that the instant is in; it is before an instant if it is before the next microsecond,
// unless the instant has no rest.
func floor(t time.Time) time.Time { return t.UTC().Truncate(time.Microsecond) }

func ceiling(t time.Time) time.Time {
	if down := floor(t); !down.Equal(t) {
		return down.Add(time.Microsecond)
	}
	return t.UTC()
}
