package records

import (
	"iter"
	"slices"
	"time"

	"github.com/dataexport/dataexport/memory"
)

// hot is how many records NewCycle goes through: about as many as a source hands over at a time (dataexport.ReadAhead, or a read from the
// connection of a database: 64 KiB), which then are in the caches of the processor.
const hot = 170

// A Cycle is a long list of records. What a record points at lies back to back with that of its neighbours.
type Cycle struct {
	list   []memory.Record
	length int
}

// NewCycle returns a list of n records of a shape that takes little memory: the same few again and again, with other times.
func NewCycle(shape Shape, n int) *Cycle { return newCycle(shape, hot, n) }

// NewList returns a list of n records of a shape, all of them different.
func NewList(shape Shape, n int) *Cycle { return newCycle(shape, n, n) }

func newCycle(shape Shape, different, n int) *Cycle {
	list := Make(shape, different)
	pack(list)
	return &Cycle{list, n}
}

// Len returns how many records there are.
func (c *Cycle) Len() int { return c.length }

// All yields the records in the order of their key. Each is valid until the next is asked for.
func (c *Cycle) All() iter.Seq[*memory.Record] {
	return func(yield func(*memory.Record) bool) {
		list := slices.Clone(c.list)
		period := list[len(list)-1].CreatedAt.Sub(list[0].CreatedAt) + time.Millisecond
		for left := c.length; left > 0; left -= len(list) {
			for i := range list[:min(left, len(list))] {
				if !yield(&list[i]) {
					return
				}
				list[i].CreatedAt = list[i].CreatedAt.Add(period)
			}
		}
	}
}
