package fileblob_test

import (
	"context"
	"fmt"
	"io"
	"log"
	"os"

	"github.com/dataexport/dataexport"
	"github.com/dataexport/dataexport/store/fileblob"
)

func Example() {
	dir, err := os.MkdirTemp("", "exports")
	if err != nil {
		log.Fatal(err)
	}
	defer func() { _ = os.RemoveAll(dir) }()

	blobs, err := fileblob.New(dir)
	if err != nil {
		log.Fatal(err)
	}
	defer func() { _ = blobs.Close() }()

	ctx := context.Background()
	csv := dataexport.Format{Name: "csv", MediaType: "text/csv", Extension: "csv"}
	err = blobs.Put(ctx, "job/1", csv, func(w io.Writer) error {
		_, err := io.WriteString(w, "id,name\n1,Ada\n")
		return err
	})
	if err != nil {
		log.Fatal(err)
	}

	for info, err := range blobs.List(ctx, "job/") {
		fmt.Println(info.Key, info.Size, err)
	}
	// Output: job/1 14 <nil>
}

func ExampleBlob_File() {
	dir, err := os.MkdirTemp("", "exports")
	if err != nil {
		log.Fatal(err)
	}
	defer func() { _ = os.RemoveAll(dir) }()
	blobs, err := fileblob.New(dir)
	if err != nil {
		log.Fatal(err)
	}
	defer func() { _ = blobs.Close() }()
	ctx := context.Background()
	err = blobs.Put(ctx, "job/1", dataexport.Format{}, func(w io.Writer) error {
		_, err := io.WriteString(w, "the content")
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

	var content io.ReadSeeker = blob
	if b, ok := blob.(interface{ File() *os.File }); ok {
		content = b.File() // what http.ServeContent should be given
	}
	_, err = io.Copy(os.Stdout, content)
	if err != nil {
		log.Fatal(err)
	}
	// Output: the content
}
