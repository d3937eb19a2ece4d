package pgstore

import (
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dataexport/dataexport"
)

// orderFor makes a job of a workspace and returns its id.
func orderFor(t *testing.T, s *Store, workspace string) string {
	t.Helper()
	job, _, err := s.Create(t.Context(), dataexport.NewJob{
		ID: uuid.Must(uuid.NewV7()).String(), Scope: dataexport.Scope{WorkspaceID: workspace}, Dataset: "d", Format: "f",
	})
	require.NoError(t, err)
	return job.ID
}

// hold claims a job, and end ends it.
func hold(t *testing.T, s *Store, id string) (end func()) {
	t.Helper()
	job, err := s.Claim(t.Context(), dataexport.ClaimOptions{ID: id, Lease: time.Minute})
	require.NoError(t, err)
	return func() {
		job.Status = dataexport.StatusReady
		_, err := s.Update(t.Context(), job, time.Minute)
		require.NoError(t, err)
	}
}

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

func TestWaiting(t *testing.T) {
	s := New(migrated(t), Options{})
	ids := []string{orderFor(t, s, "a"), orderFor(t, s, "b"), orderFor(t, s, "a"), orderFor(t, s, "a")}
	waiting := func(atLeast time.Duration, after string, limit int) []string {
		t.Helper()
		found, err := s.Waiting(t.Context(), atLeast, after, limit)
		require.NoError(t, err)
		return found
	}
	assert.Equal(t, ids, waiting(0, "", 10))
	assert.Equal(t, ids[:2], waiting(0, "", 2))
	assert.Equal(t, ids[2:], waiting(0, ids[1], 10))
	assert.Empty(t, waiting(time.Minute, "", 10), "they are too new")
	hold(t, s, ids[0])
	hold(t, s, ids[1])()
	assert.Equal(t, ids[2:], waiting(0, "", 10), "neither held nor ended")
}
