package fileblob_test

import (
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dataexport/dataexport"
)

func TestListRemovesEmptyDirectories(t *testing.T) {
	dir := t.TempDir()
	s := newStore(t, dir)
	for _, path := range []string{"deleted", "begun", "a/b/c", "a/b2", "lost+found", "whole/sub"} {
		require.NoError(t, os.MkdirAll(filepath.Join(dir, path), 0o700))
	}
	put(t, s, "whole/1", "x")
	put(t, s, "whole/12", "x")
	require.NoError(t, os.WriteFile(filepath.Join(dir, "README"), nil, 0o600))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "begun", "foreign+file"), nil, 0o600))

	require.Len(t, list(t, s, "whole/12"), 1)
	require.Empty(t, list(t, s, "whole/123"))
	assert.Contains(t, tree(t, dir), "deleted/", "what does not begin with the prefix is not looked at")

	require.Empty(t, list(t, s, "a/b"))
	assert.NotContains(t, tree(t, dir), "a/")

	require.Len(t, list(t, s, ""), 2)
	assert.Equal(t, []string{
		"README", "begun/", "begun/foreign+file", "lost+found/", "whole/", "whole/1+blob", "whole/12+blob",
	}, tree(t, dir))
}

// While blobs are put and deleted, and so their directories come and go, List removes those that it finds empty. No Put
// fails for it.
func TestListDisturbsNoPut(t *testing.T) {
	s := newStore(t, t.TempDir())
	var putting sync.WaitGroup
	for worker := range 3 {
		putting.Go(func() {
			for i := range 150 {
				key := fmt.Sprintf("job%d/%d", worker, i)
				if !assert.NoError(t, s.Put(t.Context(), key, dataexport.Format{}, text(key))) {
					return
				}
				assert.NoError(t, s.Delete(t.Context(), key))
			}
		})
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		putting.Wait()
	}()
	for {
		list(t, s, "")
		select {
		case <-ended:
			return
		default:
		}
	}
}
