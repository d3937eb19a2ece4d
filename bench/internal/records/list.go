package records

import (
	"iter"
	"slices"
	"time"

	"github.com/dataexport/dataexport/memory"
)

// hot is how many records a hot list goes through: about as many as a source hands over at a time (dataexport.ReadAhead, or a read from the
// connection of a database: 64 KiB), which then are in the caches of the processor.
const hot = 170

// A List is a long list of records. What a record points at lies back to back with that of its neighbours.
type List struct {
	records []memory.Record
	length  int
}

// NewHotList returns n records of a shape that take little memory: the same few again and again, with other times.
func NewHotList(shape Shape, n int) *List { return newList(shape, hot, n) }

// NewList returns n records of a shape, all of them different.
func NewList(shape Shape, n int) *List { return newList(shape, n, n) }

func newList(shape Shape, different, n int) *List {
	records := Make(shape, different)
	pack(records)
	return &List{records, n}
}

// Len returns how many records there are.
func (l *List) Len() int { return l.length }

// All yields the records in the order of their key. Each is valid until the next is asked for.
func (l *List) All() iter.Seq[*memory.Record] {
	return func(yield func(*memory.Record) bool) {
		list := l.records
		if l.length > len(list) { // The times of those that come again change.
			list = slices.Clone(list)
		}
		period := list[len(list)-1].CreatedAt.Sub(list[0].CreatedAt) + time.Millisecond
		for left := l.length; left > 0; left -= len(list) {
			for i := range list[:min(left, len(list))] {
				if !yield(&list[i]) {
					return
				}
				if left > len(list) {
					list[i].CreatedAt = list[i].CreatedAt.Add(period)
				}
			}
		}
	}
}
