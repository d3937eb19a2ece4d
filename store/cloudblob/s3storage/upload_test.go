package s3storage

import (
	"bytes"
	"math/rand/v2"
	"testing"
	"testing/iotest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
	"gocloud.dev/blob"

	"github.com/dataexport/dataexport"
	"github.com/dataexport/dataexport/store/cloudblob/s3test"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func content(n int) []byte {
	b := make([]byte, n)
	_, _ = rand.NewChaCha8([32]byte{2}).Read(b) // it never fails
	return b
}

func TestBuffer(t *testing.T) {
	var b buffer
	for _, size := range []int{0, 1, pieceSize - 1, pieceSize, pieceSize + 1, 3*pieceSize + 17} {
		want := content(size)
		for rest := want; len(rest) > 0; {
			n := min(len(rest), 99_991)
			b.write(rest[:n])
			rest = rest[n:]
		}
		require.NoError(t, iotest.TestReader(b.reader(), want), size)
		b.reset()
	}
	assert.Len(t, b.pieces, 4, "the pieces serve again")
}

// A file that has no room in all the parts that S3 takes is refused with what to do, and nothing of it stays.
func TestTooManyParts(t *testing.T) {
	server := s3test.Start(t)
	storage, err := New(server.OpenBucket(t), Options{})
	require.NoError(t, err)
	storage.partSize, storage.maxParts = 1000, 3
	for size, fits := range map[int]bool{1000: true, 3000: true, 3001: false, 9000: false} {
		u, err := storage.NewUpload(t.Context(), "job/1", &blob.WriterOptions{})
		require.NoError(t, err)
		_, err = u.Write(content(size))
		if err == nil {
			err = u.Commit()
		}
		if fits {
			require.NoError(t, err, size)
			got, err := storage.bucket.ReadAll(t.Context(), "job/1")
			require.NoError(t, err)
			assert.True(t, bytes.Equal(content(size), got))
			require.NoError(t, storage.bucket.Delete(t.Context(), "job/1"))
		} else {
			require.ErrorIs(t, err, dataexport.ErrLimitExceeded, size)
			require.ErrorContains(t, err, "PartSize")
		}
		require.NoError(t, u.Abort())
		assert.Empty(t, server.Uploads(t))
		assert.Empty(t, server.Objects(t))
	}
}

// The default lets a file of 100 GiB have its place.
func TestDefaultPartSize(t *testing.T) {
	storage, err := New(s3test.Start(t).OpenBucket(t), Options{})
	require.NoError(t, err)
	assert.Greater(t, int64(storage.partSize)*int64(storage.maxParts), int64(100)<<30)
}

// The driver escapes the '/' of "../", which a key may well contain.
func TestNames(t *testing.T) {
	server := s3test.Start(t)
	bucket := blob.PrefixedBucket(server.OpenBucket(t), "p/")
	storage, err := New(bucket, Options{})
	require.NoError(t, err)
	_, name, err := storage.locate(t.Context(), "a../b")
	require.NoError(t, err)
	assert.Equal(t, "p/a..__0x2f__b", name)
	assert.Equal(t, "a../b", storage.key(name))
	assert.Equal(t, "p/", storage.prefix)
	assert.Equal(t, server.Bucket, storage.name)
	require.NoError(t, bucket.Close())
}
