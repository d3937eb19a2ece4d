package main

import (
	"strings"

	"github.com/dataexport/dataexport/archive"
	"github.com/dataexport/dataexport/archive/threengram"
)

// An accountTable keeps one collection of the account archive.
type accountTable struct {
	name       string
	collection string
	columns    string // in the order of the fields of the records
}

// accountTables are the collections in the order of the archive.
var accountTables = [...]accountTable{
	{"accounts", "account", "created_at, email, email_verified_at, id, updated_at"},
	{"account_commitments", "commitments", "created_at, due_at, id, memory_id, next_surfacing_at, owner, recurrence, resolved_at, status, updated_at"},
	{"account_edges", "edges", "created_at, created_by, edge_type, from_id, id, to_id"},
	{"account_facts", "facts", "confidence, created_at, id, memory_id, predicate, recorded_at, about, valid_from, valid_to, value"},
	{"account_llm_usage", "llmUsage", "cost_usd, created_at, id, input_tokens, model, operation, output_tokens"},
	{"account_memories", "memories", "content, created_at, id, memory_type, project, recorded_at, scope, status, tags, topic, updated_at, valid_from, valid_to"},
	{"account_memory_events", "memoryEvents", "actor_kind, created_at, event_kind, id, memory_id, payload"},
	{"account_proposals", "proposals", "created_at, decided_at, edge_type, from_id, id, memory_type, rationale, similarity, status, to_id"},
	{"account_scopes", "scopes", "aliases, created_at, id, name"},
	{"account_subscriptions", "subscriptions", "created_at, grace_ends_at, grandfathered, id, status, stripe_customer_id, stripe_subscription_id, tier, trial_ends_at, updated_at"},
	{"account_user_budgets", "userBudgets", "cap_usd_override, id, period_end, period_start, updated_at"},
}

// ofOwner is the condition on the rows of one account; its arguments are the workspace and the subject.
const ofOwner = " WHERE workspace_id = ? AND subject = ?"

// selectRows reads the rows of one account in the order of the archive.
func (t *accountTable) selectRows() string {
	return "SELECT " + t.columns + " FROM " + t.name + ofOwner + " ORDER BY id"
}

// insertRow inserts a row, whose first two values are the workspace and the subject.
func (t *accountTable) insertRow() string {
	return "INSERT INTO " + t.name + " (workspace_id, subject, " + t.columns + ") VALUES (?, ?" +
		strings.Repeat(", ?", 1+strings.Count(t.columns, ",")) + ")"
}

// accountArchive is the archive of an account together with the inventory of all tables of the database: each is in the
// archive, or there is a reason why not. A test compares the inventory with the database.
func accountArchive() (*archive.Archive, error) {
	tables := []archive.Table{
		archive.Excluded("memories", "they belong to the workspace and not to one of its people; they have exports of their own, which can be filtered by user_id"),
		archive.Excluded("settings", "what the server itself remembers, such as its demo key; nothing in it is of a person"),
		archive.Excluded("dataexport_jobs", "orders of exports, kept for 30 days at the most; whoever ordered them can list them"),
		archive.Excluded("dataexport_workspaces", "when each workspace was last served; nothing in it is of a person"),
		archive.Excluded("dataexport_migrations", "the version of the tables of the jobs; nothing in it is of a person"),
	}
	for _, t := range accountTables {
		tables = append(tables, archive.Exported(t.name, t.collection))
	}
	return threengram.Archive(tables...)
}
