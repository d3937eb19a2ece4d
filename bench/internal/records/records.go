// Package records makes memories to measure with: about 530 bytes of JSON each, most of it a text of a few sentences, with
// some columns null, as they come in practice. The same arguments give the same records.
package records

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"strings"
	"time"

	"github.com/dataexport/dataexport/memory"
)

// Workspace is the workspace of all records.
const Workspace = "ws_7f3a9c21"

// A Generator makes one record after the other, in the order of their key.
type Generator struct {
	words   *words
	random  *rand.Rand
	created time.Time
	text    strings.Builder
}

// NewGenerator returns a generator of records whose text is of a shape.
func NewGenerator(shape Shape) *Generator {
	return &Generator{
		words:   wordsOf(shape),
		random:  rand.New(rand.NewPCG(20, 26)),
		created: time.Date(2026, 1, 15, 10, 30, 0, 0, time.UTC),
	}
}

// Make returns the first n records of a shape.
func Make(shape Shape, n int) []memory.Record {
	g := NewGenerator(shape)
	list := make([]memory.Record, n)
	for i := range list {
		list[i] = g.Next()
	}
	return list
}

// Next returns the next record. It shares no memory with others.
func (g *Generator) Next() memory.Record {
	random := g.random
	g.created = g.created.Add(time.Duration(1+random.IntN(90_000)) * time.Millisecond)
	r := memory.Record{
		ID:          g.uuid(),
		WorkspaceID: Workspace,
		Content:     g.content(),
		UserID:      g.optional(90, fmt.Sprintf("user_%06d", random.IntN(1_000_000))),
		AgentID:     g.optional(60, fmt.Sprintf("agent_%03d", random.IntN(1000))),
		SessionID:   g.optional(50, g.uuid()),
		Priority:    g.optional(80, []string{"LOW", "MEDIUM", "HIGH"}[random.IntN(3)]),
		Status:      g.optional(95, "active"),
		CreatedAt:   g.created,
	}
	for range random.IntN(4) {
		r.Categories = append(r.Categories, g.words.categories[random.IntN(len(g.words.categories))])
	}
	if random.IntN(100) < 60 {
		// In the form of jsonb, but for its spaces: the shorter name first.
		r.Metadata = json.RawMessage(fmt.Sprintf(`{"turn":%d,"source":"chat","confidence":0.%d}`, random.IntN(200), 10+random.IntN(90)))
	}
	if random.IntN(100) < 70 {
		count, accessed := random.Int64N(500), g.created.Add(time.Duration(random.IntN(9_000_000))*time.Millisecond)
		r.AccessCount, r.LastAccessedAt, r.UpdatedAt = &count, &accessed, &accessed
	}
	return r
}

func (g *Generator) optional(percent int, s string) *string {
	if g.random.IntN(100) >= percent {
		return nil
	}
	return &s
}

func (g *Generator) uuid() string {
	return fmt.Sprintf("%08x-%04x-7%03x-a%03x-%012x",
		g.random.Uint32(), g.random.IntN(1<<16), g.random.IntN(1<<12), g.random.IntN(1<<12), g.random.Int64N(1<<48))
}

// content returns a text of about 120 bytes.
func (g *Generator) content() string {
	g.text.Reset()
	length := 80 + g.random.IntN(80)
	for g.text.Len() < length {
		if g.text.Len() > 0 {
			g.text.WriteByte(' ')
		}
		list := g.words.clean
		if len(g.words.dirty) > 0 && g.random.IntN(20) == 0 {
			list = g.words.dirty
		}
		g.text.WriteString(list[g.random.IntN(len(list))])
	}
	return g.text.String()
}
