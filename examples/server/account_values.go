package main

import (
	"encoding/json"
	"fmt"

	"github.com/google/uuid"

	"github.com/dataexport/dataexport/archive/threengram"
)

// accountValues returns a record of an archive as the database keeps it, in the order of accountTables.
func accountValues(record any) ([]any, error) {
	switch r := record.(type) {
	case *threengram.Account:
		return []any{formatInstant(r.CreatedAt), r.Email, instantText(r.EmailVerifiedAt), r.ID[:], formatInstant(r.UpdatedAt)}, nil
	case *threengram.Commitment:
		return []any{
			formatInstant(r.CreatedAt), instantText(r.DueAt), r.ID[:], uuidBytes(r.MemoryID), instantText(r.NextSurfacingAt), r.Owner,
			jsonText(r.Recurrence), instantText(r.ResolvedAt), r.Status, formatInstant(r.UpdatedAt),
		}, nil
	case *threengram.Edge:
		return []any{formatInstant(r.CreatedAt), r.CreatedBy, r.EdgeType, r.FromID[:], r.ID[:], r.ToID[:]}, nil
	case *threengram.Fact:
		return []any{
			r.Confidence, formatInstant(r.CreatedAt), r.ID[:], r.MemoryID[:], r.Predicate, formatInstant(r.RecordedAt), r.Subject,
			instantText(r.ValidFrom), instantText(r.ValidTo), r.Value,
		}, nil
	case *threengram.LLMUsage:
		return []any{r.CostUSD, formatInstant(r.CreatedAt), r.ID[:], r.InputTokens, r.Model, r.Operation, r.OutputTokens}, nil
	case *threengram.Memory:
		tags, err := listText(r.Tags)
		return []any{
			r.Content, formatInstant(r.CreatedAt), r.ID[:], r.MemoryType, r.Project, instantText(r.RecordedAt), r.Scope, r.Status,
			tags, r.Topic, formatInstant(r.UpdatedAt), instantText(r.ValidFrom), instantText(r.ValidTo),
		}, err
	case *threengram.MemoryEvent:
		return []any{r.ActorKind, formatInstant(r.CreatedAt), r.EventKind, r.ID[:], r.MemoryID[:], jsonText(r.Payload)}, nil
	case *threengram.Proposal:
		return []any{
			formatInstant(r.CreatedAt), instantText(r.DecidedAt), r.EdgeType, r.FromID[:], r.ID[:], r.MemoryType, r.Rationale,
			r.Similarity, r.Status, r.ToID[:],
		}, nil
	case *threengram.Scope:
		aliases, err := listText(r.Aliases)
		return []any{aliases, formatInstant(r.CreatedAt), r.ID[:], r.Name}, err
	case *threengram.Subscription:
		return []any{
			formatInstant(r.CreatedAt), instantText(r.GraceEndsAt), r.Grandfathered, r.ID[:], r.Status, r.StripeCustomerID,
			r.StripeSubscriptionID, r.Tier, instantText(r.TrialEndsAt), formatInstant(r.UpdatedAt),
		}, nil
	case *threengram.UserBudget:
		return []any{r.CapUSDOverride, r.ID[:], instantText(r.PeriodEnd), instantText(r.PeriodStart), formatInstant(r.UpdatedAt)}, nil
	default:
		return nil, fmt.Errorf("there is no table for a %T", record)
	}
}

func uuidBytes(id *uuid.UUID) any {
	if id == nil {
		return nil
	}
	return id[:]
}

// jsonText returns JSON as it came; the JSON null is a null like any other.
func jsonText(raw json.RawMessage) any {
	if raw == nil || string(raw) == "null" {
		return nil
	}
	return string(raw)
}

// listText returns a list that cannot be null.
func listText(list []string) (string, error) {
	if list == nil {
		return "[]", nil
	}
	text, err := json.Marshal(list)
	return string(text), err
}
