package dataexport

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"io"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestPipelinePassesOnEveryByte(t *testing.T) {
	for _, piece := range []int{1, 1000, chunkSize - 1, chunkSize, chunkSize + 1, 3*chunkSize + 7} {
		synctest.Test(t, func(t *testing.T) {
			var want, got bytes.Buffer
			p := newPipeline(&got, 0)
			defer p.stop()
			pieces := 5
			if piece == 1 {
				pieces = chunkSize + 1
			}
			for i := range pieces {
				b := bytes.Repeat([]byte{byte(i)}, piece)
				want.Write(b)
				n, err := p.Write(b)
				require.NoError(t, err)
				require.Equal(t, piece, n)
				clear(b) // the pipeline must have copied it
			}
			require.NoError(t, p.finish())
			assert.True(t, bytes.Equal(want.Bytes(), got.Bytes()))
			assert.EqualValues(t, want.Len(), p.size)
			sum := sha256.Sum256(want.Bytes())
			assert.Equal(t, sum[:], p.sum.Sum(nil))
		})
	}
}

// broken is a writer that fails, or gives up half-way, or panics, at its nth call.
type broken struct {
	calls int
	fail  func([]byte) (int, error)
}

func (b *broken) Write(p []byte) (int, error) {
	if b.calls--; b.calls < 0 {
		return b.fail(p)
	}
	return len(p), nil
}

func TestPipelineReportsAWriterThatFails(t *testing.T) {
	errDisk := errors.New("disk full")
	failures := map[string]struct {
		fail func([]byte) (int, error)
		want string
	}{
		"error":       {func([]byte) (int, error) { return 0, errDisk }, "disk full"},
		"short write": {func(p []byte) (int, error) { return len(p) - 1, nil }, io.ErrShortWrite.Error()},
		"panic":       {func([]byte) (int, error) { panic("bug") }, "panic: bug"},
	}
	for name, failure := range failures {
		for _, calls := range []int{0, 1, 4} {
			t.Run(name, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) { // which also finds a goroutine that is left
					p := newPipeline(&broken{calls: calls, fail: failure.fail}, 0)
					defer p.stop()
					var err error
					for i := 0; err == nil && i < 20; i++ {
						_, err = p.Write(make([]byte, chunkSize/2))
					}
					if err == nil {
						err = p.finish()
					}
					assert.ErrorContains(t, err, failure.want)
				})
			})
		}
	}
}

func TestPipelineFailsAtTheLastChunkToo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPipeline(&broken{fail: func([]byte) (int, error) { return 0, io.ErrClosedPipe }}, 0)
		defer p.stop()
		_, err := p.Write([]byte("short"))
		require.NoError(t, err)
		assert.ErrorIs(t, p.finish(), io.ErrClosedPipe)
	})
}

func TestPipelineRefusesWhatIsPastItsLimit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var got bytes.Buffer
		p := newPipeline(&got, 10)
		defer p.stop()
		_, err := p.Write(make([]byte, 10))
		require.NoError(t, err, "the limit itself is allowed")
		_, err = p.Write(make([]byte, 1))
		assert.ErrorIs(t, err, ErrLimitExceeded)
	})
}
