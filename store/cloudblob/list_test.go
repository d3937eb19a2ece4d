package cloudblob_test

import (
	"fmt"
	"net/http"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"gocloud.dev/blob"

	"github.com/dataexport/dataexport"
	"github.com/dataexport/dataexport/memory"
	"github.com/dataexport/dataexport/render"
	"github.com/dataexport/dataexport/store/cloudblob/s3test"
	"github.com/dataexport/dataexport/store/memstore"
)

// abandon begins uploads of objects, as a process does that is killed then.
func abandon(t *testing.T, server *s3test.Server, names ...string) {
	t.Helper()
	transport := &http.Transport{}
	defer transport.CloseIdleConnections()
	for _, name := range names {
		_, err := server.Client(transport).CreateMultipartUpload(t.Context(), &s3.CreateMultipartUploadInput{
			Bucket: aws.String(server.Bucket), Key: aws.String(name),
		})
		require.NoError(t, err)
	}
}

// brief writes infos as "key" for blobs and "key?" for unfinished ones.
func brief(infos []dataexport.BlobInfo) (keys []string) {
	for _, info := range infos {
		if info.Unfinished {
			info.Key += "?"
		}
		keys = append(keys, info.Key)
	}
	return keys
}

// What is unfinished comes among the blobs, in the order of keys, behind the blob of its own key.
func TestListUnfinished(t *testing.T) {
	onServers(t, func(t *testing.T, server *s3test.Server) {
		store := withStorage(t, server.OpenBucket(t))
		abandon(t, server, "a/1", "b/1", "b/1", "b/3", "z/1", "no key", "b+c")
		for _, key := range []string{"b/1", "b/2", "c/1"} {
			require.NoError(t, put(t.Context(), store, key, nil))
		}
		assert.Equal(t, []string{"a/1?", "b/1", "b/1?", "b/1?", "b/2", "b/3?", "c/1", "z/1?"}, brief(list(t, store, "")))
		assert.Equal(t, []string{"b/1", "b/1?", "b/1?", "b/2", "b/3?"}, brief(list(t, store, "b/")))
		assert.Equal(t, []string{"z/1?"}, brief(list(t, store, "z")))
		assert.Empty(t, list(t, store, "y"))

		for stop := 1; stop < 8; stop++ {
			seen := 0
			for _, err := range store.List(t.Context(), "") {
				require.NoError(t, err)
				if seen++; seen == stop {
					break
				}
			}
			assert.Equal(t, stop, seen)
		}
		require.NoError(t, store.DeleteUnfinished(t.Context(), "b/1"))
		require.NoError(t, store.DeleteUnfinished(t.Context(), "b/2"), "there is none")
		assert.Equal(t, []string{"a/1?", "b/1", "b/2", "b/3?", "c/1", "z/1?"}, brief(list(t, store, "")))
		require.ErrorIs(t, store.DeleteUnfinished(t.Context(), "../b"), dataexport.ErrInvalid)
		require.NoError(t, store.Delete(t.Context(), "b/1"))
		assert.Equal(t, []string{"a/1?", "b/2", "b/3?", "c/1", "z/1?"}, brief(list(t, store, "")))
	})
}

// Uploads come in pages too.
func TestListManyUploads(t *testing.T) {
	server := s3test.Start(t)
	var names []string
	for i := range 1100 {
		names = append(names, fmt.Sprintf("job/%04d", i))
	}
	abandon(t, server, names...)
	bucket, wire := through(t, server, nil)
	store := withStorage(t, bucket)
	infos := list(t, store, "job/")
	require.Len(t, infos, len(names))
	for i, info := range infos {
		assert.Equal(t, names[i], info.Key)
	}
	assert.Equal(t, []string{"ListMultipartUploads", "ListObjectsV2", "ListMultipartUploads"}, wire.take())

	for _, err := range store.List(t.Context(), "job/") {
		require.NoError(t, err)
		break
	}
	assert.Equal(t, []string{"ListMultipartUploads", "ListObjectsV2"}, wire.take(), "it reads no page that nobody wants")
}

// A bucket that others use too: with a prefix, by code or by the URL, nothing of theirs is seen or touched.
func TestSharedBucket(t *testing.T) {
	onServers(t, func(t *testing.T, server *s3test.Server) {
		server.Setenv(t)
		theirs := server.OpenBucket(t)
		for _, name := range []string{"job/1", "host/exportsjob/1", "host/exports/ job", "host/other/job/1"} {
			require.NoError(t, theirs.WriteAll(t.Context(), name, []byte(name), nil))
		}
		abandon(t, server, "job/1", "host/exportsjob/1", "host/other/job/1")
		objects, uploads := server.Objects(t), server.Uploads(t)

		byURL, err := blob.OpenBucket(t.Context(), server.URL()+"&prefix=host/exports/")
		require.NoError(t, err)
		defer http.DefaultClient.CloseIdleConnections()
		for name, bucket := range map[string]*blob.Bucket{
			"code": blob.PrefixedBucket(server.OpenBucket(t), "host/exports/"), "URL": byURL,
		} {
			t.Run(name, func(t *testing.T) {
				store := withStorage(t, closing(t, bucket))
				assert.Empty(t, list(t, store, ""))
				require.NoError(t, put(t.Context(), store, "job/1", content(partSize+1)))
				abandon(t, server, "host/exports/job/1", "host/exports/job/2", "host/exports/no key")
				assert.Equal(t, []string{"job/1", "job/1?", "job/2?"}, brief(list(t, store, "job/")))
				wantContent(t, store, "job/1", content(partSize+1))
				assert.Contains(t, server.Objects(t), "host/exports/job/1")

				require.NoError(t, store.Delete(t.Context(), "job/1"))
				require.NoError(t, store.Delete(t.Context(), "job/2"))
				assert.Equal(t, objects, server.Objects(t))
				assert.ElementsMatch(t, append([]string{"host/exports/no key"}, uploads...), server.Uploads(t))
				removeUploads(t, server, "host/exports/no key")
			})
		}
	})
}

func removeUploads(t *testing.T, server *s3test.Server, name string) {
	t.Helper()
	transport := &http.Transport{}
	defer transport.CloseIdleConnections()
	client := server.Client(transport)
	page, err := client.ListMultipartUploads(t.Context(), &s3.ListMultipartUploadsInput{Bucket: aws.String(server.Bucket), Prefix: aws.String(name)})
	require.NoError(t, err)
	for _, upload := range page.Uploads {
		_, err := client.AbortMultipartUpload(t.Context(), &s3.AbortMultipartUploadInput{Bucket: aws.String(server.Bucket), Key: upload.Key, UploadId: upload.UploadId})
		require.NoError(t, err)
	}
}

// In a shared bucket without a prefix, what is no key is passed over.
func TestForeignObjects(t *testing.T) {
	onServers(t, func(t *testing.T, server *s3test.Server) {
		bucket := server.OpenBucket(t)
		for _, name := range []string{"a b", "job/1 copy", "é", "job+1"} {
			require.NoError(t, bucket.WriteAll(t.Context(), name, []byte(name), nil))
		}
		store := withStorage(t, bucket)
		require.NoError(t, put(t.Context(), store, "job/1", nil))
		assert.Equal(t, []string{"job/1"}, brief(list(t, store, "")))
	})
}

// The sweep of the engine removes what a killed process has left in the storage, and nothing that is still of use.
func TestSweepOrphans(t *testing.T) {
	onServers(t, func(t *testing.T, server *s3test.Server) {
		blobs := withStorage(t, server.OpenBucket(t))
		jobs := memstore.New()
		service, err := dataexport.New(dataexport.Config{
			Datasets: []dataexport.Dataset{memory.Slice(nil)}, Renderers: render.Standard(), Store: jobs, Blobs: blobs,
		})
		require.NoError(t, err)
		active := newID(t)
		_, _, err = jobs.Create(t.Context(), dataexport.NewJob{ID: active, Scope: dataexport.Scope{WorkspaceID: "w"}, Dataset: "memories", Format: "csv", Fingerprint: "f"})
		require.NoError(t, err)

		gone := newID(t)
		abandon(t, server, active+"/1", gone+"/1", gone+"/2", "somebody/elses")
		require.NoError(t, put(t.Context(), blobs, gone+"/2", []byte("whole")))
		require.NoError(t, service.Runner().SweepOrphans(t.Context()))
		assert.ElementsMatch(t, []string{active + "/1", "somebody/elses"}, server.Uploads(t))
		assert.Empty(t, server.Objects(t))
	})
}

func newID(t *testing.T) string {
	t.Helper()
	id, err := uuid.NewV7()
	require.NoError(t, err)
	return id.String()
}
