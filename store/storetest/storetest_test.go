package storetest_test

import (
	"bytes"
	"context"
	"errors"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/dataexport/dataexport"
	"github.com/dataexport/dataexport/store/memstore"
	"github.com/dataexport/dataexport/store/storetest"
)

// faultVariable names the fault of the store that a test binary checks which was run again.
const faultVariable = "STORETEST_FAULT"

// A faulty store is a good one with some methods replaced.
type faulty struct {
	*memstore.Store
	create func(context.Context, dataexport.NewJob) (dataexport.Job, bool, error)
	get    func(context.Context, dataexport.Scope, string) (dataexport.Job, error)
	list   func(context.Context, dataexport.Scope, dataexport.ListQuery) ([]dataexport.Job, int, error)
	delete func(context.Context, dataexport.Scope, string) (dataexport.Job, error)
	claim  func(context.Context, dataexport.ClaimOptions) (dataexport.Job, error)
	update func(context.Context, dataexport.Job, time.Duration) (dataexport.Job, error)
	due    func(context.Context, dataexport.DueQuery) ([]dataexport.Job, time.Duration, error)
	wait   func(context.Context) error
	stats  func(context.Context) (dataexport.Stats, error)
}

func newFaulty(fault func(*faulty)) *faulty {
	s := memstore.New()
	f := &faulty{s, s.Create, s.Get, s.List, s.Delete, s.Claim, s.Update, s.Due, s.WaitForWork, s.Stats}
	fault(f)
	return f
}

func (f *faulty) Create(ctx context.Context, n dataexport.NewJob) (dataexport.Job, bool, error) {
	return f.create(ctx, n)
}

func (f *faulty) Get(ctx context.Context, s dataexport.Scope, id string) (dataexport.Job, error) {
	return f.get(ctx, s, id)
}

func (f *faulty) List(ctx context.Context, s dataexport.Scope, q dataexport.ListQuery) ([]dataexport.Job, int, error) {
	return f.list(ctx, s, q)
}

func (f *faulty) Delete(ctx context.Context, s dataexport.Scope, id string) (dataexport.Job, error) {
	return f.delete(ctx, s, id)
}

func (f *faulty) Claim(ctx context.Context, o dataexport.ClaimOptions) (dataexport.Job, error) {
	return f.claim(ctx, o)
}

func (f *faulty) Update(ctx context.Context, j dataexport.Job, d time.Duration) (dataexport.Job, error) {
	return f.update(ctx, j, d)
}

func (f *faulty) Due(ctx context.Context, q dataexport.DueQuery) ([]dataexport.Job, time.Duration, error) {
	return f.due(ctx, q)
}

func (f *faulty) WaitForWork(ctx context.Context) error { return f.wait(ctx) }

func (f *faulty) Stats(ctx context.Context) (dataexport.Stats, error) { return f.stats(ctx) }

// TestFaultsAreFound runs the suite on stores with one fault each, in processes of their own since the suite must fail
// there, and checks that the test which is meant to find the fault has.
func TestFaultsAreFound(t *testing.T) {
	for _, fault := range faults() {
		t.Run(fault.name, func(t *testing.T) {
			command := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestFaultyStore$", "-test.timeout=2m")
			command.Env = append(os.Environ(), faultVariable+"="+fault.name)
			var output bytes.Buffer
			command.Stdout, command.Stderr = &output, &output
			var failed *exec.ExitError
			if err := command.Run(); !errors.As(err, &failed) {
				t.Fatalf("the suite has not found the fault: %v\n%s", err, &output)
			}
			test := "--- FAIL: TestFaultyStore/" + strings.ReplaceAll(fault.foundBy, " ", "_") + " "
			if !strings.Contains(output.String(), test) {
				t.Fatalf("the fault was not found by %q:\n%s", fault.foundBy, &output)
			}
		})
	}
}

func TestFaultyStore(t *testing.T) {
	name := os.Getenv(faultVariable)
	i := slices.IndexFunc(faults(), func(f fault) bool { return f.name == name })
	if i < 0 {
		t.Skip("TestFaultsAreFound runs this in processes of their own")
	}
	storetest.RunInBubble(t, func(*testing.T) dataexport.Store { return newFaulty(faults()[i].make) })
}

// A bareStore hides that a store is a WorkWaiter.
type bareStore struct{ dataexport.Store }

// A capability that a store does not have is skipped and no failure.
func TestStoreWithoutCapabilities(t *testing.T) {
	storetest.RunInBubble(t, func(*testing.T) dataexport.Store { return bareStore{memstore.New()} })
}
