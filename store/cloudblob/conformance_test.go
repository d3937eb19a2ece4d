package cloudblob_test

import (
	"flag"
	"log"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
	"gocloud.dev/blob"
	"gocloud.dev/blob/fileblob"
	"gocloud.dev/blob/memblob"

	"github.com/dataexport/dataexport"
	"github.com/dataexport/dataexport/store/blobtest"
	"github.com/dataexport/dataexport/store/cloudblob"
	"github.com/dataexport/dataexport/store/cloudblob/s3storage"
	"github.com/dataexport/dataexport/store/cloudblob/s3test"
)

// A storage that keeps objects as files in directories cannot have the objects "a" and "a/b" at the same time. The keys of
// exports do not ask for it, but some tests of the suite do, and they are left out for such storage.
func hierarchical() (skipped []string) {
	for _, test := range []string{"TestFiles", "TestGateway"} {
		for _, subtest := range []string{
			"delete/in a loop over List", "delete/only its key", "keys/a blob and a directory", "keys/prefixes of no key",
			"list/cancelled during", "list/early stop", "list/order", "list/prefix",
		} {
			skipped = append(skipped, test+"/"+subtest)
		}
	}
	// gocloud.dev/blob/fileblob says "not a directory" where it should say "not found", and takes the size of one file and
	// the content of the next if that replaces the first in between.
	return append(skipped, "TestFiles/read/not found", "TestFiles/concurrency/puts of one key", "TestFiles/concurrency/puts and deletes one key")
}

func TestMain(m *testing.M) {
	flag.Parse()
	patterns := []string{flag.Lookup("test.skip").Value.String()}
	for _, name := range hierarchical() {
		patterns = append(patterns, "^"+strings.ReplaceAll(strings.ReplaceAll(name, "/", "$/^"), " ", "_")+"$")
	}
	if err := flag.Set("test.skip", strings.TrimPrefix(strings.Join(patterns, "|"), "|")); err != nil {
		log.Fatal(err)
	}
	goleak.VerifyTestMain(m)
}

func TestMemory(t *testing.T) {
	blobtest.Run(t, func(t *testing.T) dataexport.BlobStore {
		return cloudblob.New(closing(t, memblob.OpenBucket(nil)), cloudblob.Options{})
	})
}

func TestFiles(t *testing.T) {
	blobtest.Run(t, func(t *testing.T) dataexport.BlobStore {
		bucket, err := fileblob.OpenBucket(t.TempDir(), &fileblob.Options{Metadata: fileblob.MetadataDontWrite})
		require.NoError(t, err)
		return cloudblob.New(closing(t, bucket), cloudblob.Options{})
	})
}

func closing(t *testing.T, bucket *blob.Bucket) *blob.Bucket {
	t.Helper()
	t.Cleanup(func() { require.NoError(t, bucket.Close()) })
	return bucket
}

func TestS3(t *testing.T) {
	blobtest.Run(t, func(t *testing.T) dataexport.BlobStore {
		return newStore(t, s3test.Start(t).OpenBucket(t))
	})
}

func TestS3Prefixed(t *testing.T) {
	if testing.Short() {
		t.Skip("a second time over HTTP, not with -short")
	}
	blobtest.Run(t, func(t *testing.T) dataexport.BlobStore {
		bucket := s3test.Start(t).OpenBucket(t)
		return newStore(t, closing(t, blob.PrefixedBucket(bucket, "host/exports/")))
	})
}

// Without s3storage a store works too, but for what a Put that fails leaves behind.
func TestS3DriverAlone(t *testing.T) {
	if testing.Short() {
		t.Skip("a second time over HTTP, not with -short")
	}
	blobtest.Run(t, func(t *testing.T) dataexport.BlobStore {
		return cloudblob.New(s3test.Start(t).OpenBucket(t), cloudblob.Options{})
	})
}

func TestGateway(t *testing.T) {
	blobtest.Run(t, func(t *testing.T) dataexport.BlobStore {
		return newStore(t, s3test.StartGateway(t).OpenBucket(t))
	})
}

// newStore returns a store in a bucket of S3.
func newStore(t testing.TB, bucket *blob.Bucket) *cloudblob.Store {
	t.Helper()
	storage, err := s3storage.New(bucket, s3storage.Options{})
	require.NoError(t, err)
	return cloudblob.New(bucket, cloudblob.Options{Storage: storage})
}
