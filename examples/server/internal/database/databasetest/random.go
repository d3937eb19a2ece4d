package databasetest

import (
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/dataexport/dataexport"
	"github.com/dataexport/dataexport/memory"
)

// read returns the rows that a dataset has for a query, in a form that can be compared.
func read(t testing.TB, d dataexport.Dataset, q dataexport.Query) [][]any {
	t.Helper()
	source, err := d.Open(t.Context(), q)
	require.NoError(t, err)
	defer func() { require.NoError(t, source.Close()) }()
	rows := [][]any{}
	for row, err := range source.Rows(t.Context(), 0) {
		require.NoError(t, err)
		rows = append(rows, plain(row))
	}
	if counter, ok := source.(dataexport.Counter); ok {
		n, err := counter.Count(t.Context())
		require.NoError(t, err)
		require.Equal(t, int64(len(rows)), n)
	}
	return rows
}

func plain(row dataexport.Row) []any {
	cells := make([]any, len(row))
	for i, v := range row {
		switch v.Kind() {
		case dataexport.KindNull:
		case dataexport.KindInt:
			cells[i] = v.Int()
		case dataexport.KindTime:
			cells[i] = v.Time()
		case dataexport.KindStrings:
			list := []string{}
			for _, s := range v.Strings() {
				list = append(list, strings.Clone(s))
			}
			cells[i] = list
		default:
			cells[i] = v.Kind().String() + " " + strings.Clone(v.Text())
		}
	}
	return cells
}

func pick[T any](random *rand.Rand, from ...T) T { return from[random.IntN(len(from))] }

func maybe[T any](random *rand.Rand, from ...T) *T {
	if random.IntN(4) == 0 {
		return nil
	}
	return new(pick(random, from...))
}

var (
	someNames      = []string{"a", "b", "A", "a ", "é", "e\u0301", "😀", "\x00", "a\x00b", "a\x00c", `"\`, "%", "_", "1", "null", "<&>", "\u2028", "\ufffd"}
	somePriorities = []string{"LOW", "MEDIUM", "HIGH", "high", ""}
)

func someInstant(random *rand.Rand) time.Time {
	base := pick(random,
		time.Date(0, 1, 1, 0, 0, 0, 0, time.UTC), time.Date(1, 1, 1, 0, 0, 0, 0, time.UTC), time.Date(1969, 12, 31, 23, 59, 59, 999999999, time.UTC),
		time.Date(2026, 1, 15, 10, 30, 0, 0, time.UTC), time.Date(2026, 1, 15, 10, 30, 0, 100, time.UTC),
		time.Date(9999, 12, 31, 23, 59, 58, 0, time.UTC))
	return base.Add(time.Duration(random.IntN(3)) * pick(random, time.Nanosecond, time.Microsecond, time.Millisecond))
}

func someRecord(random *rand.Rand, number int) memory.Record {
	r := memory.Record{
		ID: pick(random, someNames...) + pick(random, someNames...) + fmt.Sprint(number), WorkspaceID: pick(random, "demo", "Demo", "demo\x00"),
		Content: strings.Repeat(pick(random, someNames...), random.IntN(4)),
		UserID:  maybe(random, someNames...), AgentID: maybe(random, someNames...), SessionID: maybe(random, "", "s", "S"),
		Priority: maybe(random, somePriorities...), Status: maybe(random, someNames...),
		AccessCount: maybe(random, int64(0), 1, -1, math.MaxInt64, math.MinInt64), CreatedAt: someInstant(random),
	}
	for range random.IntN(4) {
		r.Categories = append(r.Categories, pick(random, someNames...))
	}
	if r.Categories == nil && random.IntN(2) == 0 {
		r.Categories = []string{}
	}
	if random.IntN(3) > 0 {
		r.Metadata = json.RawMessage(pick(random, `{}`, `{"a":1.50,"b":[null,"\u0000"]}`, `{"big":12345678901234567890123}`))
	}
	if random.IntN(2) == 0 {
		r.UpdatedAt, r.LastAccessedAt = new(someInstant(random)), new(someInstant(random))
	}
	return r
}

func someQuery(random *rand.Rand) dataexport.Query {
	q := dataexport.Query{Scope: dataexport.Scope{WorkspaceID: pick(random, "demo", "Demo", "demo\x00", "other")}}
	sometimes := func() bool { return random.IntN(4) == 0 }
	if sometimes() {
		q.Filter.UserID = pick(random, someNames...)
	}
	if sometimes() {
		q.Filter.AgentID = pick(random, someNames...)
	}
	if sometimes() {
		q.Filter.SessionID = pick(random, "s", "S", "t")
	}
	if sometimes() {
		q.Filter.Priority = dataexport.Priority(pick(random, "LOW", "MEDIUM", "HIGH"))
	}
	if sometimes() {
		for range 1 + random.IntN(3) {
			q.Filter.Categories = append(q.Filter.Categories, pick(random, someNames...))
		}
	}
	if random.IntN(3) == 0 {
		q.Filter.CreatedAfter = someInstant(random)
	}
	if random.IntN(3) == 0 {
		q.Filter.CreatedBefore = someInstant(random)
	}
	if random.IntN(2) == 0 {
		q.AsOf = someInstant(random)
	}
	return q
}

// withoutNUL replaces all NUL characters, but those in metadata, which are escapes.
func withoutNUL(r *memory.Record) {
	replace := func(text string) string { return strings.ReplaceAll(text, "\x00", "\x01") }
	for _, text := range []*string{&r.ID, &r.WorkspaceID, &r.Content, r.UserID, r.AgentID, r.SessionID, r.Priority, r.Status} {
		if text != nil {
			*text = replace(*text)
		}
	}
	for i := range r.Categories {
		r.Categories[i] = replace(r.Categories[i])
	}
}
