package memblob_test

import (
	"testing"

	"github.com/dataexport/dataexport"
	"github.com/dataexport/dataexport/store/blobtest"
	"github.com/dataexport/dataexport/store/memblob"
)

func TestStore(t *testing.T) {
	blobtest.Run(t, func(*testing.T) dataexport.BlobStore { return memblob.New() })
}
