package memblob_test

import (
	"context"
	"fmt"
	"io"

	"github.com/dataexport/dataexport"
	"github.com/dataexport/dataexport/store/memblob"
)

func Example() {
	ctx := context.Background()
	blobs := memblob.New()

	csv := dataexport.Format{Name: "csv", MediaType: "text/csv", Extension: "csv"}
	err := blobs.Put(ctx, "job/1", csv, func(w io.Writer) error {
		_, err := io.WriteString(w, "id,name\n1,Ada\n")
		return err
	})
	if err != nil {
		fmt.Println(err)
		return
	}

	for info, err := range blobs.List(ctx, "job/") {
		fmt.Println(info.Key, info.Size, err)
	}
	// Output: job/1 14 <nil>
}
