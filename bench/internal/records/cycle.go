package records

import (
	"iter"
	"slices"
	"time"

	"github.com/dataexport/dataexport/memory"
)

// hot is how many records Cycle goes through: as many as stay in the caches of a processor, as what was just read from a
// database does.
const hot = 1000

// A Cycle is a long list of records that takes little memory: the same few again and again, with other times.
type Cycle struct {
	list   []memory.Record
	length int
}

// NewCycle returns a list of n records of a shape.
func NewCycle(shape Shape, n int) *Cycle { return &Cycle{Make(shape, hot), n} }

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
