package pgstore

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dataexport/dataexport"
)

func TestAhead(t *testing.T) {
	s := New(migrated(t), Options{})
	ahead := func(id string) []string {
		t.Helper()
		ids, err := s.Ahead(t.Context(), id)
		require.NoError(t, err)
		return ids
	}
	first, second, third, fourth := orderFor(t, s, "a"), orderFor(t, s, "a"), orderFor(t, s, "a"), orderFor(t, s, "a")
	assert.Empty(t, ahead(first), "nobody else is there")
	b, laterOfB := orderFor(t, s, "b"), orderFor(t, s, "b")
	assert.Empty(t, ahead(first), "nobody has had a turn, and it has come first")
	hold(t, s, first)()
	assert.Equal(t, []string{b, laterOfB}, ahead(second), "the other has waited while this one had a turn")
	assert.Empty(t, ahead(b), "it was promised")
	hold(t, s, b)()
	assert.Empty(t, ahead(second), "each has had one")
	hold(t, s, second)()
	_, err := s.Delete(t.Context(), dataexport.Scope{WorkspaceID: "b"}, laterOfB)
	require.NoError(t, err)

	c := orderFor(t, s, "c")
	assert.Empty(t, ahead(third), "the other has come after the latest turn of this one")
	hold(t, s, third)()
	assert.Equal(t, []string{c}, ahead(fourth))
	_, err = s.Delete(t.Context(), dataexport.Scope{WorkspaceID: "c"}, c)
	require.NoError(t, err)
	assert.Empty(t, ahead(fourth))
	assert.Empty(t, ahead(c), "it is not there")
	assert.Empty(t, ahead("no id"))
}

// Who has two jobs more in work gives way, whatever turns there have been: another process may have given them.
func TestAheadOfWhoHasMoreInWork(t *testing.T) {
	pool := migrated(t)
	s, elsewhere := New(pool, Options{}), New(pool, Options{})
	jobs := []string{orderFor(t, s, "a"), orderFor(t, s, "a"), orderFor(t, s, "a")}
	b := orderFor(t, s, "b")
	hold(t, elsewhere, jobs[0])
	ids, err := New(pool, Options{}).Ahead(t.Context(), jobs[1])
	require.NoError(t, err)
	assert.Empty(t, ids)
	hold(t, elsewhere, jobs[1])
	ids, err = s.Ahead(t.Context(), jobs[2])
	require.NoError(t, err)
	assert.Equal(t, []string{b}, ids)
}
