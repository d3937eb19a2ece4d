package render_test

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/dataexport/dataexport"
	"github.com/dataexport/dataexport/memory"
	"github.com/dataexport/dataexport/render"
)

func Example() {
	likes := "=HYPERLINK(\"https://example.com\")"
	records := memory.Slice([]memory.Record{
		{ID: "m1", WorkspaceID: "ws", Content: "Prefers tea, not coffee.", CreatedAt: time.Date(2026, 1, 15, 10, 30, 0, 0, time.UTC)},
		{ID: "m2", WorkspaceID: "ws", Content: likes, CreatedAt: time.Date(2026, 1, 16, 8, 0, 0, 0, time.UTC)},
	})
	query := dataexport.Query{Scope: dataexport.Scope{WorkspaceID: "ws"}}

	var file bytes.Buffer
	if _, err := dataexport.Export(context.Background(), &file, records, render.CSV(), query); err != nil {
		fmt.Println(err)
		return
	}
	// What a spreadsheet sees:
	_, _ = os.Stdout.WriteString(strings.ReplaceAll(file.String(), "\r\n", "\n"))

	// What ReadCSV gives back:
	type note struct {
		ID      string    `csv:"id"`
		Content string    `csv:"content"`
		UserID  *string   `csv:"user_id"`
		Created time.Time `csv:"created_at"`
	}
	for n, err := range render.ReadCSV[note](&file, render.CSVReadOptions{}) {
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Println(n.ID, n.Content, n.UserID == nil, n.Created.Format(time.DateOnly))
	}
	// Output:
	// id,workspace_id,content,user_id,agent_id,session_id,priority,status,categories,metadata,access_count,last_accessed_at,created_at,updated_at
	// m1,ws,"Prefers tea, not coffee.",,,,,,,,,,2026-01-15T10:30:00.000Z,
	// m2,ws,"'=HYPERLINK(""https://example.com"")",,,,,,,,,,2026-01-16T08:00:00.000Z,
	// m1 Prefers tea, not coffee. true 2026-01-15
	// m2 =HYPERLINK("https://example.com") true 2026-01-16
}
