package storetest

import (
	"slices"
	"time"

	"github.com/dataexport/dataexport"
)

// list checks the sizes of what List returns.
func (t *tester) list(s dataexport.Scope, q dataexport.ListQuery, wantTotal int) []dataexport.Job {
	t.Helper()
	page, total, err := t.store.List(t.Context(), s, q)
	t.must(err)
	if page == nil {
		t.Fatalf("List(%+v): the page is nil", q)
	}
	if total != wantTotal {
		t.Fatalf("List(%+v): the total is %d, want %d", q, total, wantTotal)
	}
	if want := min(q.Limit, max(0, total-q.Offset)); len(page) != want {
		t.Fatalf("List(%+v) of %d jobs returned %d, want %d", q, total, len(page), want)
	}
	return page
}

func listEmpty(t *tester) {
	for _, q := range []dataexport.ListQuery{
		{Limit: 10}, {Limit: 1, Offset: 5}, {Limit: 1, Status: dataexport.StatusReady}, {Limit: 1, Format: "csv"},
	} {
		t.list(alice, q, 0)
	}
}

func listPages(t *tester) {
	const count = 11
	var jobs []dataexport.Job
	for i := range count {
		jobs = append(jobs, t.create(request(alice)))
		if i%3 == 0 {
			t.tick()
		}
	}
	oldestFirst(jobs)
	slices.Reverse(jobs)
	for _, limit := range []int{1, 2, 5, count, 100} {
		for offset := range count + 3 {
			page := t.list(alice, dataexport.ListQuery{Offset: offset, Limit: limit}, count)
			from := min(offset, count)
			want := jobs[from:min(from+limit, count)]
			if !slices.Equal(ids(page), ids(want)) {
				t.Fatalf("offset %d, limit %d: the page is %q, want %q", offset, limit, ids(page), ids(want))
			}
			for i := range page {
				t.equal("a listed job", page[i], want[i])
			}
		}
	}
}

func listFilters(t *tester) {
	formats := []string{"json", "csv"}
	want := make(map[dataexport.ListQuery][]string)
	for _, s := range states() {
		for _, format := range formats {
			n := request(alice)
			n.Format = format
			j := s.make(t, n)
			for _, q := range []dataexport.ListQuery{
				{}, {Status: j.Status}, {Format: format}, {Status: j.Status, Format: format},
			} {
				q.Limit = 100
				want[q] = append(want[q], j.ID)
			}
		}
	}
	for _, status := range append(dataexport.Statuses(), "") {
		for _, format := range append(formats, "", "CSV", "markdown") {
			q := dataexport.ListQuery{Status: status, Format: format, Limit: 100}
			page := t.list(alice, q, len(want[q]))
			got := ids(page)
			slices.Sort(got)
			slices.Sort(want[q])
			if !slices.Equal(got, want[q]) {
				t.Fatalf("List(%+v) returned %q, want %q", q, got, want[q])
			}
			q.Offset, q.Limit = 1, 1
			t.list(alice, q, len(got))
		}
	}
}

func listTotals(t *tester) {
	bob := dataexport.Scope{WorkspaceID: alice.WorkspaceID, Subject: "bob"}
	for _, n := range []struct {
		scope    dataexport.Scope
		personal bool
	}{
		{alice, true}, {alice, true}, {bob, true}, {alice, false}, {bob, false}, {in("w2"), false}, {in("w2"), true},
	} {
		r := request(n.scope)
		r.Personal = n.personal
		t.create(r)
	}
	t.list(alice, dataexport.ListQuery{Limit: 1}, 4)
	t.list(bob, dataexport.ListQuery{Limit: 1}, 3)
	t.list(dataexport.Scope{WorkspaceID: "w1", Subject: "carol"}, dataexport.ListQuery{Limit: 1}, 2)
	t.list(in("w2"), dataexport.ListQuery{Limit: 1}, 2)
	t.list(in("w3"), dataexport.ListQuery{Limit: 1}, 0)
	t.list(bob, dataexport.ListQuery{Limit: 1, Status: dataexport.StatusReady}, 0)
}

func expiryByClock(t *tester) {
	n := keyed(alice, "key")
	ready := t.become(t.create(n), dataexport.StatusReady, time.Hour)
	if ready.Status != dataexport.StatusReady || t.get(alice, ready.ID).Status != dataexport.StatusReady {
		t.Fatalf("a job that expires in an hour is %s", ready.Status)
	}
	t.delete(ready)

	n.ID = newID()
	j := t.expired(n)
	if j.BlobKey == "" {
		t.Fatal("the file of an expired job is gone without a sweep")
	}
	t.equal("the job that Get returns", t.get(alice, j.ID), j)
	t.equal("the job that List returns", t.list(alice, dataexport.ListQuery{Limit: 1}, 1)[0], j)
	t.list(alice, dataexport.ListQuery{Limit: 1, Status: dataexport.StatusReady}, 0)
	t.list(alice, dataexport.ListQuery{Limit: 1, Status: dataexport.StatusExpired}, 1)
	n.ID = newID()
	t.replay(n, j)
	due, _, err := t.store.Due(t.Context(), dataexport.DueQuery{Keep: time.Hour, Limit: 1})
	t.must(err)
	if len(due) != 1 {
		t.Fatalf("Due returned %d jobs, want the expired one", len(due))
	}
	t.equal("the job that Due returns", due[0], j)
	deleted, err := t.store.Delete(t.Context(), alice, j.ID)
	t.must(err)
	t.equal("the job that Delete returns", deleted, j)
}
