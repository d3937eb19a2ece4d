// Package memory describes the records of a memory service, what an assistant remembers for its users, as a dataset.
package memory

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"iter"
	"slices"
	"time"

	"github.com/dataexport/dataexport"
)

// A Record is one memory. Its fields are the columns of every export, in this order.
type Record struct {
	ID             string          `export:"id,id,key=2"` // any text but the empty one; unique in its workspace
	WorkspaceID    string          `export:"workspace_id,tenant"`
	Content        string          `export:"content,body"`
	UserID         *string         `export:"user_id"`
	AgentID        *string         `export:"agent_id"`
	SessionID      *string         `export:"session_id"`
	Priority       *string         `export:"priority"` // LOW, MEDIUM or HIGH are those that a filter can ask for
	Status         *string         `export:"status"`
	Categories     []string        `export:"categories"` // nil is null
	Metadata       json.RawMessage `export:"metadata"`   // one JSON object; nil is null
	AccessCount    *int64          `export:"access_count"`
	LastAccessedAt *time.Time      `export:"last_accessed_at"`
	CreatedAt      time.Time       `export:"created_at,key=1"`
	UpdatedAt      *time.Time      `export:"updated_at"`
}

// DatasetName is the name of the dataset.
const DatasetName = "memories"

// Info describes the dataset. Its rows come in ascending order of created_at and, where that is equal, of id by its bytes.
func Info() dataexport.Info {
	collection, err := dataexport.CollectionOf[Record](DatasetName)
	if err != nil {
		panic(err) // Record is ours; its test holds that it is a collection
	}
	return dataexport.Info{
		Name:        DatasetName,
		Filters:     dataexport.FilterNames(),
		Collections: []dataexport.Collection{collection},
	}
}

// Dataset makes a dataset of a function that yields the records that a query asks for: those of its workspace that match
// its filter and AsOf, in the order that Info tells. The pointer that it yields may be the same each time.
func Dataset(records func(context.Context, dataexport.Query) iter.Seq2[*Record, error]) dataexport.Dataset {
	return RowDataset(func(_ context.Context, q dataexport.Query) (dataexport.Source, error) {
		return dataexport.SourceFunc(func(ctx context.Context, _ int) iter.Seq2[dataexport.Row, error] {
			return rowsOf(records(ctx, q))
		}), nil
	})
}

// RowDataset makes a dataset of a source that has rows already, under the columns of Info, such as a driver's buffers.
func RowDataset(open func(context.Context, dataexport.Query) (dataexport.Source, error)) dataexport.Dataset {
	return &dataset{info: Info(), open: open}
}

// Slice makes a dataset of records in memory, in any order. It reads the records each time it is opened; they must not
// change meanwhile.
func Slice(records []Record) dataexport.Dataset {
	return Dataset(func(ctx context.Context, q dataexport.Query) iter.Seq2[*Record, error] {
		var chosen []*Record
		for i := range records {
			if r := &records[i]; r.WorkspaceID == q.Scope.WorkspaceID && q.Match(r.Attributes()) {
				chosen = append(chosen, r)
			}
		}
		slices.SortFunc(chosen, func(a, b *Record) int {
			return cmp.Or(a.CreatedAt.Compare(b.CreatedAt), cmp.Compare(a.ID, b.ID))
		})
		return func(yield func(*Record, error) bool) {
			for _, r := range chosen {
				if err := ctx.Err(); err != nil {
					yield(nil, err)
					return
				}
				if !yield(r, nil) {
					return
				}
			}
		}
	})
}

type dataset struct {
	info dataexport.Info
	open func(context.Context, dataexport.Query) (dataexport.Source, error)
}

func (d *dataset) Info() dataexport.Info { return d.info }

func (d *dataset) Open(ctx context.Context, q dataexport.Query) (dataexport.Source, error) {
	return d.open(ctx, q)
}

// Attributes returns what a filter looks at.
func (r *Record) Attributes() *dataexport.Attributes {
	return &dataexport.Attributes{
		UserID:     text(r.UserID),
		AgentID:    text(r.AgentID),
		SessionID:  text(r.SessionID),
		Priority:   dataexport.Priority(text(r.Priority)),
		Categories: r.Categories,
		CreatedAt:  r.CreatedAt,
	}
}

func text(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}

// rowsOf is dataexport.RowsOf written out by hand for Record. Were it inlined, the compiler would inline nothing into its loop any more.
//
//go:noinline
func rowsOf(records iter.Seq2[*Record, error]) iter.Seq2[dataexport.Row, error] {
	return func(yield func(dataexport.Row, error) bool) {
		var row [14]dataexport.Value
		for r, err := range records {
			if err != nil {
				yield(nil, err)
				return
			}
			if r == nil {
				yield(nil, fmt.Errorf("%w: the source yielded nil and no error", dataexport.ErrBadRow))
				return
			}
			row[0] = dataexport.StringValue(r.ID)
			row[1] = dataexport.StringValue(r.WorkspaceID)
			row[2] = dataexport.StringValue(r.Content)
			row[3] = optionalText(r.UserID)
			row[4] = optionalText(r.AgentID)
			row[5] = optionalText(r.SessionID)
			row[6] = optionalText(r.Priority)
			row[7] = optionalText(r.Status)
			row[8], row[9], row[10] = dataexport.Value{}, dataexport.Value{}, dataexport.Value{}
			if r.Categories != nil {
				row[8] = dataexport.StringsValue(r.Categories)
			}
			if r.Metadata != nil {
				row[9] = dataexport.JSONValue(r.Metadata)
			}
			if r.AccessCount != nil {
				row[10] = dataexport.IntValue(*r.AccessCount)
			}
			row[11] = optionalTime(r.LastAccessedAt)
			row[12] = dataexport.TimeValue(r.CreatedAt)
			row[13] = optionalTime(r.UpdatedAt)
			if !yield(row[:], nil) {
				return
			}
		}
	}
}

func optionalText(s *string) dataexport.Value {
	if s == nil {
		return dataexport.Value{}
	}
	return dataexport.StringValue(*s)
}

func optionalTime(t *time.Time) dataexport.Value {
	if t == nil {
		return dataexport.Value{}
	}
	return dataexport.TimeValue(*t)
}
