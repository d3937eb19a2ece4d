package main

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/dataexport/dataexport"
)

// A condition is a WHERE clause that grows, with its arguments.
type condition struct {
	clauses []string
	args    []any
}

func (c *condition) add(clause string, args ...any) {
	c.clauses = append(c.clauses, clause)
	c.args = append(c.args, args...)
}

func (c *condition) String() string { return strings.Join(c.clauses, " AND ") }

// newCondition says in SQL which memories a query asks for, but for CreatedAfter, which is the place where reading begins.
// It says the same as memory.Record.Attributes and dataexport.Query.Match do for a record in memory.
func newCondition(q *dataexport.Query) (*condition, error) {
	c := &condition{}
	c.add("workspace_id = ?", q.Scope.WorkspaceID)
	f := &q.Filter
	// One upper bound only, the lower of the two: SQLite uses one to know where to stop.
	switch {
	case !f.CreatedBefore.IsZero() && (q.AsOf.IsZero() || !f.CreatedBefore.After(q.AsOf)):
		c.add("created_at < ?", formatInstant(f.CreatedBefore))
	case !q.AsOf.IsZero():
		c.add("created_at <= ?", formatInstant(q.AsOf))
	}
	for _, equal := range [...]struct{ column, value string }{
		{"user_id", f.UserID}, {"agent_id", f.AgentID}, {"session_id", f.SessionID}, {"priority", string(f.Priority)},
	} {
		if equal.value != "" {
			c.add(equal.column+" = ?", equal.value)
		}
	}
	if f.Categories != nil {
		list, err := json.Marshal(f.Categories)
		if err != nil {
			return nil, fmt.Errorf("the categories of the filter: %w", err)
		}
		c.add("EXISTS (SELECT 1 FROM json_each(categories) WHERE value IN (SELECT value FROM json_each(?)))", string(list))
	}
	return c, nil
}

// onlyIndexed reports whether the index alone answers the condition.
func onlyIndexed(f *dataexport.Filter) bool {
	return f.UserID == "" && f.AgentID == "" && f.SessionID == "" && f.Priority == "" && f.Categories == nil
}
