package memstore

import (
	"cmp"
	"context"
	"slices"

	"github.com/dataexport/dataexport"
)

// Stats implements dataexport.StatsReader. It looks at all jobs.
func (s *Store) Stats(ctx context.Context) (dataexport.Stats, error) {
	if err := ctx.Err(); err != nil {
		return dataexport.Stats{}, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	at := now()
	var stats dataexport.Stats
	counts := make(map[dataexport.JobCount]int64)
	for _, j := range s.jobs {
		seen := j.At(at)
		counts[dataexport.JobCount{Status: seen.Status, Dataset: seen.Dataset, Format: seen.Format}]++
		if seen.Claimable(at) {
			stats.Waiting = max(stats.Waiting, min(at.Sub(seen.CreatedAt), at.Sub(seen.HeldUntil)))
		}
	}
	for count, n := range counts {
		count.Jobs = n
		stats.Jobs = append(stats.Jobs, count)
	}
	slices.SortFunc(stats.Jobs, func(a, b dataexport.JobCount) int {
		return cmp.Or(cmp.Compare(a.Status, b.Status), cmp.Compare(a.Dataset, b.Dataset), cmp.Compare(a.Format, b.Format))
	})
	return stats, nil
}
