package records

import (
	"slices"
	"strings"
	"time"

	"github.com/dataexport/dataexport/memory"
)

// pack lays what records point at back to back, one record after the other, as it lies in the buffer of a driver. Records that were
// made one value at a time lie all over the heap, and reading them is mostly waiting for memory.
func pack(list []memory.Record) {
	var all strings.Builder
	for i := range list {
		for _, text := range textsOf(&list[i]) {
			all.WriteString(*text)
		}
	}
	rest := all.String()
	for i := range list {
		for _, text := range textsOf(&list[i]) {
			*text, rest = rest[:len(*text)], rest[len(*text):]
		}
	}
	packPointers(list)
}

// textsOf returns the texts of a record in the order of its fields.
func textsOf(r *memory.Record) []*string {
	texts := []*string{&r.ID, &r.WorkspaceID, &r.Content, r.UserID, r.AgentID, r.SessionID, r.Priority, r.Status}
	for i := range r.Categories {
		texts = append(texts, &r.Categories[i])
	}
	return slices.DeleteFunc(texts, func(text *string) bool { return text == nil })
}

// packPointers lays the targets of pointers and slices back to back.
func packPointers(list []memory.Record) {
	var texts packed[string]
	var bytes packed[byte]
	var integers packed[int64]
	var times packed[time.Time]
	for range 2 { // The first time finds out how many there are.
		texts.begin()
		bytes.begin()
		integers.begin()
		times.begin()
		for i := range list {
			r := &list[i]
			for _, field := range []**string{&r.UserID, &r.AgentID, &r.SessionID, &r.Priority, &r.Status} {
				*field = texts.one(*field)
			}
			r.Categories = texts.all(r.Categories)
			r.Metadata = bytes.all(r.Metadata)
			r.AccessCount = integers.one(r.AccessCount)
			r.LastAccessedAt = times.one(r.LastAccessedAt)
			r.UpdatedAt = times.one(r.UpdatedAt)
		}
	}
}

// packed are values that lie back to back once it is known how many there are.
type packed[T any] struct{ values []T }

// begin begins again, with room for as many values as there were until now.
func (p *packed[T]) begin() { p.values = make([]T, 0, len(p.values)) }

// all returns a copy of a list, nil for nil.
func (p *packed[T]) all(list []T) []T {
	if list == nil {
		return nil
	}
	first := len(p.values)
	p.values = append(p.values, list...)
	return p.values[first:len(p.values):len(p.values)]
}

// one returns a pointer to a copy, nil for nil.
func (p *packed[T]) one(target *T) *T {
	if target == nil {
		return nil
	}
	return &p.all([]T{*target})[0]
}
