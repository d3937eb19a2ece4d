package threengram

import (
	"encoding/json"
	"time"

	"github.com/google/uuid"
)

// The records of the archive. Their fields come in the order of the document, which is that of the alphabet. A pointer is
// a field that may be null. Money is a decimal number in a string, so that no digit is lost.

// An Account is the person whose archive it is.
type Account struct {
	CreatedAt       time.Time  `export:"createdAt"`
	Email           string     `export:"email"`
	EmailVerifiedAt *time.Time `export:"emailVerifiedAt"`
	ID              uuid.UUID  `export:"id,id"`
	UpdatedAt       time.Time  `export:"updatedAt"`
}

// A Commitment is something that is to be done, perhaps again and again.
type Commitment struct {
	CreatedAt       time.Time       `export:"createdAt"`
	DueAt           *time.Time      `export:"dueAt"`
	ID              uuid.UUID       `export:"id,id,key"`
	MemoryID        *uuid.UUID      `export:"memoryId"` // of a Memory
	NextSurfacingAt *time.Time      `export:"nextSurfacingAt"`
	Owner           *string         `export:"owner"`
	Recurrence      json.RawMessage `export:"recurrence"` // any JSON
	ResolvedAt      *time.Time      `export:"resolvedAt"`
	Status          string          `export:"status"`
	UpdatedAt       time.Time       `export:"updatedAt"`
}

// An Edge joins two memories.
type Edge struct {
	CreatedAt time.Time `export:"createdAt"`
	CreatedBy *string   `export:"createdBy"`
	EdgeType  string    `export:"edgeType"`
	FromID    uuid.UUID `export:"fromId"` // of a Memory
	ID        uuid.UUID `export:"id,id,key"`
	ToID      uuid.UUID `export:"toId"` // of a Memory
}

// A Fact is a statement that was found in a memory.
type Fact struct {
	Confidence *float64   `export:"confidence"`
	CreatedAt  time.Time  `export:"createdAt"`
	ID         uuid.UUID  `export:"id,id,key"`
	MemoryID   uuid.UUID  `export:"memoryId"` // of a Memory
	Predicate  string     `export:"predicate"`
	RecordedAt time.Time  `export:"recordedAt"`
	Subject    string     `export:"subject"`
	ValidFrom  *time.Time `export:"validFrom"`
	ValidTo    *time.Time `export:"validTo"`
	Value      string     `export:"value"`
}

// An LLMUsage is one use of a language model.
type LLMUsage struct {
	CostUSD      string    `export:"costUsd,decimal"`
	CreatedAt    time.Time `export:"createdAt"`
	ID           uuid.UUID `export:"id,id,key"`
	InputTokens  int64     `export:"inputTokens"`
	Model        string    `export:"model"`
	Operation    string    `export:"operation"`
	OutputTokens int64     `export:"outputTokens"`
}

// A Memory is what the service remembers.
type Memory struct {
	Content    string     `export:"content,body"`
	CreatedAt  time.Time  `export:"createdAt"`
	ID         uuid.UUID  `export:"id,id,key"`
	MemoryType string     `export:"memoryType"`
	Project    *string    `export:"project"`
	RecordedAt *time.Time `export:"recordedAt"`
	Scope      *string    `export:"scope"`
	Status     string     `export:"status"`
	Tags       []string   `export:"tags,notnull"`
	Topic      *string    `export:"topic"`
	UpdatedAt  time.Time  `export:"updatedAt"`
	ValidFrom  *time.Time `export:"validFrom"`
	ValidTo    *time.Time `export:"validTo"`
}

// A MemoryEvent is something that happened to a memory.
type MemoryEvent struct {
	ActorKind string          `export:"actorKind"`
	CreatedAt time.Time       `export:"createdAt"`
	EventKind string          `export:"eventKind"`
	ID        uuid.UUID       `export:"id,id,key"`
	MemoryID  uuid.UUID       `export:"memoryId"` // of a Memory
	Payload   json.RawMessage `export:"payload"`  // any JSON
}

// A Proposal is an edge that was proposed and perhaps decided on.
type Proposal struct {
	CreatedAt  time.Time  `export:"createdAt"`
	DecidedAt  *time.Time `export:"decidedAt"`
	EdgeType   string     `export:"edgeType"`
	FromID     uuid.UUID  `export:"fromId"` // of a Memory
	ID         uuid.UUID  `export:"id,id,key"`
	MemoryType *string    `export:"memoryType"`
	Rationale  *string    `export:"rationale"`
	Similarity *float64   `export:"similarity"`
	Status     string     `export:"status"`
	ToID       uuid.UUID  `export:"toId"` // of a Memory
}

// A Scope is a name for a group of memories.
type Scope struct {
	Aliases   []string  `export:"aliases,notnull"`
	CreatedAt time.Time `export:"createdAt"`
	ID        uuid.UUID `export:"id,id,key"`
	Name      string    `export:"name"`
}

// A Subscription is what the person pays for.
type Subscription struct {
	CreatedAt            time.Time  `export:"createdAt"`
	GraceEndsAt          *time.Time `export:"graceEndsAt"`
	Grandfathered        bool       `export:"grandfathered"`
	ID                   uuid.UUID  `export:"id,id,key"`
	Status               string     `export:"status"`
	StripeCustomerID     *string    `export:"stripeCustomerId"`
	StripeSubscriptionID *string    `export:"stripeSubscriptionId"`
	Tier                 string     `export:"tier"`
	TrialEndsAt          *time.Time `export:"trialEndsAt"`
	UpdatedAt            time.Time  `export:"updatedAt"`
}

// A UserBudget bounds what the person may spend.
type UserBudget struct {
	CapUSDOverride *string    `export:"capUsdOverride,decimal"`
	ID             uuid.UUID  `export:"id,id,key"`
	PeriodEnd      *time.Time `export:"periodEnd"`
	PeriodStart    *time.Time `export:"periodStart"`
	UpdatedAt      time.Time  `export:"updatedAt"`
}
