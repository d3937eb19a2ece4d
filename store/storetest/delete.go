package storetest

import (
	"errors"
	"sync/atomic"
	"time"

	"github.com/dataexport/dataexport"
)

func isTooMany(err error) bool { return errors.Is(err, dataexport.ErrTooManyExports) }

func deleteEveryState(t *tester) {
	other := t.create(request(alice))
	other = t.claim(other.ID)
	for _, s := range states() {
		j := s.make(t, request(alice))
		deleted, err := t.store.Delete(t.Context(), alice, j.ID)
		if err != nil {
			t.Fatalf("Delete of a job that is %s: %v", s.name, err)
		}
		t.equal("the job that Delete returns", deleted, j)

		_, err = t.store.Get(t.Context(), alice, j.ID)
		t.notFound("Get of a deleted job", err)
		_, err = t.store.Find(t.Context(), j.ID)
		t.notFound("Find of a deleted job", err)
		_, err = t.store.Delete(t.Context(), alice, j.ID)
		t.notFound("Delete of a deleted job", err)
		_, err = t.store.Update(t.Context(), j, time.Hour)
		t.notFound("Update of a deleted job", err)
		t.noJob(j.ID)
		t.noJob("")
		if n := t.count(alice); n != 1 {
			t.Fatalf("%d jobs are left, want 1", n)
		}
	}
	t.equal("another job", t.find(other.ID), other)
}

func deleteInvisible(t *tester) {
	n := request(alice)
	n.Personal = true
	personal := t.create(n)
	shared := t.create(request(alice))
	_, err := t.store.Delete(t.Context(), dataexport.Scope{WorkspaceID: "w1", Subject: "bob"}, personal.ID)
	t.notFound("Delete of a personal job of another subject", err)
	_, err = t.store.Delete(t.Context(), dataexport.Scope{WorkspaceID: "w2", Subject: "alice"}, shared.ID)
	t.notFound("Delete of a job of another workspace", err)
	t.equal("the personal job", t.find(personal.ID), personal)
	t.equal("the shared job", t.find(shared.ID), shared)

	_, err = t.store.Delete(t.Context(), dataexport.Scope{WorkspaceID: "w1", Subject: "bob"}, shared.ID)
	t.must(err)
}

func deleteRace(t *tester) {
	for range 5 {
		j := t.create(request(alice))
		var deleted atomic.Int64
		together(6, func(int) {
			switch _, err := t.store.Delete(t.Context(), alice, j.ID); {
			case err == nil:
				deleted.Add(1)
			case !errors.Is(err, dataexport.ErrNotFound):
				t.Errorf("Delete: %v", err)
			}
		})
		if deleted.Load() != 1 {
			t.Fatalf("%d calls have deleted one job", deleted.Load())
		}
	}
}
