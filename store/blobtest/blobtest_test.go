package blobtest_test

import (
	"context"
	"io"
	"iter"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dataexport/dataexport"
	"github.com/dataexport/dataexport/store/blobtest"
	"github.com/dataexport/dataexport/store/memblob"
)

// The suite must find what is wrong with a store. Each faulty store is memblob with one method replaced. As the suite fails
// the test that calls it, it runs in a process of its own: this test binary again, with the name of the fault in the environment.
const faultVariable = "BLOBTEST_FAULT"

// A store is memblob with what a fault replaces.
type store struct {
	put    func(ctx context.Context, key string, f dataexport.Format, write func(io.Writer) error) error
	open   func(ctx context.Context, key string) (dataexport.Blob, error)
	delete func(ctx context.Context, key string) error
	list   func(ctx context.Context, prefix string) iter.Seq2[dataexport.BlobInfo, error]
}

func (s *store) Put(ctx context.Context, key string, f dataexport.Format, write func(io.Writer) error) error {
	return s.put(ctx, key, f, write)
}

func (s *store) Open(ctx context.Context, key string) (dataexport.Blob, error) {
	return s.open(ctx, key)
}

func (s *store) Delete(ctx context.Context, key string) error { return s.delete(ctx, key) }

func (s *store) List(ctx context.Context, prefix string) iter.Seq2[dataexport.BlobInfo, error] {
	return s.list(ctx, prefix)
}

func newStore(change func(*store)) dataexport.BlobStore {
	good := memblob.New()
	s := &store{put: good.Put, open: good.Open, delete: good.Delete, list: good.List}
	change(s)
	return s
}

// The store that the faults start from has none.
func TestNoFault(t *testing.T) {
	blobtest.Run(t, func(*testing.T) dataexport.BlobStore { return newStore(func(*store) {}) })
}

func TestFaultyStore(t *testing.T) {
	name := os.Getenv(faultVariable)
	if name == "" {
		t.Skip("only as a child of TestFaultsAreFound")
	}
	blobtest.Run(t, func(*testing.T) dataexport.BlobStore { return newStore(faults()[name].change) })
}

func TestFaultsAreFound(t *testing.T) {
	binary, err := os.Executable()
	require.NoError(t, err)
	for name, fault := range faults() {
		t.Run(name, func(t *testing.T) {
			for _, subtest := range fault.fails {
				command := exec.CommandContext(t.Context(), binary, "-test.run", "^TestFaultyStore$/^"+strings.ReplaceAll(subtest, "/", "$/^")+"$")
				command.Env = append(os.Environ(), faultVariable+"="+name)
				output, err := command.CombinedOutput()
				var exit *exec.ExitError
				if assert.ErrorAs(t, err, &exit, "%s passes:\n%s", subtest, output) {
					assert.Contains(t, string(output), "TestFaultyStore/"+subtest, "fails for another reason")
				}
			}
		})
	}
}
