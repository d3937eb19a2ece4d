package httpadapter

import (
	"io"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// A stringBlob must not be touched after it is closed.
type stringBlob struct {
	*strings.Reader
	t      *testing.T
	closed bool
}

func (b *stringBlob) Read(p []byte) (int, error) {
	require.False(b.t, b.closed)
	return b.Reader.Read(p)
}

func (b *stringBlob) Seek(offset int64, whence int) (int64, error) {
	require.False(b.t, b.closed)
	return b.Reader.Seek(offset, whence)
}

func (b *stringBlob) Close() error {
	b.closed = true
	return nil
}

// TestGuardedBlobIsLeftAloneOnceClosed holds what the goroutine of http.ServeContent needs, which may come late.
func TestGuardedBlobIsLeftAloneOnceClosed(t *testing.T) {
	b := &guardedBlob{blob: &stringBlob{Reader: strings.NewReader("text"), t: t}}
	all, err := io.ReadAll(b)
	require.NoError(t, err)
	require.Equal(t, "text", string(all))
	require.NoError(t, b.Close())
	_, err = b.Read(make([]byte, 1))
	require.ErrorIs(t, err, os.ErrClosed)
	_, err = b.Seek(0, io.SeekStart)
	require.ErrorIs(t, err, os.ErrClosed)
	require.NoError(t, b.fault(), "to come late is no fault of the file")
}
