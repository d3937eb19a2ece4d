package compressblob_test

import (
	"context"
	"fmt"
	"io"
	"log"
	"strings"

	"github.com/dataexport/dataexport"
	"github.com/dataexport/dataexport/store/compressblob"
	"github.com/dataexport/dataexport/store/memblob"
)

func Example() {
	files := memblob.New() // or fileblob, or cloudblob
	blobs, err := compressblob.New(files, compressblob.Options{})
	if err != nil {
		log.Fatal(err)
	}
	ctx := context.Background()
	csv := dataexport.Format{Name: "csv", MediaType: "text/csv", Extension: "csv"}
	err = blobs.Put(ctx, "job/1", csv, func(w io.Writer) error {
		_, err := io.WriteString(w, strings.Repeat("1,Ada\r\n", 1_000_000))
		return err
	})
	if err != nil {
		log.Fatal(err)
	}

	blob, err := blobs.Open(ctx, "job/1")
	if err != nil {
		log.Fatal(err)
	}
	defer func() { _ = blob.Close() }()
	coding, stored := blob.(dataexport.EncodedBlob).Encoded()
	fmt.Println(blob.Size(), coding, stored.Size() < 100_000)
	// Output: 7000000 gzip true
}
