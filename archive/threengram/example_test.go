package threengram_test

import (
	"fmt"
	"os"
	"strings"

	"github.com/dataexport/dataexport/archive"
	"github.com/dataexport/dataexport/archive/threengram"
)

// Reading an archive, here one of JSON. A zip is read in the same way.
func ExampleArchive_read() {
	a, err := threengram.Archive()
	if err != nil {
		panic(err)
	}
	file, err := os.Open("testdata/full.json")
	if err != nil {
		panic(err)
	}
	defer func() { _ = file.Close() }()
	info, err := file.Stat()
	if err != nil {
		panic(err)
	}
	header, err := a.Read(file, info.Size(), func(r archive.Record) error {
		if m, ok := r.Value.(*threengram.Memory); ok {
			fmt.Printf("memory %d of %s: %q\n", r.Index, m.CreatedAt.Format("2006-01-02"), m.Content)
		}
		return nil
	})
	if err != nil {
		panic(err)
	}
	fmt.Println(header.Counts["memories"], "memories")
	// Output:
	// memory 0 of 2026-01-15: "Prefers tea."
	// memory 1 of 2026-01-15: ""
	// 2 memories
}

// Verifying an archive in which somebody has changed a time and a count.
func ExampleArchive_verify() {
	a, err := threengram.Archive()
	if err != nil {
		panic(err)
	}
	golden, err := os.ReadFile("testdata/full.json")
	if err != nil {
		panic(err)
	}
	document := strings.Replace(string(golden), `"content":"","createdAt":"2026-01-15T10:30:00.000Z"`, `"content":"","createdAt":"yesterday"`, 1)
	document = strings.Replace(document, `"facts":1,`, `"facts":7,`, 1)
	report, err := a.Verify(strings.NewReader(document), int64(len(document)))
	if err != nil {
		panic(err)
	}
	fmt.Println("in order:", report.OK())
	for _, fault := range report.Faults {
		fmt.Println(fault.Error())
	}
	// Output:
	// in order: false
	// archive: memories[1].createdAt: not a time such as 2026-01-15T10:30:00Z, on a day that exists and in UTC: "yesterday"
	// archive: facts.counts: the count differs from the number of records, 1: "7"
}
