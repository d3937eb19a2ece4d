package pgstore

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/dataexport/dataexport"
	"github.com/dataexport/dataexport/store/pgstore/postgrestest"
)

func TestAStandbyDoesNotSayThatAJobIsMissing(t *testing.T) {
	server := postgrestest.Run(t, postgrestest.Options{})
	pool := openPool(t, server.URL("postgres"))
	require.NoError(t, Migrate(t.Context(), pool))
	s := New(pool, Options{})
	known, unknown := orderFor(t, s, "a"), newJob("a").ID
	_, err := s.Find(t.Context(), unknown)
	require.ErrorIs(t, err, dataexport.ErrNotFound)

	require.NoError(t, server.Halt(postgrestest.Fast))
	data, err := filepath.Glob(filepath.Join(server.Directory(), "*", "PG_VERSION"))
	require.NoError(t, err)
	require.Len(t, data, 1)
	require.NoError(t, os.WriteFile(filepath.Join(filepath.Dir(data[0]), "standby.signal"), nil, 0o644)) // it follows nobody
	require.NoError(t, server.Resume())

	s = New(openPool(t, server.URL("postgres")), Options{}) // without connections that have ended
	job, err := s.Find(t.Context(), known)
	require.NoError(t, err)
	require.Equal(t, known, job.ID)
	_, err = s.Find(t.Context(), unknown)
	require.ErrorIs(t, err, dataexport.ErrUnavailable)
	require.NotErrorIs(t, err, dataexport.ErrNotFound)
}
