package cloudblob_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"

	"gocloud.dev/blob"
	_ "gocloud.dev/blob/memblob" // in earnest: gocloud.dev/blob/s3blob, gcsblob or azureblob

	"github.com/dataexport/dataexport"
	"github.com/dataexport/dataexport/store/cloudblob"
	"github.com/dataexport/dataexport/store/cloudblob/s3storage"
)

// A host opens whatever bucket its configuration names. If that is one of S3, the store knows more than gocloud.dev does.
func Example() {
	ctx := context.Background()
	bucket, err := blob.OpenBucket(ctx, "mem://exports?prefix=dataexport/")
	if err != nil {
		log.Fatal(err)
	}
	defer func() { _ = bucket.Close() }()

	var options cloudblob.Options
	switch storage, err := s3storage.New(bucket, s3storage.Options{}); {
	case err == nil:
		options.Storage = storage
	case !errors.Is(err, errors.ErrUnsupported):
		log.Fatal(err)
	}
	blobs := cloudblob.New(bucket, options)

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
