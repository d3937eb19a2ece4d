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
