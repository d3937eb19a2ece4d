package threengram_test

import (
	"bytes"
	"context"
	"encoding/json"
	"iter"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dataexport/dataexport"
	"github.com/dataexport/dataexport/archive"
	"github.com/dataexport/dataexport/archive/threengram"
	"github.com/dataexport/dataexport/render"
)

// A collector makes a view of the records of an archive.
type collector struct {
	account       threengram.Account
	commitments   []*threengram.Commitment
	edges         []*threengram.Edge
	facts         []*threengram.Fact
	llmUsage      []*threengram.LLMUsage
	memories      []*threengram.Memory
	memoryEvents  []*threengram.MemoryEvent
	proposals     []*threengram.Proposal
	scopes        []*threengram.Scope
	subscriptions []*threengram.Subscription
	userBudgets   []*threengram.UserBudget
}

func (c *collector) visit(r archive.Record) error {
	switch v := r.Value.(type) {
	case *threengram.Account:
		c.account = *v
	case *threengram.Commitment:
		c.commitments = append(c.commitments, v)
	case *threengram.Edge:
		c.edges = append(c.edges, v)
	case *threengram.Fact:
		c.facts = append(c.facts, v)
	case *threengram.LLMUsage:
		c.llmUsage = append(c.llmUsage, v)
	case *threengram.Memory:
		c.memories = append(c.memories, v)
	case *threengram.MemoryEvent:
		c.memoryEvents = append(c.memoryEvents, v)
	case *threengram.Proposal:
		c.proposals = append(c.proposals, v)
	case *threengram.Scope:
		c.scopes = append(c.scopes, v)
	case *threengram.Subscription:
		c.subscriptions = append(c.subscriptions, v)
	case *threengram.UserBudget:
		c.userBudgets = append(c.userBudgets, v)
	}
	return nil
}

func each[T any](records []*T) iter.Seq2[*T, error] {
	return func(yield func(*T, error) bool) {
		for _, r := range records {
			if !yield(r, nil) {
				return
			}
		}
	}
}

func (c *collector) view() *threengram.View {
	return &threengram.View{
		Account: c.account, Commitments: each(c.commitments), Edges: each(c.edges), Facts: each(c.facts), LLMUsage: each(c.llmUsage),
		Memories: each(c.memories), MemoryEvents: each(c.memoryEvents), Proposals: each(c.proposals), Scopes: each(c.scopes),
		Subscriptions: each(c.subscriptions), UserBudgets: each(c.userBudgets),
	}
}

func exportZip(t *testing.T, view *threengram.View) []byte {
	t.Helper()
	d, err := threengram.Dataset(func(context.Context, dataexport.Scope) (*threengram.View, error) { return view, nil })
	require.NoError(t, err)
	var b bytes.Buffer
	q := dataexport.Query{Scope: dataexport.Scope{WorkspaceID: "w", Subject: "ana"}, AsOf: at}
	_, err = dataexport.Export(t.Context(), &b, d, render.Zip(), q)
	require.NoError(t, err)
	return b.Bytes()
}

// What is read from an archive and exported again is the same archive, byte by byte.
func TestAnArchiveComesBack(t *testing.T) {
	a, err := threengram.Archive()
	require.NoError(t, err)
	for _, name := range []string{"full", "empty"} {
		t.Run(name, func(t *testing.T) {
			golden, err := os.ReadFile("testdata/" + name + ".json")
			require.NoError(t, err)
			zipped := exportZip(t, readView(t, a, golden))
			for _, document := range [][]byte{golden, zipped} {
				report, err := a.Verify(bytes.NewReader(document), int64(len(document)))
				require.NoError(t, err)
				require.True(t, report.OK(), report.Faults)
				assert.Equal(t, string(golden), string(export(t, readView(t, a, document))))
				assert.Equal(t, zipped, exportZip(t, readView(t, a, document)))
			}
		})
	}
}

func readView(t *testing.T, a *archive.Archive, document []byte) *threengram.View {
	t.Helper()
	var c collector
	header, err := a.Read(bytes.NewReader(document), int64(len(document)), c.visit)
	require.NoError(t, err)
	assert.Equal(t, threengram.Format, header.Format)
	assert.Equal(t, at, header.ExportedAt)
	assert.EqualValues(t, len(c.memories), header.Counts["memories"])
	return c.view()
}

// The members of the document and of its records may come in any order. A map has its own.
func TestTheOrderOfMembersIsFree(t *testing.T) {
	a, err := threengram.Archive()
	require.NoError(t, err)
	golden, err := os.ReadFile("testdata/full.json")
	require.NoError(t, err)
	var document map[string]json.RawMessage
	require.NoError(t, json.Unmarshal(golden, &document))
	shuffled, err := json.MarshalIndent(document, " ", "\t")
	require.NoError(t, err)
	require.NotEqual(t, golden, shuffled)
	assert.Equal(t, string(golden), string(export(t, readView(t, a, shuffled))))
}

// Each reference of the format is checked: an edge, a fact, a commitment, an event or a proposal of a memory that is not
// there is a fault in its place.
func TestEveryReferenceIsChecked(t *testing.T) {
	a, err := threengram.Archive()
	require.NoError(t, err)
	golden, err := os.ReadFile("testdata/full.json")
	require.NoError(t, err)
	const gone = "00000000-0000-0000-0000-0000000000ff"
	for list, fields := range map[string][]string{
		"commitments": {"memoryId"}, "edges": {"fromId", "toId"}, "facts": {"memoryId"}, "memoryEvents": {"memoryId"}, "proposals": {"fromId", "toId"},
	} {
		for _, field := range fields {
			head, rest, found := strings.Cut(string(golden), `"`+list+`":[`)
			require.True(t, found)
			before, after, found := strings.Cut(rest, `"`+field+`":"`)
			require.True(t, found)
			document := head + `"` + list + `":[` + before + `"` + field + `":"` + gone + after[len(gone):]
			report, err := a.Verify(strings.NewReader(document), int64(len(document)))
			require.NoError(t, err)
			assert.Equal(t, []archive.Fault{
				{Collection: list, Field: field, Value: gone, Problem: "no record of memories has this id"},
			}, report.Faults)
		}
	}
}

// Large records that JSON can hold come back from a zip too: quotation marks, which CSV doubles, and what compresses well.
func TestLargeRecordsComeBackFromAZip(t *testing.T) {
	view := full()
	view.Memories = list(
		threengram.Memory{Content: strings.Repeat("a", 15<<20), CreatedAt: at, ID: id(6), MemoryType: "m", Status: "s", UpdatedAt: at},
		threengram.Memory{CreatedAt: at, ID: id(7), MemoryType: "m", Status: "s", UpdatedAt: at},
	)
	payload := json.RawMessage("[" + strings.Repeat(`"a",`, 3<<20) + `"a"]`)
	view.MemoryEvents = list(threengram.MemoryEvent{ActorKind: "user", CreatedAt: at, EventKind: "e", ID: id(1), MemoryID: id(6), Payload: payload})
	d, err := threengram.Dataset(func(context.Context, dataexport.Scope) (*threengram.View, error) { return view, nil })
	require.NoError(t, err)
	var file bytes.Buffer
	_, err = dataexport.Export(t.Context(), &file, d, render.Zip(), dataexport.Query{Scope: dataexport.Scope{Subject: "ana"}})
	require.NoError(t, err)
	a, err := threengram.Archive()
	require.NoError(t, err)
	content := bytes.NewReader(file.Bytes())
	report, err := a.Verify(content, content.Size())
	require.NoError(t, err)
	require.Empty(t, report.Faults)
	_, err = a.Read(content, content.Size(), func(r archive.Record) error {
		if event, ok := r.Value.(*threengram.MemoryEvent); ok {
			assert.True(t, bytes.Equal(payload, event.Payload))
		}
		return nil
	})
	require.NoError(t, err)
}
