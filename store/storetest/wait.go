package storetest

import (
	"context"
	"errors"
	"time"

	"github.com/dataexport/dataexport"
)

// waiter returns the store as a WorkWaiter, or skips the test.
func (t *tester) waiter() dataexport.WorkWaiter {
	t.Helper()
	w, ok := t.store.(dataexport.WorkWaiter)
	if !ok {
		t.Skipf("%T is no dataexport.WorkWaiter", t.store)
	}
	return w
}

// waits checks that a wait ends when something is done while it is under way.
func (t *tester) waits(do func()) {
	t.Helper()
	w := t.waiter()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	ended := make(chan error, 1)
	go func() { ended <- w.WaitForWork(ctx) }()
	t.tick() // most often it is under way by now; if not, it must not miss what is done before it begins
	do()
	if err := <-ended; err != nil {
		t.Fatalf("WaitForWork: %v", err)
	}
}

// waited makes a call that ends with its context, so that there is a last call for the next one to count from.
func (t *tester) waited() {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), instant)
	defer cancel()
	_ = t.waiter().WaitForWork(ctx) // it may return too often
}

func waitNewJob(t *tester) {
	t.waited()
	t.waits(func() { t.create(request(alice)) })
	t.claim("")
	t.waited()
	t.waits(func() { t.create(request(in("w2"))) })
}

func waitHandedBack(t *tester) {
	j := t.claim(t.create(request(alice)).ID)
	t.waited()
	t.waits(func() {
		j.Status = dataexport.StatusPending
		t.update(j, 0)
	})
}

func waitBetweenCalls(t *tester) {
	t.waited()
	t.create(request(alice))
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	if err := t.waiter().WaitForWork(ctx); err != nil {
		t.Fatalf("WaitForWork after a job was created: %v", err)
	}
	if _, err := t.store.Claim(t.Context(), dataexport.ClaimOptions{Lease: time.Hour}); err != nil {
		t.Fatalf("Claim after WaitForWork: %v", err)
	}
}

func waitContext(t *tester) {
	w := t.waiter()
	t.waited()
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() {
		var err error
		for err == nil { // it may return too often
			err = w.WaitForWork(ctx)
		}
		ended <- err
	}()
	t.tick()
	cancel()
	if err := <-ended; !errors.Is(err, context.Canceled) {
		t.Fatalf("WaitForWork with a context that was cancelled: %v, want context.Canceled", err)
	}
}
