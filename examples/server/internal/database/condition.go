package database

import (
	"slices"
	"strings"

	"github.com/dataexport/dataexport"
)

// A Condition is a WHERE clause that grows, with its arguments, for each of which there is a question mark.
type Condition struct {
	clauses []string
	Args    []any
}

// Add adds a clause that must hold too.
func (c *Condition) Add(clause string, args ...any) {
	c.clauses = append(c.clauses, clause)
	c.Args = append(c.Args, args...)
}

// String returns the clause, without the word WHERE.
func (c *Condition) String() string { return strings.Join(c.clauses, " AND ") }

// Clone returns a condition that grows by itself.
func (c *Condition) Clone() *Condition {
	return &Condition{slices.Clone(c.clauses), slices.Clone(c.Args)}
}

// NewCondition says in SQL which memories a query asks for, but for CreatedAfter, which is the place where reading begins,
// and for Categories, which each database keeps in a way of its own. It says the same as memory.Record.Attributes and
// dataexport.Query.Match do for a record in memory.
func NewCondition(q *dataexport.Query) *Condition {
	c := &Condition{}
	c.Add("workspace_id = ?", q.Scope.WorkspaceID)
	f := &q.Filter
	// One upper bound only, the lower of the two: a database uses one to know where to stop.
	switch {
	case !f.CreatedBefore.IsZero() && (q.AsOf.IsZero() || !f.CreatedBefore.After(q.AsOf)):
		c.Add("created_at < ?", FormatInstant(f.CreatedBefore))
	case !q.AsOf.IsZero():
		c.Add("created_at <= ?", FormatInstant(q.AsOf))
	}
	for _, equal := range [...]struct{ column, value string }{
		{"user_id", f.UserID}, {"agent_id", f.AgentID}, {"session_id", f.SessionID}, {"priority", string(f.Priority)},
	} {
		if equal.value != "" {
			c.Add(equal.column+" = ?", equal.value)
		}
	}
	return c
}

// OnlyIndexed reports whether the index alone answers the condition of a filter.
func OnlyIndexed(f *dataexport.Filter) bool {
	return f.UserID == "" && f.AgentID == "" && f.SessionID == "" && f.Priority == "" && f.Categories == nil
}
