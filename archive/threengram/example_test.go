package threengram_test

import (
	"bytes"
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"

	"github.com/dataexport/dataexport"
	"github.com/dataexport/dataexport/archive"
	"github.com/dataexport/dataexport/archive/threengram"
	"github.com/dataexport/dataexport/render"
)

// An account goes out as a file, is verified, and comes back as records.
func Example() {
	created := time.Date(2026, 1, 15, 10, 30, 0, 0, time.UTC)
	account, err := threengram.Dataset(func(_ context.Context, s dataexport.Scope) (*threengram.View, error) {
		return &threengram.View{ // in earnest: one transaction that reads repeatably
			Account: threengram.Account{ID: uuid.UUID{1}, Email: s.Subject + "@example.com", CreatedAt: created, UpdatedAt: created},
			Memories: func(yield func(*threengram.Memory, error) bool) {
				yield(&threengram.Memory{
					ID: uuid.UUID{2}, Content: "Prefers tea.", MemoryType: "semantic", Status: "active", CreatedAt: created, UpdatedAt: created,
				}, nil)
			},
		}, nil
	})
	if err != nil {
		panic(err)
	}
	var file bytes.Buffer
	ana := dataexport.Scope{WorkspaceID: "acme", Subject: "ana"}
	if _, err := dataexport.Export(context.Background(), &file, account, render.Zip(), dataexport.Query{Scope: ana}); err != nil {
		panic(err)
	}

	format, err := threengram.Archive()
	if err != nil {
		panic(err)
	}
	content := bytes.NewReader(file.Bytes())
	report, err := format.Verify(content, content.Size())
	if err != nil {
		panic(err)
	}
	fmt.Println(report.OK(), report.Records["memories"])
	_, err = format.Read(content, content.Size(), func(r archive.Record) error {
		if memory, ok := r.Value.(*threengram.Memory); ok {
			fmt.Println(memory.Content)
		}
		return nil
	})
	fmt.Println(err)
	// Output:
	// true 1
	// Prefers tea.
	// <nil>
}
