package dataexport

import (
	"errors"
	"fmt"
	"iter"
	"math/rand/v2"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// borrowed yields rows of all kinds from memory that it writes over each time, as a driver does, and returns what they are.
func borrowed(n int) (rows iter.Seq2[Row, error], want []Row) {
	random := rand.New(rand.NewPCG(1, 2))
	text := func() string { return strings.Repeat("é", random.IntN(40)) + fmt.Sprint(random.Uint64()) }
	for range n {
		id := [16]byte{byte(random.Uint32())}
		row := Row{
			{}, StringValue(text()), StringValue(""), IntValue(random.Int64()), FloatValue(random.Float64()), BoolValue(random.IntN(2) == 1),
			UnixValue(random.Int64N(1<<32), random.Uint32N(1e9)), JSONValue([]byte("{}")), TrustedJSONValue([]byte("[1]")),
			StringsValue([]string{text(), "", text()}), StringsValue([]string{}), UUIDValue(&id), DecimalValue("19.90"),
		}
		want = append(want, row[:len(row)-random.IntN(3)])
	}
	return func(yield func(Row, error) bool) {
		buffer, id, list := make([]byte, 1<<10), new([16]byte), make([]string, 3)
		for _, row := range want {
			used := 0
			lend := func(s string) []byte {
				n := copy(buffer[used:], s)
				used += n
				return buffer[used-n : used : used]
			}
			lent := make(Row, len(row))
			for i, v := range row {
				switch v.Kind() {
				case KindString:
					v = BytesValue(lend(v.Text()))
				case KindDecimal:
					v = DecimalValue(BytesValue(lend(v.Text())).Text())
				case KindJSON:
					if v.Trusted() {
						v = TrustedJSONValue(lend(v.Text()))
					} else {
						v = JSONValue(lend(v.Text()))
					}
				case KindUUID:
					*id = *v.UUID()
					v = UUIDValue(id)
				case KindStrings:
					lentList := list[:copy(list, v.Strings())]
					for j, s := range lentList {
						lentList[j] = BytesValue(lend(s)).Text()
					}
					v = StringsValue(lentList)
				}
				lent[i] = v
			}
			goOn := yield(lent, nil)
			clear(buffer)
			clear(lent)
			clear(list)
			*id = [16]byte{}
			if !goOn {
				return
			}
		}
	}, want
}

func TestReadAhead(t *testing.T) {
	for _, n := range []int{0, 1, batchRows - 1, batchRows, batchRows + 1, 20 * batchRows} {
		rows, want := borrowed(n)
		i := 0
		for row, err := range ReadAhead(rows) {
			require.NoError(t, err)
			require.Equal(t, describe(want[i]), describe(row), "row %d of %d", i, n)
			i++
		}
		assert.Equal(t, n, i)
	}
}

// describe returns the values of a row as text.
func describe(row Row) string {
	var b strings.Builder
	for _, v := range row {
		fmt.Fprintf(&b, "%s %v ", v.Kind(), v.IsNull())
		switch v.Kind() {
		case KindString, KindJSON, KindDecimal:
			fmt.Fprintf(&b, "%q %v", v.Text(), v.Kind() == KindJSON && v.Trusted())
		case KindStrings:
			fmt.Fprintf(&b, "%q", v.Strings())
		case KindUUID:
			fmt.Fprintf(&b, "%x", *v.UUID())
		case KindTime:
			b.WriteString(v.Time().String())
		default:
			fmt.Fprint(&b, v.bits)
		}
		b.WriteByte('\n')
	}
	return b.String()
}

// Rows larger than a batch, and lists that outgrow it in their middle, are as any others.
func TestReadAheadOfLargeRows(t *testing.T) {
	large := func(i int) string { return strings.Repeat(fmt.Sprint(i), batchBytes*(1+i%5)) }
	i := 0
	for row, err := range ReadAhead(func(yield func(Row, error) bool) {
		for i := range 40 {
			if !yield(Row{StringsValue([]string{"a", large(i), "b", large(i + 1)}), StringValue(large(i))}, nil) {
				return
			}
		}
	}) {
		require.NoError(t, err)
		require.True(t, row[0].Strings()[0] == "a" && row[0].Strings()[1] == large(i) && row[0].Strings()[2] == "b" &&
			row[0].Strings()[3] == large(i+1) && row[1].Text() == large(i), "row %d", i)
		i++
	}
	assert.Equal(t, 40, i)
}

var errOfSource = errors.New("the disk is gone")

func TestReadAheadPassesErrorsOn(t *testing.T) {
	rows := func(end func(yield func(Row, error) bool)) iter.Seq2[Row, error] {
		return func(yield func(Row, error) bool) {
			for i := range 300 {
				if !yield(Row{IntValue(int64(i))}, nil) {
					return
				}
			}
			end(yield)
		}
	}
	for name, test := range map[string]struct {
		end  func(yield func(Row, error) bool)
		want string
	}{
		"an error":       {func(yield func(Row, error) bool) { yield(nil, errOfSource) }, "the disk is gone"},
		"a panic":        {func(func(Row, error) bool) { panic("no such column") }, "no such column"},
		"runtime.Goexit": {func(func(Row, error) bool) { runtime.Goexit() }, "has ended its goroutine"},
	} {
		t.Run(name, func(t *testing.T) {
			n := 0
			var last error
			for _, err := range ReadAhead(rows(test.end)) {
				if last = err; err == nil {
					n++
				}
			}
			assert.Equal(t, 300, n)
			assert.ErrorContains(t, last, test.want)
		})
	}
	t.Run("and goes on after it, if both do", func(t *testing.T) {
		var got []string
		for row, err := range ReadAhead(func(yield func(Row, error) bool) {
			_ = yield(Row{StringValue("a")}, nil) && yield(nil, errOfSource) && yield(Row{StringValue("b")}, nil)
		}) {
			if err != nil {
				got = append(got, err.Error())
			} else {
				got = append(got, row[0].Text())
			}
		}
		assert.Equal(t, []string{"a", errOfSource.Error(), "b"}, got)
	})
}

// The bubble fails if a goroutine is left.
func TestReadAheadCanBeLeft(t *testing.T) {
	for _, after := range []int{1, batchRows, 3*batchRows + 1} {
		synctest.Test(t, func(t *testing.T) {
			read, left := 0, false
			n := 0
			for _, err := range ReadAhead(func(yield func(Row, error) bool) {
				defer func() { left = true }()
				for yield(Row{IntValue(1)}, nil) {
					read++
				}
			}) {
				require.NoError(t, err)
				if n++; n == after {
					break
				}
			}
			assert.True(t, left, "the source was told, and has ended before the loop")
			assert.LessOrEqual(t, read, after+(batchCount+1)*batchRows)
		})
	}
}

// A source that is slow is told at its next row that nobody wants more.
func TestReadAheadOfASlowSourceCanBeLeft(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		read := 0
		for _, err := range ReadAhead(func(yield func(Row, error) bool) {
			for time.Sleep(time.Minute); yield(Row{IntValue(1)}, nil); time.Sleep(time.Minute) {
				read++
			}
		}) {
			require.NoError(t, err)
			break
		}
		assert.LessOrEqual(t, read, 1)
	})
}

// Rows that come seldom are not kept back until there are many: whoever watches the progress would take the source for stuck.
func TestReadAheadOfASlowSource(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		begin, i := time.Now(), 0
		for _, err := range ReadAhead(func(yield func(Row, error) bool) {
			for i := range 20 {
				time.Sleep(time.Minute)
				if !yield(Row{IntValue(int64(i))}, nil) {
					return
				}
			}
		}) {
			require.NoError(t, err)
			i++
			assert.LessOrEqual(t, time.Since(begin), time.Duration(i)*time.Minute)
		}
		assert.Equal(t, 20, i)
	})
}

func TestReadAheadAllocatesNothingForARow(t *testing.T) {
	row := Row{StringValue("some text"), StringsValue([]string{"a", "b"}), IntValue(1)}
	allocations := func(rows int) float64 {
		return testing.AllocsPerRun(5, func() {
			for _, err := range ReadAhead(func(yield func(Row, error) bool) {
				for range rows {
					yield(row, nil)
				}
			}) {
				require.NoError(t, err)
			}
		})
	}
	few, many := allocations(20*batchRows), allocations(200*batchRows)
	assert.Less(t, many-few, 50.0, "for 46,080 rows more")
}

// One very large record must not make a batch keep its memory for all that come after it.
func TestBatchGivesLargeMemoryBack(t *testing.T) {
	for name, row := range map[string]Row{
		"text":  {StringValue(strings.Repeat("x", 5*batchBytes))},
		"items": {StringsValue(make([]string, 5*batchItems))},
	} {
		t.Run(name, func(t *testing.T) {
			var b batch
			b.add(Row{StringValue("usual"), StringsValue([]string{"a"})})
			b.reset()
			require.NotZero(t, cap(b.text))
			require.NotZero(t, cap(b.lists))
			b.add(row)
			b.reset()
			require.Zero(t, cap(b.text))
			require.Zero(t, cap(b.lists))
		})
	}
}
