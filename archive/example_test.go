package archive_test

import (
	"fmt"
	"strings"

	"github.com/google/uuid"

	"github.com/dataexport/dataexport/archive"
)

// A host defines an archive of its own from structs.
func ExampleNew() {
	type Customer struct {
		ID    uuid.UUID `export:"id,id"`
		Email string    `export:"email"`
	}
	type Order struct {
		ID    uuid.UUID `export:"id,id,key"`
		Total string    `export:"total,decimal"`
	}
	type Payment struct {
		ID      uuid.UUID `export:"id,id,key"`
		OrderID uuid.UUID `export:"orderId"`
	}
	a, err := archive.New(archive.Definition{
		Format:  "shop.account-export.v1",
		Account: archive.Account[Customer]("customer"),
		Lists: []archive.Part{
			archive.List[Order]("orders"),
			archive.List[Payment]("payments", archive.Reference{Field: "orderId", Collection: "orders"}),
		},
		Tables: []archive.Table{
			archive.Exported("customers", "customer"),
			archive.Exported("orders", "orders"),
			archive.Exported("payments", "payments"),
			archive.Excluded("sessions", "they hold nothing but a random number and end within a day"),
		},
	})
	if err != nil {
		panic(err)
	}

	// Somebody has added a table and has not thought of the archive.
	fmt.Println(a.CheckTables([]string{"customers", "orders", "payments", "sessions", "reviews"}))

	document := strings.NewReader(`{
		"format": "shop.account-export.v1", "exportedAt": "2026-01-15T10:30:00Z",
		"customer": {"id": "00000000-0000-0000-0000-000000000001", "email": "ana@example.com"},
		"orders": [],
		"payments": [{"id": "00000000-0000-0000-0000-000000000002", "orderId": "00000000-0000-0000-0000-000000000003"}],
		"counts": {"orders": 0, "payments": 1}
	}`)
	report, err := a.Verify(document, document.Size())
	if err != nil {
		panic(err)
	}
	for _, fault := range report.Faults {
		fmt.Println(fault.Collection, fault.Record, fault.Field, fault.Value)
	}
	// Output:
	// table "reviews" is neither exported nor excluded; add it to Definition.Tables with archive.Exported or, with a reason, archive.Excluded
	// payments 0 orderId 00000000-0000-0000-0000-000000000003
}
