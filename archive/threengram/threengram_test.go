package threengram_test

import (
	"bytes"
	"context"
	"encoding/json"
	"iter"
	"os"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dataexport/dataexport"
	"github.com/dataexport/dataexport/archive"
	"github.com/dataexport/dataexport/archive/threengram"
	"github.com/dataexport/dataexport/render"
)

var at = time.Date(2026, 1, 15, 10, 30, 0, 0, time.UTC)

func id(n byte) uuid.UUID { return uuid.UUID{15: n} }

func list[T any](records ...T) iter.Seq2[*T, error] {
	return func(yield func(*T, error) bool) {
		for i := range records {
			if !yield(&records[i], nil) {
				return
			}
		}
	}
}

func p[T any](v T) *T { return &v }

// full is a view with a record of every kind, one with all that may be null and one without.
func full() *threengram.View {
	return &threengram.View{
		Account: threengram.Account{CreatedAt: at, Email: "jsmith@example.com", EmailVerifiedAt: &at, ID: id(1), UpdatedAt: at},
		Commitments: list(
			threengram.Commitment{
				CreatedAt: at, DueAt: &at, ID: id(2), MemoryID: p(id(6)), NextSurfacingAt: &at, Owner: p("ana"),
				Recurrence: json.RawMessage(`{"every": 12345678901234567890.10, "unit":"day"}`), ResolvedAt: &at, Status: "open", UpdatedAt: at,
			},
			threengram.Commitment{CreatedAt: at, ID: id(3), Status: "done", UpdatedAt: at},
		),
		Edges: list(
			threengram.Edge{CreatedAt: at, CreatedBy: p("agent"), EdgeType: "supports", FromID: id(6), ID: id(4), ToID: id(7)},
			threengram.Edge{CreatedAt: at, EdgeType: "supports", FromID: id(7), ID: id(5), ToID: id(6)},
		),
		Facts: list(threengram.Fact{
			Confidence: p(0.25), CreatedAt: at, ID: id(1), MemoryID: id(6), Predicate: "likes", RecordedAt: at, Subject: "ana",
			ValidFrom: &at, Value: "tea",
		}),
		LLMUsage: list(threengram.LLMUsage{
			CostUSD: "0.000150", CreatedAt: at, ID: id(1), InputTokens: 4503599627370495, Model: "m", Operation: "extract", OutputTokens: 1,
		}),
		Memories: list(
			threengram.Memory{
				Content: "Prefers tea.", CreatedAt: at, ID: id(6), MemoryType: "semantic", Project: p("home"), RecordedAt: &at, Scope: p("s"),
				Status: "active", Tags: []string{"drinks", "é"}, Topic: p("tea"), UpdatedAt: at, ValidFrom: &at, ValidTo: &at,
			},
			threengram.Memory{Content: "", CreatedAt: at, ID: id(7), MemoryType: "episodic", Status: "active", UpdatedAt: at},
		),
		MemoryEvents: list(
			threengram.MemoryEvent{ActorKind: "user", CreatedAt: at, EventKind: "created", ID: id(1), MemoryID: id(6), Payload: json.RawMessage(`[1e400, null, "x"]`)},
			threengram.MemoryEvent{ActorKind: "user", CreatedAt: at, EventKind: "read", ID: id(2), MemoryID: id(6)},
		),
		Proposals: list(threengram.Proposal{
			CreatedAt: at, DecidedAt: &at, EdgeType: "supports", FromID: id(6), ID: id(1), MemoryType: p("semantic"), Rationale: p("both"),
			Similarity: p(0.5), Status: "accepted", ToID: id(7),
		}),
		Scopes: list(threengram.Scope{Aliases: nil, CreatedAt: at, ID: id(1), Name: "home"}),
		Subscriptions: list(threengram.Subscription{
			CreatedAt: at, Grandfathered: true, ID: id(1), Status: "active", StripeCustomerID: p("cus_1"), Tier: "pro", UpdatedAt: at,
		}),
		UserBudgets: list(threengram.UserBudget{CapUSDOverride: p("25.00"), ID: id(1), PeriodStart: &at, UpdatedAt: at}),
	}
}

// export writes the archive of a view as JSON.
func export(t *testing.T, view *threengram.View) []byte {
	t.Helper()
	closed := false
	view.Close = func() error { closed = true; return nil }
	d, err := threengram.Dataset(func(_ context.Context, s dataexport.Scope) (*threengram.View, error) {
		assert.Equal(t, "ana", s.Subject)
		return view, nil
	})
	require.NoError(t, err)
	var b bytes.Buffer
	_, err = dataexport.Export(t.Context(), &b, d, render.JSON(), dataexport.Query{
		Scope: dataexport.Scope{WorkspaceID: "w", Subject: "ana"}, AsOf: at,
	})
	require.NoError(t, err)
	assert.True(t, closed)
	return b.Bytes()
}

func TestTheDocument(t *testing.T) {
	for name, view := range map[string]*threengram.View{"full": full(), "empty": {Account: threengram.Account{CreatedAt: at, ID: id(1), UpdatedAt: at}}} {
		t.Run(name, func(t *testing.T) {
			got := export(t, view)
			file := "testdata/" + name + ".json"
			if os.Getenv("UPDATE_GOLDEN") != "" {
				require.NoError(t, os.WriteFile(file, got, 0o600))
			}
			want, err := os.ReadFile(file)
			require.NoError(t, err)
			assert.Equal(t, string(want), string(got))
		})
	}
}

// The members of the public document, record by record, and which of them may be null.
func TestTheDocumentHasTheMembersOfThePublicOne(t *testing.T) {
	const null = "?"
	want := map[string][]string{
		"account":       {"createdAt", "email", "emailVerifiedAt?", "id", "updatedAt"},
		"commitments":   {"createdAt", "dueAt?", "id", "memoryId?", "nextSurfacingAt?", "owner?", "recurrence?", "resolvedAt?", "status", "updatedAt"},
		"edges":         {"createdAt", "createdBy?", "edgeType", "fromId", "id", "toId"},
		"facts":         {"confidence?", "createdAt", "id", "memoryId", "predicate", "recordedAt", "subject", "validFrom?", "validTo?", "value"},
		"llmUsage":      {"costUsd", "createdAt", "id", "inputTokens", "model", "operation", "outputTokens"},
		"memories":      {"content", "createdAt", "id", "memoryType", "project?", "recordedAt?", "scope?", "status", "tags", "topic?", "updatedAt", "validFrom?", "validTo?"},
		"memoryEvents":  {"actorKind", "createdAt", "eventKind", "id", "memoryId", "payload?"},
		"proposals":     {"createdAt", "decidedAt?", "edgeType", "fromId", "id", "memoryType?", "rationale?", "similarity?", "status", "toId"},
		"scopes":        {"aliases", "createdAt", "id", "name"},
		"subscriptions": {"createdAt", "graceEndsAt?", "grandfathered", "id", "status", "stripeCustomerId?", "stripeSubscriptionId?", "tier", "trialEndsAt?", "updatedAt"},
		"userBudgets":   {"capUsdOverride?", "id", "periodEnd?", "periodStart?", "updatedAt"},
	}
	a, err := threengram.Archive()
	require.NoError(t, err)
	got := make(map[string][]string)
	for _, c := range a.Info().Collections {
		for _, column := range c.Columns {
			name := column.Name
			if column.Nullable {
				name += null
			}
			got[c.Name] = append(got[c.Name], name)
		}
	}
	assert.Equal(t, want, got)
	var document map[string]json.RawMessage
	require.NoError(t, json.Unmarshal(export(t, full()), &document))
	assert.Len(t, document, len(want)+3, "and format, exportedAt and counts")
	assert.JSONEq(t, `"3ngram.account-export.v1"`, string(document["format"]))
	assert.JSONEq(t, `"2026-01-15T10:30:00.000Z"`, string(document["exportedAt"]))
	assert.JSONEq(t, `{"commitments":2,"edges":2,"facts":1,"llmUsage":1,"memories":2,"memoryEvents":2,"proposals":1,"scopes":1,"subscriptions":1,"userBudgets":1}`, string(document["counts"]))
}

func TestNumbersInPayloadsKeepTheirDigits(t *testing.T) {
	got := string(export(t, full()))
	assert.Contains(t, got, `"recurrence":{"every":12345678901234567890.10,"unit":"day"}`)
	assert.Contains(t, got, `"payload":[1e400,null,"x"]`)
	assert.Contains(t, got, `"payload":null`)
	assert.Contains(t, got, `"costUsd":"0.000150"`)
	assert.Contains(t, got, `"inputTokens":4503599627370495`)
	assert.Contains(t, got, `"aliases":[]`)
}

func TestNoAccountIsNotFound(t *testing.T) {
	d, err := threengram.Dataset(func(context.Context, dataexport.Scope) (*threengram.View, error) { return nil, dataexport.ErrNotFound })
	require.NoError(t, err)
	_, err = dataexport.Export(t.Context(), &bytes.Buffer{}, d, render.JSON(), dataexport.Query{Scope: dataexport.Scope{Subject: "x"}})
	assert.ErrorIs(t, err, dataexport.ErrNotFound)
	_, err = dataexport.Export(t.Context(), &bytes.Buffer{}, d, render.JSON(), dataexport.Query{Scope: dataexport.Scope{WorkspaceID: "w"}})
	assert.ErrorIs(t, err, dataexport.ErrInvalid, "an account belongs to somebody")
}

func TestTheInventoryMustBeComplete(t *testing.T) {
	_, err := threengram.Archive(archive.Exported("accounts", "account"))
	require.ErrorIs(t, err, dataexport.ErrInvalid)
	assert.ErrorContains(t, err, `no table is exported to the collection "memories"`)
}
