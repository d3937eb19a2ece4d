package scalar

import (
	"encoding/json"
	"math"
	"math/rand/v2"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// formatTime is the plain twin of Times.Append.
func formatTime(seconds int64, nanoseconds uint32) (string, bool) {
	t := time.Unix(seconds, int64(nanoseconds)).UTC()
	if t.Year() < 0 || t.Year() > 9999 || nanoseconds > 999_999_999 {
		return "", false
	}
	text := strings.TrimRight(t.Format("2006-01-02T15:04:05.000000000"), "0")
	for len(text) < len("2006-01-02T15:04:05.000") {
		text += "0"
	}
	return text + "Z", true
}

func checkTime(t *testing.T, times *Times, seconds int64, nanoseconds uint32) {
	t.Helper()
	want, wantOK := formatTime(seconds, nanoseconds)
	got, ok := times.Append([]byte("x"), seconds, nanoseconds)
	if ok != wantOK || string(got) != "x"+want {
		t.Fatalf("%d s %d ns: got %q %v, want %q %v", seconds, nanoseconds, got, ok, "x"+want, wantOK)
	}
}

func TestTimesEdges(t *testing.T) {
	first := time.Date(0, 1, 1, 0, 0, 0, 0, time.UTC).Unix()
	last := time.Date(9999, 12, 31, 23, 59, 59, 0, time.UTC).Unix()
	for _, seconds := range []int64{
		0, 1, -1, 86399, 86400, -86400, -86401, first, first - 1, last, last + 1, math.MinInt64, math.MaxInt64,
		time.Date(2000, 2, 29, 12, 0, 0, 0, time.UTC).Unix(), time.Date(1900, 2, 28, 23, 59, 59, 0, time.UTC).Unix(),
	} {
		for _, nanoseconds := range []uint32{0, 1, 10, 100, 1000, 999_999, 1_000_000, 120_000_000, 123_456_000, 999_999_999} {
			var times Times
			checkTime(t, &times, seconds, nanoseconds)
		}
	}
	_, ok := new(Times).Append(nil, 0, 1_000_000_000)
	assert.False(t, ok)
}

func TestTimesEveryDay(t *testing.T) {
	var times Times
	for day := int64(minDay - 1); day <= maxDay+1; day += 1 {
		if day%97 != 0 && day > minDay+1500 && day < maxDay-1500 {
			continue // a step of 97 days visits each day of the year, in leap years and others
		}
		want, wantOK := formatTime(day*secondsPerDay, 0)
		got, ok := times.Append(nil, day*secondsPerDay, 0)
		if string(got) != want || ok != wantOK {
			t.Fatalf("day %d: got %q %v, want %q %v", day, got, ok, want, wantOK)
		}
	}
}

func TestTimesRandom(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	var times Times
	for range 20_000 {
		checkTime(t, &times, random.Int64N(400_000_000_000)-100_000_000_000, uint32(random.Uint64N(1_000_000_001)))
	}
}

func FuzzTimes(f *testing.F) {
	f.Add(int64(0), uint32(0))
	f.Add(int64(-62167219200), uint32(1))
	f.Add(int64(253402300799), uint32(999_999_999))
	f.Fuzz(func(t *testing.T, seconds int64, nanoseconds uint32) {
		var times Times
		checkTime(t, &times, seconds, nanoseconds)
		checkTime(t, &times, seconds, nanoseconds)
	})
}

func TestAppendFloat(t *testing.T) {
	check := func(f float64) {
		want, err := json.Marshal(f)
		require.NoError(t, err)
		require.Equal(t, string(want), string(AppendFloat(nil, f)))
	}
	for _, f := range []float64{
		0, math.Copysign(0, -1), 1, -1.5, 0.1, 1e-6, 9.99e-7, 1e-10, 1e20, 1e21, -1e21, 1e100, 1e-100, 1e9, 123456789.123,
		math.MaxFloat64, math.SmallestNonzeroFloat64, 1 << 53,
	} {
		check(f)
	}
	random := rand.New(rand.NewPCG(3, 4))
	for range 10_000 {
		if f := math.Float64frombits(random.Uint64()); !math.IsNaN(f) && !math.IsInf(f, 0) {
			check(f)
		}
	}
}

func TestAppendUUID(t *testing.T) {
	random := rand.New(rand.NewPCG(5, 6))
	for range 100 {
		var id uuid.UUID
		for i := range id {
			id[i] = byte(random.Uint32())
		}
		require.Equal(t, "x"+id.String(), string(AppendUUID([]byte("x"), (*[16]byte)(&id))))
	}
}

func TestNoAllocation(t *testing.T) {
	buffer := make([]byte, 0, 256)
	var times Times
	id := [16]byte{1, 2, 3}
	seconds := int64(0)
	assert.Zero(t, testing.AllocsPerRun(100, func() {
		seconds += 86400
		text, _ := times.Append(buffer, seconds, 123_456_789)
		text = AppendFloat(text, 1e-9*float64(seconds))
		_ = AppendUUID(text, &id)
	}))
}

func BenchmarkTimes(b *testing.B) {
	b.Run("same day", func(b *testing.B) {
		var times Times
		buffer := make([]byte, 0, 64)
		for i := range b.N {
			buffer, _ = times.Append(buffer[:0], 1768473000+int64(i%1000), 123_000_000)
		}
	})
	b.Run("another day", func(b *testing.B) {
		var times Times
		buffer := make([]byte, 0, 64)
		for i := range b.N {
			buffer, _ = times.Append(buffer[:0], 1768473000+86400*int64(i%1000), 123_000_000)
		}
	})
	b.Run("time.Format", func(b *testing.B) {
		buffer := make([]byte, 0, 64)
		for i := range b.N {
			t := time.Unix(1768473000+int64(i%1000), 123_000_000).UTC()
			buffer = t.AppendFormat(buffer[:0], "2006-01-02T15:04:05.000Z07:00")
		}
	})
}

func TestAppendInt(t *testing.T) {
	check := func(i int64) {
		t.Helper()
		for _, dst := range [][]byte{[]byte("x"), append(make([]byte, 0, 64), 'x')} {
			require.Equal(t, "x"+strconv.FormatInt(i, 10), string(AppendInt(dst, i)))
		}
	}
	for i := int64(-2000); i <= 2000; i++ {
		check(i)
	}
	for _, i := range []int64{math.MinInt64, math.MaxInt64, 1 << 32, -1 << 32} {
		check(i)
	}
}
