package pgrows

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dataexport/dataexport"
	"github.com/dataexport/dataexport/memory"
	"github.com/dataexport/dataexport/render"
)

const memoriesTable = `CREATE TABLE memories (
	id text NOT NULL, workspace_id text NOT NULL, content text NOT NULL, user_id text, agent_id text, session_id text, priority text, status text,
	categories text[], metadata jsonb, access_count bigint, last_accessed_at timestamptz, created_at timestamptz NOT NULL, updated_at timestamptz,
	PRIMARY KEY (workspace_id, created_at, id))`

func memoryPages(pool DB, size int) Pages {
	return Pages{
		DB: pool, Size: size, Count: true,
		Table: Table{
			Collection: memory.Info().Collections[0],
			Where: Conditions{
				Workspace: "workspace_id", UserID: "user_id", AgentID: "agent_id", SessionID: "session_id", Priority: "priority",
				Categories: "categories", CreatedAt: "created_at",
			}.Where,
		},
	}
}

// memories makes records, many of which share a time of creation, in two workspaces. The ids are such that a collation of a
// language would order them otherwise than by their bytes.
func memories(n int) []memory.Record {
	records := make([]memory.Record, n)
	for i := range records {
		text := func(of int, name string) *string {
			if i%of == 0 {
				return nil
			}
			s := fmt.Sprint(name, i%of)
			return &s
		}
		created := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC).Add(time.Duration(i/7) * time.Microsecond)
		r := &records[i]
		*r = memory.Record{
			ID: string("aBc_Zé-"[i%6]) + fmt.Sprint(i), WorkspaceID: []string{"w1", "w2"}[i%5/4], Content: fmt.Sprint("content ", i), CreatedAt: created,
			UserID: text(3, "u"), AgentID: text(4, "a"), SessionID: text(5, "s"),
		}
		if i%3 > 0 {
			priority := string([]dataexport.Priority{dataexport.PriorityLow, dataexport.PriorityHigh}[i%2])
			r.Priority, r.UpdatedAt, r.Metadata = &priority, &created, []byte(fmt.Sprintf(`{"i":%d}`, i))
		}
		if i%4 > 0 {
			r.Categories = []string{"all", fmt.Sprint("c", i%9)}[i%2:]
		}
	}
	return records
}

func insert(t testing.TB, pool *pgxpool.Pool, records ...memory.Record) {
	t.Helper()
	_, err := pool.CopyFrom(context.WithoutCancel(t.Context()), pgx.Identifier{"memories"}, []string{
		"id", "workspace_id", "content", "user_id", "agent_id", "session_id", "priority", "categories", "metadata", "created_at", "updated_at",
	}, pgx.CopyFromSlice(len(records), func(i int) ([]any, error) {
		r := &records[i]
		return []any{r.ID, r.WorkspaceID, r.Content, r.UserID, r.AgentID, r.SessionID, r.Priority, r.Categories, r.Metadata, r.CreatedAt, r.UpdatedAt}, nil
	}))
	require.NoError(t, err)
}

func export(t *testing.T, d dataexport.Dataset, r dataexport.Renderer, q dataexport.Query) string {
	t.Helper()
	var b bytes.Buffer
	_, err := dataexport.Export(t.Context(), &b, d, r, q)
	require.NoError(t, err)
	return b.String()
}

// What pages export is, byte for byte, what the same records export from memory, for every condition of a filter.
func TestPagesExportWhatTheQueryAsksFor(t *testing.T) {
	pool := newPool(t)
	execute(t, pool, memoriesTable)
	records := memories(500)
	insert(t, pool, records...)
	middle := records[250].CreatedAt
	for name, f := range map[string]dataexport.Filter{
		"all":              {},
		"user":             {UserID: "u2"},
		"agent":            {AgentID: "a1"},
		"session":          {SessionID: "s3"},
		"priority":         {Priority: dataexport.PriorityHigh},
		"categories":       {Categories: []string{"c3", "c5", "'"}},
		"after":            {CreatedAfter: middle},
		"before":           {CreatedBefore: middle},
		"after, between":   {CreatedAfter: middle.Add(300)},
		"before, between":  {CreatedBefore: middle.Add(300)},
		"nobody":           {UserID: "' OR true --"},
		"many at one time": {UserID: "u1", AgentID: "a3", CreatedAfter: records[10].CreatedAt, CreatedBefore: middle},
	} {
		for _, asOf := range []time.Time{{}, middle, middle.Add(999)} {
			for _, size := range []int{1, 7, 100, 10_000} {
				q := dataexport.Query{Scope: dataexport.Scope{WorkspaceID: "w1"}, Filter: f, AsOf: asOf}
				if asOf.IsZero() {
					q.AsOf = records[len(records)-1].CreatedAt.Add(time.Hour) // the document's clock would differ
				}
				if size == 1 && name != "after" {
					continue // a query for each of 400 records takes a while
				}
				pages := memoryPages(pool, size)
				got := export(t, memory.RowDataset(pages.Open), render.JSON(), q)
				require.Equal(t, export(t, memory.Slice(records), render.JSON(), q), got, "%s, as of %s, pages of %d", name, asOf, size)
				source, err := pages.Open(t.Context(), q)
				require.NoError(t, err)
				n, err := source.(dataexport.Counter).Count(t.Context())
				require.NoError(t, err)
				require.Equal(t, int64(strings.Count(got, `"workspace_id"`)), n)
			}
		}
	}
}

// Inserts and deletes between two pages, before and behind the place that has been reached, neither repeat nor hide others:
// what comes is what is there when its page begins.
func TestPagesWhileTheTableChanges(t *testing.T) {
	const size = 10
	pool := newPool(t)
	execute(t, pool, memoriesTable)
	start := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	live := make(map[string]bool) // what the table holds, in a form that is ordered as the records are
	change := func(insertion bool, second int, id string) {
		key := fmt.Sprintf("%03d %s", second, id)
		if live[key] == insertion {
			return
		}
		live[key] = insertion
		created := start.Add(time.Duration(second) * time.Second)
		if insertion {
			insert(t, pool, memory.Record{ID: id, WorkspaceID: "w", Content: "c", CreatedAt: created})
			return
		}
		deleted, err := pool.Exec(t.Context(), "DELETE FROM memories WHERE created_at = $1 AND id = $2", created, id)
		require.NoError(t, err)
		require.Equal(t, int64(1), deleted.RowsAffected())
	}
	for i := range 100 {
		change(true, i, "old")
	}
	page := func(behind string) (keys []string) {
		for key, there := range live {
			if there && key > behind {
				keys = append(keys, key)
			}
		}
		slices.Sort(keys)
		return keys[:min(len(keys), size)]
	}
	want, got := page(""), []string(nil)
	source, err := memoryPages(pool, size).Open(t.Context(), dataexport.Query{Scope: dataexport.Scope{WorkspaceID: "w"}})
	require.NoError(t, err)
	for row, err := range source.Rows(t.Context(), 0) {
		require.NoError(t, err)
		second := int(row[12].Time().Sub(start) / time.Second)
		got = append(got, fmt.Sprintf("%03d %s", second, row[0].Text()))
		if len(got)%size != 0 { // within a page
			continue
		}
		if second < 100 {
			for _, id := range []string{"a", "z"} { // right before the place that has been reached, and right behind it
				change(true, second, id)
			}
			change(true, second-5, "behind")
			change(true, second+20, "ahead")
			for _, gone := range []int{second - 3, second, second + 1, second + 15} {
				change(false, gone, "old")
			}
		}
		want = append(want, page(got[len(got)-1])...)
	}
	require.NoError(t, source.Close())
	assert.Equal(t, want, got)
	assert.Greater(t, len(got), 100)
	text := strings.Join(got, " ")
	assert.Contains(t, text, " z")
	assert.Contains(t, text, " ahead")
	assert.NotContains(t, text, " behind")
	assert.NotContains(t, text, " a ")
}

// Between two pages, and after a consumer that stops, no connection is held.
func TestPagesHoldNothing(t *testing.T) {
	pool := newPool(t, oneConnection)
	execute(t, pool, memoriesTable)
	insert(t, pool, memories(100)...)
	source, err := memoryPages(pool, 20).Open(t.Context(), dataexport.Query{Scope: dataexport.Scope{WorkspaceID: "w1"}})
	require.NoError(t, err)
	requireUsable(t, pool)
	n := 0
	for _, err := range source.Rows(t.Context(), 0) {
		require.NoError(t, err)
		if n++; n == 30 {
			break
		}
	}
	requireUsable(t, pool)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for _, err := range source.Rows(ctx, 0) {
		require.ErrorIs(t, err, context.Canceled)
	}
	requireUsable(t, pool)
}

// Keys of every kind lead from page to page.
func TestPagesByKeysOfAllKinds(t *testing.T) {
	pool := newPool(t)
	execute(t, pool, `CREATE TABLE things AS SELECT g::int AS i, g::bigint - 5000 AS big, md5(g::text)::uuid AS u, 'T' || g % 3 AS t,
		'2026-01-01'::timestamp + g * interval '1 hour' AS s, '2026-01-01'::date + g % 400 AS d, (ARRAY['ä', 'z', 'Z', 'a', '_'])[g % 5 + 1] || g AS text, 'me' AS owner
		FROM generate_series(1, 1000) g`)
	for _, key := range [][]dataexport.Column{
		{{Name: "i", Kind: dataexport.KindInt}},
		{{Name: "t", Kind: dataexport.KindString}, {Name: "big", Kind: dataexport.KindInt}},
		{{Name: "u", Kind: dataexport.KindUUID}},
		{{Name: "u", Kind: dataexport.KindString}},
		{{Name: "s", Kind: dataexport.KindTime}},
		{{Name: "d", Kind: dataexport.KindTime}, {Name: "i", Kind: dataexport.KindInt}},
		{{Name: "text", Kind: dataexport.KindString}},
	} {
		for i := range key {
			key[i].Key = i + 1
		}
		collection := dataexport.Collection{Name: "things", Columns: key}
		pages := Pages{DB: pool, Size: 64, Table: Table{Collection: collection, Where: Conditions{Workspace: "owner"}.Where}}
		info := dataexport.Info{Name: "things", Collections: []dataexport.Collection{collection}}
		// Export checks that the order is that of the key, by the bytes of text, and that no key comes twice.
		summary, err := dataexport.Export(t.Context(), &bytes.Buffer{}, Dataset(info, pages.Open), render.CSV(), dataexport.Query{Scope: dataexport.Scope{WorkspaceID: "me"}})
		require.NoError(t, err, key)
		assert.Equal(t, int64(1000), summary.Records, key)
	}
}

func TestWhatPagesRefuse(t *testing.T) {
	pool := newPool(t)
	execute(t, pool, "CREATE TYPE mood AS ENUM ('sad', 'happy')", "CREATE TABLE things (m mood, t text, w text)")
	where := Conditions{Workspace: "w"}.Where
	collection := func(column dataexport.Column) dataexport.Collection {
		return dataexport.Collection{Name: "things", Columns: []dataexport.Column{column}}
	}
	for message, table := range map[string]Table{
		"has no Where":              {Collection: collection(dataexport.Column{Name: "t", Kind: dataexport.KindString, Key: 1})},
		"returned no condition":     {Collection: collection(dataexport.Column{Name: "t", Kind: dataexport.KindString, Key: 1}), Where: func(dataexport.Query) (string, pgx.NamedArgs, error) { return " ", nil, nil }},
		"has no key":                {Collection: collection(dataexport.Column{Name: "t", Kind: dataexport.KindString}), Where: where},
		"does not order its type":   {Collection: collection(dataexport.Column{Name: "m", Kind: dataexport.KindString, Key: 1}), Where: where},
		"does not order text as":    {Collection: collection(dataexport.Column{Name: "t", Kind: dataexport.KindTime, Key: 1}), Where: where},
		"no column of the coll":     {Collection: collection(dataexport.Column{Name: "t", Kind: dataexport.KindString, Key: 1}), Where: where, Select: map[string]string{"x": "1"}},
		"neither Workspace nor Sub": {Collection: collection(dataexport.Column{Name: "t", Kind: dataexport.KindString, Key: 1}), Where: Conditions{}.Where},
		"are taken": {Collection: collection(dataexport.Column{Name: "t", Kind: dataexport.KindString, Key: 1}), Where: func(dataexport.Query) (string, pgx.NamedArgs, error) {
			return "true", pgx.NamedArgs{"pgrows_key_1": 1}, nil
		}},
		"cannot be read as int": {Collection: collection(dataexport.Column{Name: "t", Kind: dataexport.KindInt, Key: 1}), Where: where},
	} {
		err := Pages{DB: pool, Table: table}.Check(t.Context())
		require.ErrorIs(t, err, dataexport.ErrInvalid, message)
		assert.ErrorContains(t, err, message)
	}
	require.NoError(t, Pages{DB: pool, Table: Table{
		Collection: collection(dataexport.Column{Name: "m", Kind: dataexport.KindString, Key: 1}), Select: map[string]string{"m": "m::text"}, Where: where,
	}}.Check(t.Context()))
}

func TestConditionsNeverWiden(t *testing.T) {
	c := Conditions{Workspace: "w", Subject: "s"}
	scope := dataexport.Scope{WorkspaceID: "1", Subject: "2"}
	_, _, err := c.Where(dataexport.Query{Scope: scope})
	require.NoError(t, err)
	for _, q := range []dataexport.Query{
		{},
		{Scope: dataexport.Scope{WorkspaceID: "1"}},
		{Scope: dataexport.Scope{Subject: "2"}},
		{Scope: scope, Filter: dataexport.Filter{UserID: "u"}},
		{Scope: scope, Filter: dataexport.Filter{AgentID: "u"}},
		{Scope: scope, Filter: dataexport.Filter{SessionID: "u"}},
		{Scope: scope, Filter: dataexport.Filter{Priority: "u"}},
		{Scope: scope, Filter: dataexport.Filter{Categories: []string{"u"}}},
		{Scope: scope, Filter: dataexport.Filter{CreatedAfter: time.Now()}},
		{Scope: scope, Filter: dataexport.Filter{CreatedBefore: time.Now()}},
	} {
		_, _, err := c.Where(q)
		require.ErrorIs(t, err, dataexport.ErrInvalid, q)
	}
}
