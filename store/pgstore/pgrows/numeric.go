package pgrows

import (
	"encoding/binary"
	"errors"
)

// The signs of a numeric in binary format.
const (
	numericPositive = 0x0000
	numericNegative = 0x4000
	numericSpecial  = 0xC000 // this and all above: NaN and the infinities
)

// appendNumeric appends the digits of a numeric in binary format, the same that PostgreSQL prints.
//
// The format, as numeric_send in PostgreSQL's numeric.c writes it: the number of groups, the weight of the first group as a
// power of 10,000, the sign, and the number of digits behind the point; then the groups, each four decimal digits as a
// number. All of these have 16 bits. Groups that are zero are left out at both ends.
func appendNumeric(dst, raw []byte) ([]byte, error) {
	const head = 8
	if len(raw) < head {
		return dst, errNumeric
	}
	count := int(binary.BigEndian.Uint16(raw))
	weight := int(int16(binary.BigEndian.Uint16(raw[2:]))) //nolint:gosec // two's complement
	sign := binary.BigEndian.Uint16(raw[4:])
	scale := int(binary.BigEndian.Uint16(raw[6:]))
	if sign >= numericSpecial {
		return dst, errors.New("the numeric is NaN or infinity, for which exports have no form; export null in its place, for example by NULLIF")
	}
	groups := raw[head:]
	if len(groups) != 2*count || sign != numericPositive && sign != numericNegative || scale > maxScale {
		return dst, errNumeric
	}
	for i := 0; i < len(groups); i += 2 {
		if binary.BigEndian.Uint16(groups[i:]) > 9999 {
			return dst, errNumeric
		}
	}
	if sign == numericNegative {
		dst = append(dst, '-')
	}
	dst = appendWhole(dst, groups, weight)
	if scale == 0 {
		return dst, nil
	}
	return appendFraction(append(dst, '.'), groups, weight, scale), nil
}

// maxScale is the most digits that a numeric can have behind the point.
const maxScale = 0x3FFF

var errNumeric = errors.New("the numeric is not as PostgreSQL writes numerics")

// group returns the group with that index, which is zero where groups are left out.
func group(groups []byte, index int) uint16 {
	if index < 0 || 2*index >= len(groups) {
		return 0
	}
	return binary.BigEndian.Uint16(groups[2*index:])
}

// appendWhole appends the digits before the point, without zeros in front.
func appendWhole(dst, groups []byte, weight int) []byte {
	start := len(dst)
	for i := 0; i <= weight; i++ {
		digits := fourDigits(group(groups, i))
		skip := 0
		for len(dst) == start && skip < 4 && digits[skip] == '0' {
			skip++
		}
		dst = append(dst, digits[skip:]...)
	}
	if len(dst) == start {
		dst = append(dst, '0')
	}
	return dst
}

// appendFraction appends as many digits behind the point as scale says.
func appendFraction(dst, groups []byte, weight, scale int) []byte {
	for i := weight + 1; scale > 0; i++ {
		digits := fourDigits(group(groups, i))
		n := min(scale, 4)
		dst = append(dst, digits[:n]...)
		scale -= n
	}
	return dst
}

func fourDigits(n uint16) [4]byte {
	return [4]byte{'0' + byte(n/1000), '0' + byte(n/100%10), '0' + byte(n/10%10), '0' + byte(n%10)}
}
