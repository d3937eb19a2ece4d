package sqlitestore

import (
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestTimesAsTheyAreStored(t *testing.T) {
	for _, at := range []time.Time{
		{}, time.Unix(0, 1).UTC(), time.Date(2026, 1, 15, 10, 30, 0, 123_456_789, time.UTC), time.Unix(0, math.MaxInt64).UTC(),
	} {
		require.Equal(t, at, instant(nanoseconds(at)))
	}
	// Later than what fits is the last instant that does, and not long ago.
	require.Equal(t, int64(math.MaxInt64), nanoseconds(time.Date(2300, 1, 1, 0, 0, 0, 0, time.UTC)))
}
