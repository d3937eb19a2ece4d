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
		ids, err := s.Ahead(t.Context(), "", id)
		require.NoError(t, err)
		return ids
	}
	var a []string
	for range 6 {
		a = append(a, orderFor(t, s, "a"))
	}
	assert.Empty(t, ahead(a[0]), "nobody else is there")
	b, laterOfB := orderFor(t, s, "b"), orderFor(t, s, "b")
	assert.Empty(t, ahead(a[0]), "nobody has had a turn, and it has come first")
	hold(t, s, a[0])()
	assert.Empty(t, ahead(a[1]), "a turn more is not enough")
	hold(t, s, a[1])()
	assert.Equal(t, []string{b, laterOfB}, ahead(a[2]), "the other has waited while this one had two turns")
	assert.Empty(t, ahead(b), "it was promised")
	hold(t, s, b)()
	assert.Empty(t, ahead(a[2]), "it has had one more")
	hold(t, s, a[2])()
	_, err := s.Delete(t.Context(), dataexport.Scope{WorkspaceID: "b"}, laterOfB)
	require.NoError(t, err)

	c := orderFor(t, s, "c")
	assert.Empty(t, ahead(a[3]), "the other has come after the latest turn of this one")
	hold(t, s, a[3])()
	assert.Empty(t, ahead(a[4]), "a turn more is not enough")
	hold(t, s, a[4])()
	assert.Equal(t, []string{c}, ahead(a[5]))
	_, err = s.Delete(t.Context(), dataexport.Scope{WorkspaceID: "c"}, c)
	require.NoError(t, err)
	assert.Empty(t, ahead(a[5]))
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
	ids, err := New(pool, Options{}).Ahead(t.Context(), "a", jobs[1])
	require.NoError(t, err)
	assert.Empty(t, ids)
	hold(t, elsewhere, jobs[1])
	ids, err = s.Ahead(t.Context(), "a", jobs[2])
	require.NoError(t, err)
	assert.Equal(t, []string{b}, ids)
}
