package compressblob

import "bytes"

// The empty blocks are how bytes are hidden in a deflate stream (RFC 1951), which decodes as if they were not there. A
// digit is 0 to 3 blocks with the fixed codes, of ten bits each (not final, type 1, end of block), and a stored block, which
// fills the byte and has the length 0. Everything is aligned to bytes and each digit has one form only.

const digitsOfByte = 4 // of 2 bits, the lowest first

// digit returns the blocks of a digit.
func digit(value byte) string {
	switch value {
	case 0:
		return "\x00\x00\x00\xff\xff"
	case 1:
		return "\x02\x00\x00\x00\xff\xff"
	case 2:
		return "\x02\x08\x00\x00\x00\xff\xff"
	default:
		return "\x02\x08\x20\x00\x00\x00\x00\xff\xff"
	}
}

const (
	minDigit = 5 // bytes
	maxDigit = 9
)

// digitEnd is what all digits end with and have nowhere else. It is the end of a stored block, so chunks end with it too.
const digitEnd = "\xff\xff"

// appendEmptyBlocks appends the blocks that hide data.
func appendEmptyBlocks(dst, data []byte) []byte {
	for _, b := range data {
		for range digitsOfByte {
			dst = append(dst, digit(b&3)...)
			b >>= 2
		}
	}
	return dst
}

// readEmptyBlocks fills data with what the blocks hide, and reports whether they are the blocks of precisely that.
func readEmptyBlocks(data, blocks []byte) bool {
	for i := range data {
		data[i] = 0
		for shift := 0; shift < 2*digitsOfByte; shift += 2 {
			value, length := readDigit(blocks)
			if length == 0 {
				return false
			}
			data[i] |= value << shift
			blocks = blocks[length:]
		}
	}
	return len(blocks) == 0
}

// readDigit returns the digit that the blocks begin with and its length, which is 0 if there is none.
func readDigit(blocks []byte) (value byte, length int) {
	for value := range byte(4) {
		if d := digit(value); len(blocks) >= len(d) && string(blocks[:len(d)]) == d {
			return value, len(d)
		}
	}
	return 0, 0
}

// lastDigits returns where the last n digits in the blocks begin, or -1 if there are fewer.
func lastDigits(blocks []byte, n int) int {
	end := len(blocks)
	for range n {
		if end < minDigit {
			return -1
		}
		previous := bytes.LastIndex(blocks[:end-len(digitEnd)], []byte(digitEnd))
		if previous < 0 {
			return -1
		}
		end = previous + len(digitEnd)
	}
	return end
}
