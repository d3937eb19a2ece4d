package scalar

import (
	"math"
	"strconv"
)

// AppendFloat appends the shortest decimal number that reads back as f, which must be finite. Like encoding/json it uses
// an exponent only below 1e-6 and from 1e21 on, as ECMAScript prints numbers (ECMA-262, Number::toString).
func AppendFloat(dst []byte, f float64) []byte {
	if size := math.Abs(f); size == 0 || size >= 1e-6 && size < 1e21 {
		return strconv.AppendFloat(dst, f, 'f', -1, 64)
	}
	dst = strconv.AppendFloat(dst, f, 'e', -1, 64)
	// strconv writes at least two digits of exponent, and ECMAScript does not.
	if n := len(dst); n >= 4 && dst[n-4] == 'e' && dst[n-3] == '-' && dst[n-2] == '0' {
		dst[n-2] = dst[n-1]
		dst = dst[:n-1]
	}
	return dst
}

// AppendInt appends an integer in decimal digits, as strconv.AppendInt does. Those of one to three digits, which most numbers
// of a record are, come from a table: how many digits the next one has is what a processor cannot foresee.
func AppendInt(dst []byte, i int64) []byte {
	if uint64(i) >= uint64(len(smallInts)) {
		return strconv.AppendInt(dst, i, 10)
	}
	small := &smallInts[i]
	dst = append(dst, small.digits[:]...)
	return dst[:len(dst)-len(small.digits)+int(small.length)]
}

type smallInt struct {
	digits [3]byte
	length uint8
}

var smallInts = func() (all [1000]smallInt) {
	for i := range all {
		all[i].length = uint8(copy(all[i].digits[:], strconv.Itoa(i))) //nolint:gosec // at most 3
	}
	return all
}()
