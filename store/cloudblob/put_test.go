package cloudblob_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"runtime"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"gocloud.dev/blob"
	"gocloud.dev/blob/memblob"
	"gocloud.dev/blob/s3blob"

	"github.com/dataexport/dataexport"
	"github.com/dataexport/dataexport/store/cloudblob"
	"github.com/dataexport/dataexport/store/cloudblob/s3storage"
	"github.com/dataexport/dataexport/store/cloudblob/s3test"
)

var errTest = errors.New("the test has failed it")

// What fits into one part is one request; of what does not, each part is one.
func TestParts(t *testing.T) {
	for _, c := range []struct {
		name       string
		size       int
		operations []string
	}{
		{"empty", 0, []string{"PutObject"}},
		{"one part", partSize, []string{"PutObject"}},
		{"a byte more", partSize + 1, []string{"CreateMultipartUpload", "UploadPart", "UploadPart", "CompleteMultipartUpload"}},
		{"three parts", 3 * partSize, []string{"CreateMultipartUpload", "UploadPart", "UploadPart", "UploadPart", "CompleteMultipartUpload"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			onServers(t, func(t *testing.T, server *s3test.Server) {
				bucket, wire := through(t, server, nil)
				store := withStorage(t, bucket)
				require.NoError(t, put(t.Context(), store, "job/1", content(c.size)))
				assert.Equal(t, c.operations, wire.take())
				wantContent(t, store, "job/1", content(c.size))
				assert.Equal(t, []string{"job/1"}, server.Objects(t))
				assert.Empty(t, server.Uploads(t))
			})
		})
	}
}

// What the storage is told of an object is what it answers to whoever has a signed URL.
func TestHeaders(t *testing.T) {
	check := func(t *testing.T, bucket *blob.Bucket, store *cloudblob.Store) {
		t.Helper()
		for key, size := range map[string]int{"job/1": 10, "job/2": 17 << 20} {
			require.NoError(t, put(t.Context(), store, key, content(size)))
			attributes, err := bucket.Attributes(t.Context(), key)
			require.NoError(t, err)
			assert.Equal(t, "text/csv; charset=utf-8", attributes.ContentType)
			assert.Equal(t, `attachment; filename="export.csv"`, attributes.ContentDisposition)
			if !strings.Contains(t.Name(), "gofakes3") { // which does not keep it
				assert.Equal(t, "private, no-store", attributes.CacheControl)
			}
		}
	}
	onUploaders(t, func(t *testing.T, server *s3test.Server, open opener) {
		bucket := server.OpenBucket(t)
		check(t, bucket, open(t, bucket))
	})
	t.Run("memory", func(t *testing.T) {
		bucket := closing(t, memblob.OpenBucket(nil))
		store := cloudblob.New(bucket, cloudblob.Options{})
		check(t, bucket, store)

		require.NoError(t, store.Put(t.Context(), "job/3", dataexport.Format{Extension: `c"/\`}, func(io.Writer) error { return nil }))
		attributes, err := bucket.Attributes(t.Context(), "job/3")
		require.NoError(t, err)
		assert.Equal(t, "application/octet-stream", attributes.ContentType)
		assert.Equal(t, `attachment; filename="export"`, attributes.ContentDisposition)
	})
}

// A host that has the driver encrypt what it writes gets that from s3storage too, and a checksum with what it sends, unless
// its client is not to.
func TestDriverSettings(t *testing.T) {
	server := s3test.Start(t)
	for _, required := range []bool{false, true} {
		var headers []http.Header
		w := &wire{next: http.DefaultTransport, answer: func(operation string, r *http.Request, send func() (*http.Response, error)) (*http.Response, error) {
			headers = append(headers, r.Header.Clone())
			headers[len(headers)-1].Set("Operation", operation)
			return send()
		}}
		client := server.Client(w)
		options := &s3blob.Options{EncryptionType: types.ServerSideEncryptionAwsKms, KMSEncryptionID: "key-1"}
		if required {
			settings := client.Options()
			settings.RequestChecksumCalculation = aws.RequestChecksumCalculationWhenRequired
			client = s3.New(settings)
		}
		bucket, err := s3blob.OpenBucket(t.Context(), client, server.Bucket, options)
		require.NoError(t, err)
		store := withStorage(t, closing(t, bucket))
		require.NoError(t, put(t.Context(), store, "job/1", content(10)))
		require.NoError(t, put(t.Context(), store, "job/2", content(partSize+1)))
		for _, header := range headers {
			operation := header.Get("Operation")
			if operation == "PutObject" || operation == "CreateMultipartUpload" {
				assert.Equal(t, "aws:kms", header.Get("X-Amz-Server-Side-Encryption"), operation)
				assert.Equal(t, "key-1", header.Get("X-Amz-Server-Side-Encryption-Aws-Kms-Key-Id"), operation)
			}
			if operation == "PutObject" || operation == "UploadPart" {
				assert.Equal(t, required, header.Get("X-Amz-Checksum-Crc32") == "", operation)
			}
		}
	}
	http.DefaultClient.CloseIdleConnections()
}

// ends are the ways in which write can end without success.
func ends(cancel context.CancelCauseFunc) map[string]func() error {
	return map[string]func() error{
		"error":     func() error { return errTest },
		"panic":     func() error { panic(errTest) },
		"exit":      func() error { runtime.Goexit(); return nil },
		"cancelled": func() error { cancel(errTest); return nil },
	}
}

// Whatever becomes of a Put in the middle, nothing is left of it, and the blob that was there stays.
func TestEndInTheMiddle(t *testing.T) {
	onServers(t, func(t *testing.T, server *s3test.Server) {
		store := withStorage(t, server.OpenBucket(t))
		require.NoError(t, put(t.Context(), store, "job/1", []byte("old")))
		for name := range ends(nil) {
			t.Run(name, func(t *testing.T) {
				ctx, cancel := context.WithCancelCause(t.Context())
				defer cancel(nil)
				failed := make(chan any, 1)
				go func() {
					var err error
					defer func() {
						if r := recover(); r != nil {
							failed <- r
						} else {
							failed <- err
						}
					}()
					err = store.Put(ctx, "job/1", format(), func(w io.Writer) error {
						if err := writing(content(2*partSize + 1))(w); err != nil {
							return err
						}
						assert.Equal(t, []string{"job/1"}, server.Uploads(t))
						infos := list(t, store, "")
						if assert.Len(t, infos, 2) {
							assert.False(t, infos[0].Unfinished)
							assert.True(t, infos[1].Unfinished)
							assert.Equal(t, "job/1", infos[1].Key)
							assert.False(t, infos[1].ModTime.IsZero())
						}
						return ends(cancel)[name]()
					})
				}()
				if result := <-failed; name != "exit" {
					err, ok := result.(error)
					require.True(t, ok, "%v", result)
					require.ErrorIs(t, err, errTest)
				}
				assert.Empty(t, server.Uploads(t))
				assert.Equal(t, []string{"job/1"}, server.Objects(t))
				wantContent(t, store, "job/1", []byte("old"))
			})
		}
	})
}

// A request that is under way when the context ends is no obstacle: neither one that is never answered nor the one that
// begins the upload.
func TestCancelledRequest(t *testing.T) {
	for _, operation := range []string{"CreateMultipartUpload", "UploadPart", "CompleteMultipartUpload", "PutObject"} {
		t.Run(operation, func(t *testing.T) {
			onServers(t, func(t *testing.T, server *s3test.Server) {
				ctx, cancel := context.WithCancelCause(t.Context())
				defer cancel(nil)
				bucket, _ := through(t, server, func(name string, r *http.Request, send func() (*http.Response, error)) (*http.Response, error) {
					if name != operation {
						return send()
					}
					cancel(errTest)
					if name == "CreateMultipartUpload" {
						return send()
					}
					<-r.Context().Done()
					return nil, r.Context().Err()
				})
				size := 3 * partSize
				if operation == "PutObject" {
					size = 1000
				}
				require.ErrorIs(t, put(ctx, withStorage(t, bucket), "job/1", content(size)), errTest)
				wantNothing(t, server)
			})
		})
	}
}

// A storage that refuses to go on has nothing of the blob in the end.
func TestRefused(t *testing.T) {
	for _, operation := range []string{"CreateMultipartUpload", "UploadPart", "CompleteMultipartUpload", "PutObject"} {
		for _, c := range []struct {
			status      int
			code        string
			unavailable bool
		}{{http.StatusForbidden, "AccessDenied", false}, {http.StatusServiceUnavailable, "SlowDown", true}} {
			t.Run(operation+" "+c.code, func(t *testing.T) {
				onUploaders(t, func(t *testing.T, server *s3test.Server, open opener) {
					refused := 0
					bucket, _ := through(t, server, func(name string, r *http.Request, send func() (*http.Response, error)) (*http.Response, error) {
						if name != operation || name == "UploadPart" && r.URL.Query().Get("partNumber") == "1" {
							return send()
						}
						refused++
						return refusal(r, c.status, c.code)
					})
					size := 4 * partSize // the driver begins to send after 16 MiB
					if operation == "PutObject" {
						size = 1000
					}
					err := put(t.Context(), open(t, bucket), "job/1", content(size))
					require.Error(t, err)
					assert.Equal(t, c.unavailable, errors.Is(err, dataexport.ErrUnavailable), "%v", err)
					assert.ErrorContains(t, err, `put "job/1"`)
					if c.unavailable {
						assert.Equal(t, 3, refused, "the SDK tries again")
					}
					wantNothing(t, server)
				})
			})
		}
	}
}

// The answer to the last request is lost: what it has done is looked at, and is a success.
func TestLostAnswer(t *testing.T) {
	for _, operation := range []string{"CompleteMultipartUpload", "PutObject"} {
		for _, cancelled := range []bool{false, true} {
			name := operation
			if cancelled {
				name += " when cancelled"
			}
			t.Run(name, func(t *testing.T) {
				onUploaders(t, func(t *testing.T, server *s3test.Server, open opener) {
					ctx, cancel := context.WithCancelCause(t.Context())
					defer cancel(nil)
					bucket, _ := through(t, server, func(name string, _ *http.Request, send func() (*http.Response, error)) (*http.Response, error) {
						response, err := send()
						if name != operation || err != nil {
							return response, err
						}
						_, _ = io.Copy(io.Discard, response.Body)
						_ = response.Body.Close()
						if cancelled {
							cancel(errTest)
						}
						return nil, io.ErrUnexpectedEOF
					})
					store := open(t, bucket)
					want := content(4 * partSize)
					if operation == "PutObject" {
						want = want[:1000]
					}
					err := put(ctx, store, "job/1", want)
					if cancelled {
						require.ErrorIs(t, err, errTest)
						wantNothing(t, server)
						return
					}
					require.NoError(t, err)
					wantContent(t, store, "job/1", want)
					assert.Empty(t, server.Uploads(t))
				})
			})
		}
	}
}

// If the last request fails and the blob of somebody else is there, that one is left alone.
func TestFailedCommitKeepsTheOldBlob(t *testing.T) {
	onUploaders(t, func(t *testing.T, server *s3test.Server, open opener) {
		require.NoError(t, put(t.Context(), open(t, server.OpenBucket(t)), "job/1", content(1000)))
		bucket, _ := through(t, server, func(name string, r *http.Request, send func() (*http.Response, error)) (*http.Response, error) {
			if name == "PutObject" {
				return refusal(r, http.StatusForbidden, "AccessDenied")
			}
			return send()
		})
		store := open(t, bucket)
		require.Error(t, put(t.Context(), store, "job/1", content(1000))) // even if it is the same
		wantContent(t, store, "job/1", content(1000))
		require.NoError(t, store.Delete(t.Context(), "job/1"))
	})
}

// Delete ends the Puts of the key that are under way, and of no other.
func TestDeleteUnderWay(t *testing.T) {
	onServers(t, func(t *testing.T, server *s3test.Server) {
		store := withStorage(t, server.OpenBucket(t))
		write := func(key string, meanwhile func()) error {
			return store.Put(t.Context(), key, format(), func(w io.Writer) error {
				if err := writing(content(partSize + 1))(w); err != nil {
					return err
				}
				meanwhile()
				return writing(content(2 * partSize))(w)
			})
		}
		require.NoError(t, write("job/10", func() {
			err := write("job/1", func() { assert.NoError(t, store.Delete(t.Context(), "job/1")) })
			assert.ErrorContains(t, err, `put "job/1"`) // some servers say why, others just hang up
		}))
		assert.Equal(t, []string{"job/10"}, server.Objects(t))
		assert.Empty(t, server.Uploads(t))
	})
}

// Errors say what was tried with which key, and no secret.
func TestErrors(t *testing.T) {
	server := s3test.Start(t)
	bucket, _ := through(t, server, func(string, *http.Request, func() (*http.Response, error)) (*http.Response, error) {
		return nil, io.ErrUnexpectedEOF
	})
	store := withStorage(t, bucket)
	_, errOpen := store.Open(t.Context(), "job/1")
	var errList error
	for _, err := range store.List(t.Context(), "job/") {
		errList = err
	}
	for operation, err := range map[string]error{
		`put "job/1"`: put(t.Context(), store, "job/1", nil), `open "job/1"`: errOpen,
		`abort the uploads of "job/1"`: store.Delete(t.Context(), "job/1"), `list "job/"`: errList,
	} {
		require.ErrorIs(t, err, dataexport.ErrUnavailable)
		require.ErrorContains(t, err, operation)
		assert.False(t, strings.Contains(err.Error(), server.SecretKey) || strings.Contains(err.Error(), "?"), "%v", err)
	}
}

func TestOptions(t *testing.T) {
	bucket := closing(t, memblob.OpenBucket(nil))
	_, err := s3storage.New(bucket, s3storage.Options{})
	require.ErrorIs(t, err, errors.ErrUnsupported)
	_, err = s3storage.New(nil, s3storage.Options{})
	require.ErrorIs(t, err, dataexport.ErrInvalid)
	_, err = s3storage.New(bucket, s3storage.Options{PartSize: partSize - 1})
	require.ErrorIs(t, err, dataexport.ErrInvalid)
}
