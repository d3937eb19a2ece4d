package storetest

import (
	"slices"
	"time"

	"github.com/dataexport/dataexport"
)

// stats returns what the store counts, or skips the test if it does not count.
func (t *tester) stats() dataexport.Stats {
	t.Helper()
	reader, ok := t.store.(dataexport.StatsReader)
	if !ok {
		t.Skip("the store is no dataexport.StatsReader")
	}
	stats, err := reader.Stats(t.Context())
	t.must(err)
	return stats
}

func statsCounts(t *tester) {
	if stats := t.stats(); len(stats.Jobs) != 0 || stats.Waiting != 0 {
		t.Fatalf("an empty store counts %+v", stats)
	}
	of := func(workspace, dataset, format string) dataexport.NewJob {
		n := request(in(workspace))
		n.Dataset, n.Format = dataset, format
		return n
	}
	for _, s := range states() {
		s.make(t, of("a", "memories", "csv"))
		s.make(t, of("b", "memories", "csv"))
		s.make(t, of("a", "memories", "json"))
		s.make(t, of("a", "account", "json"))
	}
	t.expired(of("a", "memories", "csv"))
	var want []dataexport.JobCount
	for _, status := range []dataexport.Status{
		dataexport.StatusExpired, dataexport.StatusFailed, dataexport.StatusPending, dataexport.StatusProcessing, dataexport.StatusReady,
	} {
		one, more := int64(1), int64(0)
		if status == dataexport.StatusExpired {
			one, more = 2, 1 // by the clock, and swept; and one more
		}
		want = append(want,
			dataexport.JobCount{Status: status, Dataset: "account", Format: "json", Jobs: one},
			dataexport.JobCount{Status: status, Dataset: "memories", Format: "csv", Jobs: 2*one + more},
			dataexport.JobCount{Status: status, Dataset: "memories", Format: "json", Jobs: one},
		)
	}
	if got := t.stats().Jobs; !slices.Equal(got, want) {
		t.Fatalf("the store counts\n%+v, want\n%+v", got, want)
	}
}

func statsWaiting(t *tester) {
	t.stats()
	waits := func(what string, want bool) {
		t.Helper()
		t.tick()
		if waiting := t.stats().Waiting; waiting > 0 != want || waiting > time.Minute {
			t.Fatalf("%s: a job waits for %s", what, waiting)
		}
	}
	j := t.create(request(alice))
	waits("a job is new", true)
	j = t.claim(j.ID)
	waits("it is held", false)
	j = t.update(j, time.Nanosecond)
	waits("its lease has run out", true)
	j = t.claim(j.ID)
	j.Status = dataexport.StatusPending
	t.update(j, time.Hour)
	waits("it must wait", false)

	// The longest wait counts.
	t.create(request(alice))
	t.tick()
	first := t.stats().Waiting
	t.create(request(in("another")))
	t.tick()
	if later := t.stats().Waiting; later <= first {
		t.Fatalf("a job waited for %s, and later for %s", first, later)
	}
}
