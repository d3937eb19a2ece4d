package compressblob_test

import (
	"bytes"
	"io"
	"testing"
	"testing/iotest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dataexport/dataexport"
	"github.com/dataexport/dataexport/store/compressblob"
	"github.com/dataexport/dataexport/store/memblob"
)

func TestReader(t *testing.T) {
	for _, coding := range codings {
		content := lines(3*4096+17, 1)
		s := newStore(t, memblob.New(), smallChunks(coding))
		put(t, s, "job/1", content)
		require.NoError(t, iotest.TestReader(open(t, s, "job/1"), content))
	}
}

func TestSeekBeyond(t *testing.T) {
	s := newStore(t, memblob.New(), compressblob.Options{})
	put(t, s, "job/1", []byte("content"))
	b := open(t, s, "job/1")
	position, err := b.Seek(100, io.SeekEnd)
	require.NoError(t, err)
	assert.EqualValues(t, 107, position)
	_, err = b.Read(make([]byte, 1))
	assert.Equal(t, io.EOF, err)
	_, err = b.Seek(-1, io.SeekStart)
	require.ErrorIs(t, err, dataexport.ErrInvalid)
	_, err = b.Seek(0, 9)
	require.ErrorIs(t, err, dataexport.ErrInvalid)
	require.NoError(t, b.Close())
	_, err = b.Read(make([]byte, 1))
	require.Error(t, err)
	_, err = b.Seek(0, io.SeekStart)
	require.Error(t, err)
}

// FuzzSeek does what a script says, three bytes a step, with a blob and with a reader of the plain content.
func FuzzSeek(f *testing.F) {
	content := append(lines(40_000, 1), noise(20_001, 1)...)
	s := [2]*compressblob.Store{}
	for i, coding := range codings {
		s[i] = newStore(f, memblob.New(), smallChunks(coding))
		put(f, s[i], "job/1", content)
	}
	f.Add([]byte{0, 0, 0, 3, 255, 255, 1, 10, 1, 3, 1, 0, 2, 0, 0, 3, 1, 1})
	f.Add([]byte{3, 16, 0, 3, 16, 0, 0, 31, 255, 3, 0, 1, 3, 0, 1})
	f.Fuzz(func(t *testing.T, script []byte) {
		for _, s := range s {
			got, want := open(t, s, "job/1"), bytes.NewReader(content)
			for step := script; len(step) >= 3; step = step[3:] {
				n := int(step[1])<<8 | int(step[2])
				if whence := int(step[0] % 4); whence < 3 {
					offset := int64(n)
					if step[0]&4 != 0 {
						offset = -offset
					}
					gotPosition, gotErr := got.Seek(offset, whence)
					wantPosition, wantErr := want.Seek(offset, whence)
					require.Equal(t, wantErr == nil, gotErr == nil)
					require.Equal(t, wantPosition, gotPosition)
					continue
				}
				gotBytes, gotErr := io.ReadAll(io.LimitReader(got, int64(n)))
				wantBytes, wantErr := io.ReadAll(io.LimitReader(want, int64(n)))
				require.Equal(t, wantErr, gotErr)
				require.True(t, bytes.Equal(wantBytes, gotBytes))
			}
		}
	})
}
