package race

import (
	"cmp"
	"runtime"
	"slices"
	"time"
)

// A Result is what a race has measured.
type Result struct {
	Race    *Race
	Samples map[string][]Sample // of each side, round by round
}

// Time returns the median of the times of a side.
func (r *Result) Time(side string) time.Duration {
	var times []time.Duration
	for _, sample := range r.Samples[side] {
		times = append(times, sample.Time)
	}
	return median(times)
}

// Bytes returns how many bytes a side has written in its last run.
func (r *Result) Bytes(side string) int64 {
	samples := r.Samples[side]
	return samples[len(samples)-1].Bytes
}

// PeakMemory returns the most memory that a run of a side has had, in bytes, or 0 if that is not known.
func (r *Result) PeakMemory(side string) int64 {
	var most int64
	for _, sample := range r.Samples[side] {
		most = max(most, sample.PeakMemory)
	}
	return most
}

// A Finding is how many times faster ours is.
type Finding struct {
	Median, Low, High float64
	Theirs            string // the side that ours was compared with
}

// Find compares the sides that a ratio names, round by round.
func (r *Result) Find(ratio Ratio) Finding {
	theirs := slices.MinFunc(ratio.Theirs, func(a, b string) int { return cmp.Compare(r.Time(a), r.Time(b)) })
	var ratios []float64
	for round, ours := range r.Samples[ratio.Ours] {
		ratios = append(ratios, float64(r.Samples[theirs][round].Time)/float64(ours.Time))
	}
	return Finding{Median: median(ratios), Low: slices.Min(ratios), High: slices.Max(ratios), Theirs: theirs}
}

// median returns the value in the middle, or the mean of the two that are there.
func median[T ~int64 | ~float64](values []T) T {
	sorted := slices.Sorted(slices.Values(values))
	middle := len(sorted) / 2
	if len(sorted)%2 == 1 {
		return sorted[middle]
	}
	return (sorted[middle-1] + sorted[middle]) / 2
}

// collectGarbage lets no side pay for what the one before it has left.
func collectGarbage() { runtime.GC() }
