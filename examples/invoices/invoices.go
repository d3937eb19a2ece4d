// Package invoices shows data of the host's own as a dataset, and how a test looks at what its users will get: with Export,
// which needs no jobs and no storage.
package invoices

import (
	"context"
	"iter"
	"time"

	"github.com/dataexport/dataexport"
)

// An Invoice is a record of the host. Its tags say what a column is called and what it is: the tenant guards against the
// rows of somebody else, the key is the order of the rows.
type Invoice struct {
	Number   string     `export:"number,id,key"`
	Tenant   string     `export:"tenant,tenant"`
	Customer string     `export:"customer"`
	IssuedAt time.Time  `export:"issued_at"`
	PaidAt   *time.Time `export:"paid_at"` // null as long as it is not paid
	Total    string     `export:"total,decimal"`
	Lines    []string   `export:"lines,notnull"`
}

// A Ledger is where the host keeps its invoices.
type Ledger interface {
	// Invoices yields the invoices of a tenant that were issued within the bounds of the query, in order of their number.
	Invoices(ctx context.Context, q dataexport.Query) iter.Seq2[*Invoice, error]
}

// Dataset makes the ledger exportable. It can be filtered by time; any other filter is refused.
func Dataset(l Ledger) (dataexport.Dataset, error) {
	return dataexport.NewDataset("invoices", l.Invoices, dataexport.DatasetOptions{
		Filters: []string{dataexport.FilterCreatedAfter, dataexport.FilterCreatedBefore},
	})
}
