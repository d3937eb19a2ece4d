// Package threengram is the account archive of the 3ngram memory service, format 3ngram.account-export.v1, with its records
// as Go types. It is defined with nothing but the public API of package archive, as a host's own archive would be.
package threengram

import (
	"context"
	"iter"

	"github.com/dataexport/dataexport"
	"github.com/dataexport/dataexport/archive"
)

// Format is the name and version of the format.
const Format = "3ngram.account-export.v1"

// Archive returns the definition of the archive. Tables are the inventory of the host; see archive.Definition.
func Archive(tables ...archive.Table) (*archive.Archive, error) {
	memory := func(field string) archive.Reference {
		return archive.Reference{Field: field, Collection: "memories"}
	}
	return archive.New(archive.Definition{
		Format:  Format,
		Account: archive.Account[Account]("account"),
		Lists: []archive.Part{
			archive.List[Commitment]("commitments", memory("memoryId")),
			archive.List[Edge]("edges", memory("fromId"), memory("toId")),
			archive.List[Fact]("facts", memory("memoryId")),
			archive.List[LLMUsage]("llmUsage"),
			archive.List[Memory]("memories"),
			archive.List[MemoryEvent]("memoryEvents", memory("memoryId")),
			archive.List[Proposal]("proposals", memory("fromId"), memory("toId")),
			archive.List[Scope]("scopes"),
			archive.List[Subscription]("subscriptions"),
			archive.List[UserBudget]("userBudgets"),
		},
		Tables: tables,
	})
}

// A View is the data of one account, all of it from one moment. Each list comes in ascending order of its ids, by their
// bytes; the pointers that it yields may be the same each time. A nil list is empty.
type View struct {
	Account       Account
	Commitments   iter.Seq2[*Commitment, error]
	Edges         iter.Seq2[*Edge, error]
	Facts         iter.Seq2[*Fact, error]
	LLMUsage      iter.Seq2[*LLMUsage, error]
	Memories      iter.Seq2[*Memory, error]
	MemoryEvents  iter.Seq2[*MemoryEvent, error]
	Proposals     iter.Seq2[*Proposal, error]
	Scopes        iter.Seq2[*Scope, error]
	Subscriptions iter.Seq2[*Subscription, error]
	UserBudgets   iter.Seq2[*UserBudget, error]

	// Close frees the view, for example by ending its transaction. It may be nil.
	Close func() error
}

// Dataset makes a dataset of a function that opens the view of one person, the subject of a scope, or returns
// dataexport.ErrNotFound if there is no such account. The lists stop soon after ctx is done. Tables are the inventory of
// the host.
func Dataset(open func(ctx context.Context, s dataexport.Scope) (*View, error), tables ...archive.Table) (dataexport.Dataset, error) {
	a, err := Archive(tables...)
	if err != nil {
		return nil, err
	}
	return a.Dataset(func(ctx context.Context, q dataexport.Query) (dataexport.Source, error) {
		view, err := open(ctx, q.Scope)
		if err != nil {
			return nil, err
		}
		return source{view}, nil
	}), nil
}

// A source gives the rows of a view in the order of the definition.
type source struct{ view *View }

func (s source) Rows(_ context.Context, collection int) iter.Seq2[dataexport.Row, error] {
	v := s.view
	switch collection {
	case 0:
		return dataexport.RowsOf(func(yield func(*Account, error) bool) { yield(&v.Account, nil) })
	case 1:
		return rows(v.Commitments)
	case 2:
		return rows(v.Edges)
	case 3:
		return rows(v.Facts)
	case 4:
		return rows(v.LLMUsage)
	case 5:
		return rows(v.Memories)
	case 6:
		return rows(v.MemoryEvents)
	case 7:
		return rows(v.Proposals)
	case 8:
		return rows(v.Scopes)
	case 9:
		return rows(v.Subscriptions)
	default:
		return rows(v.UserBudgets)
	}
}

func rows[T any](records iter.Seq2[*T, error]) iter.Seq2[dataexport.Row, error] {
	if records == nil {
		return func(func(dataexport.Row, error) bool) {}
	}
	return dataexport.RowsOf(records)
}

func (s source) Close() error {
	if s.view.Close == nil {
		return nil
	}
	return s.view.Close()
}
