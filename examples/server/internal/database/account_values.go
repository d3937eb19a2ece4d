package database

import (
	"encoding/json"
	"fmt"

	"github.com/dataexport/dataexport/archive/threengram"
)

// AccountValues returns a record of an archive in the order of the columns of its table. Times are text, as FormatInstant
// writes them, and JSON is text as it came. What a database may keep in a way of its own comes as uuid.UUID or *uuid.UUID
// and as []string; a list is never null.
func AccountValues(record any) ([]any, error) {
	switch r := record.(type) {
	case *threengram.Account:
		return []any{FormatInstant(r.CreatedAt), r.Email, InstantText(r.EmailVerifiedAt), r.ID, FormatInstant(r.UpdatedAt)}, nil
	case *threengram.Commitment:
		return []any{
			FormatInstant(r.CreatedAt), InstantText(r.DueAt), r.ID, r.MemoryID, InstantText(r.NextSurfacingAt), r.Owner,
			jsonText(r.Recurrence), InstantText(r.ResolvedAt), r.Status, FormatInstant(r.UpdatedAt),
		}, nil
	case *threengram.Edge:
		return []any{FormatInstant(r.CreatedAt), r.CreatedBy, r.EdgeType, r.FromID, r.ID, r.ToID}, nil
	case *threengram.Fact:
		return []any{
			r.Confidence, FormatInstant(r.CreatedAt), r.ID, r.MemoryID, r.Predicate, FormatInstant(r.RecordedAt), r.Subject,
			InstantText(r.ValidFrom), InstantText(r.ValidTo), r.Value,
		}, nil
	case *threengram.LLMUsage:
		return []any{r.CostUSD, FormatInstant(r.CreatedAt), r.ID, r.InputTokens, r.Model, r.Operation, r.OutputTokens}, nil
	case *threengram.Memory:
		return []any{
			r.Content, FormatInstant(r.CreatedAt), r.ID, r.MemoryType, r.Project, InstantText(r.RecordedAt), r.Scope, r.Status,
			list(r.Tags), r.Topic, FormatInstant(r.UpdatedAt), InstantText(r.ValidFrom), InstantText(r.ValidTo),
		}, nil
	case *threengram.MemoryEvent:
		return []any{r.ActorKind, FormatInstant(r.CreatedAt), r.EventKind, r.ID, r.MemoryID, jsonText(r.Payload)}, nil
	case *threengram.Proposal:
		return []any{
			FormatInstant(r.CreatedAt), InstantText(r.DecidedAt), r.EdgeType, r.FromID, r.ID, r.MemoryType, r.Rationale,
			r.Similarity, r.Status, r.ToID,
		}, nil
	case *threengram.Scope:
		return []any{list(r.Aliases), FormatInstant(r.CreatedAt), r.ID, r.Name}, nil
	case *threengram.Subscription:
		return []any{
			FormatInstant(r.CreatedAt), InstantText(r.GraceEndsAt), r.Grandfathered, r.ID, r.Status, r.StripeCustomerID,
			r.StripeSubscriptionID, r.Tier, InstantText(r.TrialEndsAt), FormatInstant(r.UpdatedAt),
		}, nil
	case *threengram.UserBudget:
		return []any{r.CapUSDOverride, r.ID, InstantText(r.PeriodEnd), InstantText(r.PeriodStart), FormatInstant(r.UpdatedAt)}, nil
	default:
		return nil, fmt.Errorf("there is no table for a %T", record)
	}
}

// jsonText returns JSON as it came; the JSON null is a null like any other.
func jsonText(raw json.RawMessage) any {
	if raw == nil || string(raw) == "null" {
		return nil
	}
	return string(raw)
}

// list returns a list that is not null.
func list(l []string) []string {
	if l == nil {
		return []string{}
	}
	return l
}
