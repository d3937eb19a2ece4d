package fileblob_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/dataexport/dataexport"
	"github.com/dataexport/dataexport/store/blobtest"
	"github.com/dataexport/dataexport/store/fileblob"
)

func TestStore(t *testing.T) {
	blobtest.Run(t, func(t *testing.T) dataexport.BlobStore { return newStore(t, t.TempDir()) })
}

func newStore(t *testing.T, dir string) *fileblob.Store {
	t.Helper()
	s, err := fileblob.New(dir)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.Close()) })
	return s
}
