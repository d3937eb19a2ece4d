// Package race measures programs against each other: in rounds, in each of which everybody runs once, so that what slows the
// machine down for a while slows all of them down.
package race

import (
	"context"
	"fmt"
	"slices"
	"time"
)

// A Sample is what one run of a side took.
type Sample struct {
	Time       time.Duration
	Bytes      int64 // that were written, or 0 if that is not known
	PeakMemory int64 // of the process that did it, in bytes, or 0 if that is not known
}

// A Side is one of those that are measured.
type Side struct {
	Name string
	Run  func(ctx context.Context) (Sample, error)
}

// A Race is a piece of work that several sides do.
type Race struct {
	Title   string // what all of them do
	Records int    // how many records one run has
	Sides   []Side
	Ratios  []Ratio
}

// A Ratio says which sides to compare.
type Ratio struct {
	Name   string
	Target float64 // what the ratio should be at least, or 0 if there is no such thing
	Ours   string
	Theirs []string // the fastest of them counts
}

// An Effort says how many rounds a race has: as many as fit into a time, within bounds. The rounds of a slow machine, or of
// one that is busy with something else, are fewer.
type Effort struct {
	Least, Most int
	Time        time.Duration // after which no round begins
	OneWarmsUp  bool          // for all: what warms up is the disk, and a round takes minutes
}

// Run lets each side run once to warm up, and then once in each round. Every other round goes the other way around.
func (r *Race) Run(ctx context.Context, effort Effort) (*Result, error) {
	start := time.Now()
	result := &Result{Race: r, Samples: make(map[string][]Sample)}
	order := slices.Clone(r.Sides)
	for round := range 1 + effort.Most {
		if round > effort.Least && time.Since(start) > effort.Time {
			break
		}
		sides := order
		if round == 0 && effort.OneWarmsUp {
			sides = order[:1]
		}
		for _, side := range sides {
			sample, err := side.Run(ctx)
			if err != nil {
				return nil, fmt.Errorf("%s: %s: %w", r.Title, side.Name, err)
			}
			if round > 0 {
				result.Samples[side.Name] = append(result.Samples[side.Name], sample)
			}
		}
		slices.Reverse(order)
	}
	return result, nil
}

// InProcess makes a side of a function that returns how many bytes it has written.
func InProcess(name string, run func(ctx context.Context) (int64, error)) Side {
	return Side{Name: name, Run: func(ctx context.Context) (Sample, error) {
		collectGarbage()
		start := time.Now()
		bytes, err := run(ctx)
		return Sample{Time: time.Since(start), Bytes: bytes}, err
	}}
}
