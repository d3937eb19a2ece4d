package database

import (
	"strings"

	"github.com/dataexport/dataexport"
	"github.com/dataexport/dataexport/archive"
	"github.com/dataexport/dataexport/archive/threengram"
)

// An AccountTable keeps one collection of the account archive.
type AccountTable struct {
	Name       string
	Collection string
	Columns    string // in the order of the fields of the records
}

// AccountTables are the collections in the order of the archive.
var AccountTables = [...]AccountTable{
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

// OfOwner is the condition on the rows of one account; its arguments are those of OwnerArgs.
const OfOwner = " WHERE workspace_id = ? AND subject = ?"

// OwnerArgs are the arguments of OfOwner.
func OwnerArgs(owner dataexport.Scope) []any { return []any{owner.WorkspaceID, owner.Subject} }

// SelectRows reads the rows of one account in the order of the archive.
func (t *AccountTable) SelectRows() string {
	return "SELECT " + t.Columns + " FROM " + t.Name + OfOwner + " ORDER BY id"
}

// InsertRow inserts a row, whose first two values are the workspace and the subject.
func (t *AccountTable) InsertRow() string {
	return "INSERT INTO " + t.Name + " (workspace_id, subject, " + t.Columns + ") VALUES (?, ?" +
		strings.Repeat(", ?", 1+strings.Count(t.Columns, ",")) + ")"
}

// CountRows counts all records of one account but the account itself, by the indexes alone.
func CountRows(owner dataexport.Scope) (statement string, args []any) {
	var counts []string
	for _, t := range AccountTables[1:] { // the first is the account
		counts = append(counts, "(SELECT count(*) FROM "+t.Name+OfOwner+")")
		args = append(args, OwnerArgs(owner)...)
	}
	return "SELECT " + strings.Join(counts, " + "), args
}

// AccountArchive is the archive of an account together with the inventory of all tables of a database: each is in the
// archive, or there is a reason why not. A test compares the inventory with the database.
func AccountArchive(db DB) (*archive.Archive, error) {
	tables := append([]archive.Table{
		archive.Excluded("memories", "they belong to the workspace and not to one of its people; they have exports of their own, which can be filtered by user_id"),
		archive.Excluded("settings", "what the server itself remembers, such as its demo key; nothing in it is of a person"),
	}, db.OtherTables()...)
	for _, t := range AccountTables {
		tables = append(tables, archive.Exported(t.Name, t.Collection))
	}
	return threengram.Archive(tables...)
}
