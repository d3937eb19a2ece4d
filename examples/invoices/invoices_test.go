package invoices

import (
	"bytes"
	"context"
	"iter"
	"testing"
	"time"

	"github.com/dataexport/dataexport"
	"github.com/dataexport/dataexport/render"
)

// ledger is a fake of the host's.
type ledger []Invoice

func (l ledger) Invoices(_ context.Context, q dataexport.Query) iter.Seq2[*Invoice, error] {
	return func(yield func(*Invoice, error) bool) {
		for i := range l {
			mine := l[i].Tenant == q.Scope.WorkspaceID && q.Match(&dataexport.Attributes{CreatedAt: l[i].IssuedAt})
			if mine && !yield(&l[i], nil) {
				return
			}
		}
	}
}

func TestInvoices(t *testing.T) {
	issued := time.Date(2026, 1, 15, 10, 30, 0, 0, time.UTC)
	paid := issued.AddDate(0, 0, 3)
	invoices, err := Dataset(ledger{
		{"2025-117", "acme", "Too old", issued.AddDate(0, -1, 0), nil, "1.00", nil},
		{"2026-001", "acme", "=Miller & Sons", issued, &paid, "1190.00", []string{"Pumps, 3", `Valve 2"`}},
		{"2026-001", "other", "Not ours", issued, nil, "5.00", nil},
		{"2026-002", "acme", "", issued.Add(time.Hour), nil, "-19.90", nil},
	})
	if err != nil {
		t.Fatal(err)
	}
	query := dataexport.Query{
		Scope:  dataexport.Scope{WorkspaceID: "acme"},
		Filter: dataexport.Filter{CreatedAfter: issued.AddDate(0, 0, -1)},
	}
	for name, test := range map[string]struct {
		renderer dataexport.Renderer
		want     string
	}{
		"json": {render.JSON(), "[\n" +
			`{"number":"2026-001","tenant":"acme","customer":"=Miller & Sons","issued_at":"2026-01-15T10:30:00.000Z",` +
			`"paid_at":"2026-01-18T10:30:00.000Z","total":"1190.00","lines":["Pumps, 3","Valve 2\""]},` + "\n" +
			`{"number":"2026-002","tenant":"acme","customer":"","issued_at":"2026-01-15T11:30:00.000Z",` +
			`"paid_at":null,"total":"-19.90","lines":[]}` + "\n]\n"},
		"csv": {render.CSV(), "number,tenant,customer,issued_at,paid_at,total,lines\r\n" +
			`2026-001,acme,'=Miller & Sons,2026-01-15T10:30:00.000Z,2026-01-18T10:30:00.000Z,1190.00,"[""Pumps, 3"",""Valve 2\""""]"` + "\r\n" +
			`2026-002,acme,"",2026-01-15T11:30:00.000Z,,-19.90,[]` + "\r\n"},
	} {
		t.Run(name, func(t *testing.T) {
			var file bytes.Buffer
			summary, err := dataexport.Export(t.Context(), &file, invoices, test.renderer, query)
			if err != nil {
				t.Fatal(err)
			}
			if file.String() != test.want {
				t.Errorf("got:\n%s\nwant:\n%s", &file, test.want)
			}
			if summary.Records != 2 {
				t.Errorf("%d records, want 2", summary.Records)
			}
		})
	}
}
