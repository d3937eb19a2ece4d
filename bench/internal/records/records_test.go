package records

import (
	"testing"
	"time"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dataexport/dataexport"
	"github.com/dataexport/dataexport/memory"
	"github.com/dataexport/dataexport/render"
)

func TestMakeRepeatsItself(t *testing.T) {
	for _, shape := range Shapes() {
		all := Make(shape, 500)
		assert.Equal(t, all[:300], Make(shape, 300), shape)
		for i := range all {
			require.True(t, utf8.ValidString(all[i].Content))
		}
	}
}

func TestPackChangesNothing(t *testing.T) {
	for _, shape := range Shapes() {
		packed := Make(shape, 300)
		pack(packed)
		assert.Equal(t, Make(shape, 300), packed)
	}
}

func TestLists(t *testing.T) {
	var last time.Time
	contents := make(map[string]bool)
	n := 0
	for r := range NewHotList(Dirty, 1000).All() {
		require.True(t, r.CreatedAt.After(last))
		last = r.CreatedAt
		contents[r.Content] = true
		n++
	}
	assert.Equal(t, 1000, n)
	assert.Len(t, contents, hot)

	clear(contents)
	different := NewList(Dirty, 1000)
	for range 2 { // The second time is like the first.
		last = time.Time{}
		for r := range different.All() {
			require.True(t, r.CreatedAt.After(last))
			last = r.CreatedAt
			contents[r.Content] = true
		}
		assert.Len(t, contents, 1000)
	}
	assert.Equal(t, Make(Dirty, 1000)[999].CreatedAt, last)
}

// The engine checks each record: the kinds of its values, its workspace and the order of the keys.
func TestMakeRecordsThatCanBeExported(t *testing.T) {
	for _, shape := range Shapes() {
		var size counter
		summary, err := dataexport.Export(t.Context(), &size, memory.Slice(Make(shape, 2000)), render.JSON(), dataexport.Query{
			Scope: dataexport.Scope{WorkspaceID: Workspace},
		})
		require.NoError(t, err)
		require.EqualValues(t, 2000, summary.Records)
		t.Logf("%s: %d bytes of JSON a record", shape, size/2000)
		assert.InDelta(t, 530, int(size)/2000, 60, shape)
	}
}

type counter int

func (c *counter) Write(b []byte) (int, error) {
	*c += counter(len(b))
	return len(b), nil
}
