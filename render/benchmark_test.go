package render

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/dataexport/dataexport"
	"github.com/dataexport/dataexport/memory"
)

// benchmarkRecords returns n memories as they come in practice: about 530 bytes of JSON each, most of it a text of a few
// sentences, with quotation marks, line ends and letters outside of ASCII here and there, and some columns null. The same
// n gives the same records. They are in the order of their key.
func benchmarkRecords(n int) []memory.Record {
	random := rand.New(rand.NewPCG(20, 26))
	created := time.Date(2026, 1, 15, 10, 30, 0, 0, time.UTC)
	records := make([]memory.Record, n)
	for i := range records {
		created = created.Add(time.Duration(random.IntN(90_000)) * time.Millisecond)
		records[i] = benchmarkRecord(random, created)
	}
	return records
}

func benchmarkRecord(random *rand.Rand, created time.Time) memory.Record {
	id := func() string {
		return fmt.Sprintf("%08x-%04x-7%03x-a%03x-%012x",
			random.Uint32(), random.IntN(1<<16), random.IntN(1<<12), random.IntN(1<<12), random.Int64N(1<<48))
	}
	optional := func(percent int, s string) *string {
		if random.IntN(100) >= percent {
			return nil
		}
		return &s
	}
	r := memory.Record{
		ID:          id(),
		WorkspaceID: "ws_7f3a9c21",
		Content:     benchmarkContent(random),
		UserID:      optional(90, fmt.Sprintf("user_%06d", random.IntN(1_000_000))),
		AgentID:     optional(60, fmt.Sprintf("agent_%03d", random.IntN(1000))),
		SessionID:   optional(50, id()),
		Priority:    optional(80, []string{"LOW", "MEDIUM", "HIGH"}[random.IntN(3)]),
		Status:      optional(95, "active"),
		CreatedAt:   created,
	}
	for range random.IntN(4) {
		r.Categories = append(r.Categories, []string{"preferences", "travel", "work", "health", "food & drink"}[random.IntN(5)])
	}
	if random.IntN(100) < 60 {
		r.Metadata = json.RawMessage(fmt.Sprintf(`{"source":"chat","confidence":%.2f,"turn":%d}`, random.Float64(), random.IntN(200)))
	}
	if random.IntN(100) < 70 {
		count, accessed := random.Int64N(500), created.Add(time.Duration(random.IntN(9_000_000))*time.Millisecond)
		r.AccessCount, r.LastAccessedAt, r.UpdatedAt = &count, &accessed, &accessed
	}
	return r
}

func benchmarkContent(random *rand.Rand) string {
	var b strings.Builder
	for b.Len() < 60+random.IntN(60) {
		if b.Len() > 0 {
			b.WriteByte(' ')
		}
		b.WriteString(benchmarkSentences[random.IntN(len(benchmarkSentences))])
	}
	return b.String()
}

var benchmarkSentences = [...]string{
	"The user prefers short answers without a preamble.",
	"They live in Lisbon, work from home, and have two cats.",
	"Flights should leave after 9 a.m. and have an aisle seat.",
	"Asked for a summary of the quarterly report before the Monday meeting.",
	"Is learning the cello and practises on most evenings.",
	"Allergic to peanuts; likes Thai food, but not too hot.",
	"Said \"never again\" of the hotel near the station.",
	"Their manager is Zoë, and the team meets in the café on the third floor.",
	"Steps to deploy:\n1. run the tests\n2. tag the release\n3. tell the channel",
	"Reads mostly science fiction and history.",
}

// benchmarkRows returns the records as rows that stay valid as long as the records.
func benchmarkRows(tb testing.TB, records []memory.Record) []dataexport.Row {
	tb.Helper()
	source, err := memory.Slice(records).Open(context.Background(), dataexport.Query{
		Scope: dataexport.Scope{WorkspaceID: records[0].WorkspaceID},
	})
	require.NoError(tb, err)
	var rows []dataexport.Row
	for row, err := range source.Rows(context.Background(), 0) {
		require.NoError(tb, err)
		rows = append(rows, slices.Clone(row))
	}
	require.Len(tb, rows, len(records))
	return rows
}
