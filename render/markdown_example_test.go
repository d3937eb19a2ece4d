package render_test

import (
	"context"
	"fmt"
	"os"
	"time"

	"github.com/dataexport/dataexport"
	"github.com/dataexport/dataexport/memory"
	"github.com/dataexport/dataexport/render"
)

func ExampleMarkdown() {
	user := "user_7"
	records := []memory.Record{{
		ID: "m-1", WorkspaceID: "ws", UserID: &user, Categories: []string{"food", "Paris, France"},
		Content:   "Likes *very* hot curry; see https://example.com/a_b.\n\n# Not a heading",
		CreatedAt: time.Date(2026, 1, 15, 10, 30, 0, 0, time.UTC),
	}, {
		ID: "m-2", WorkspaceID: "ws",
		Content:   "To deploy:\n1. run the tests\n2. tag the release",
		CreatedAt: time.Date(2026, 1, 15, 11, 0, 0, 0, time.UTC),
	}}
	_, err := dataexport.Export(context.Background(), os.Stdout, memory.Slice(records), render.Markdown(),
		dataexport.Query{
			Scope: dataexport.Scope{WorkspaceID: "ws"},
			AsOf:  time.Date(2026, 2, 1, 0, 0, 0, 0, time.UTC),
		})
	if err != nil {
		fmt.Println(err)
	}
	// Output:
	// # Export of memories
	//
	// Time of the export: 2026-02-01T00:00:00.000Z
	//
	// All records.
	//
	// ## m-1
	//
	// - **id:** m-1
	// - **workspace_id:** ws
	// - **user_id:** user_7
	// - **categories:** food, `"Paris, France"`
	// - **created_at:** 2026-01-15T10:30:00.000Z
	//
	// Likes \*very* hot curry; see `https://example.com/a_b`.
	//
	// \# Not a heading
	//
	// ## m-2
	//
	// - **id:** m-2
	// - **workspace_id:** ws
	// - **created_at:** 2026-01-15T11:00:00.000Z
	//
	// ```
	// To deploy:
	// 1. run the tests
	// 2. tag the release
	// ```
	//
	// ---
	//
	// 2 records.
}
