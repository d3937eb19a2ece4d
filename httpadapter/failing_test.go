package httpadapter_test

import (
	"context"

	"github.com/dataexport/dataexport"
)

// A failingStore is a store whose answers to users can be made to fail.
type failingStore struct {
	dataexport.Store
	err error
}

// withFailingStore puts a failingStore in front of the store.
func withFailingStore(f *fixture) { f.config.Store = &failingStore{Store: f.config.Store} }

// failStore makes the store fail from now on.
func (f *fixture) failStore(err error) { f.config.Store.(*failingStore).err = err }

func (s *failingStore) Create(ctx context.Context, n dataexport.NewJob) (dataexport.Job, bool, error) {
	if s.err != nil {
		return dataexport.Job{}, false, s.err
	}
	return s.Store.Create(ctx, n)
}

func (s *failingStore) Get(ctx context.Context, scope dataexport.Scope, id string) (dataexport.Job, error) {
	if s.err != nil {
		return dataexport.Job{}, s.err
	}
	return s.Store.Get(ctx, scope, id)
}

func (s *failingStore) List(ctx context.Context, scope dataexport.Scope, q dataexport.ListQuery) ([]dataexport.Job, int, error) {
	if s.err != nil {
		return nil, 0, s.err
	}
	return s.Store.List(ctx, scope, q)
}

func (s *failingStore) Delete(ctx context.Context, scope dataexport.Scope, id string) (dataexport.Job, error) {
	if s.err != nil {
		return dataexport.Job{}, s.err
	}
	return s.Store.Delete(ctx, scope, id)
}
