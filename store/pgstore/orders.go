package pgstore

import (
	"context"
	"sync"
)

// Orders are the calls of Create. Those that must lock their workspace are made together with others of the same one, for
// which they would have to wait anyway, so that a lock that is held for long stops no other workspace. The rest are made all together.
type orders struct {
	make func(ctx context.Context, orders []order) ([]madeJob, error)

	mu          sync.Mutex
	byWorkspace map[string]*workspaceOrders // "" for those that lock none
}

type workspaceOrders struct {
	*gathering[order, madeJob]
	callers int
}

func (o *orders) do(ctx context.Context, n order) (madeJob, error) {
	workspace := ""
	if n.locks() {
		workspace = n.Scope.WorkspaceID
	}
	gathered := o.enter(workspace)
	defer o.leave(workspace)
	return gathered.do(ctx, n)
}

func (o *orders) enter(workspace string) *workspaceOrders {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.byWorkspace == nil {
		o.byWorkspace = make(map[string]*workspaceOrders)
	}
	w := o.byWorkspace[workspace]
	if w == nil {
		w = &workspaceOrders{gathering: newGathering(ordersTogether, o.make)}
		o.byWorkspace[workspace] = w
	}
	w.callers++
	return w
}

func (o *orders) leave(workspace string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if w := o.byWorkspace[workspace]; w.callers > 1 {
		w.callers--
		return
	}
	delete(o.byWorkspace, workspace)
}
