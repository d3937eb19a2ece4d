// Package swar looks at texts eight bytes at a time: SIMD within a register. A word holds eight bytes, the first one in
// its lowest bits. A mask has 0x80 in each byte that was found and 0 in the others.
//
// Mask functions here and elsewhere subtract from all bytes at once, and a subtraction may borrow from the byte above. So
// the lowest byte that is marked is marked rightly, and those above it need not be; a mask is zero only if no byte is found.
package swar

import "math/bits"

// Constants to be combined with a word.
const (
	EachByte = 0x0101010101010101 // times a byte: that byte in all eight places
	HighBits = 0x80 * EachByte    // the highest bit of each byte
)

// Load returns the eight bytes of s from index i on. The compiler makes one instruction of it.
func Load(s string, i int) uint64 {
	s = s[i : i+8]
	return uint64(s[0]) | uint64(s[1])<<8 | uint64(s[2])<<16 | uint64(s[3])<<24 |
		uint64(s[4])<<32 | uint64(s[5])<<40 | uint64(s[6])<<48 | uint64(s[7])<<56
}

// Store writes a word to the eight bytes of b from index i on. The compiler makes one instruction of it.
func Store(b []byte, i int, word uint64) {
	b = b[i : i+8]
	b[0], b[1], b[2], b[3] = byte(word), byte(word>>8), byte(word>>16), byte(word>>24)
	b[4], b[5], b[6], b[7] = byte(word>>32), byte(word>>40), byte(word>>48), byte(word>>56)
}

// Load4 returns the four bytes of s from index i on, the first in the lowest bits.
func Load4(s string, i int) uint32 {
	s = s[i : i+4]
	return uint32(s[0]) | uint32(s[1])<<8 | uint32(s[2])<<16 | uint32(s[3])<<24
}

// Store4 writes four bytes to b from index i on.
func Store4(b []byte, i int, bytes uint32) {
	b = b[i : i+4]
	b[0], b[1], b[2], b[3] = byte(bytes), byte(bytes>>8), byte(bytes>>16), byte(bytes>>24)
}

// First returns the place of the lowest byte that a mask marks, or 8 for a mask of zero.
func First(mask uint64) int { return bits.TrailingZeros64(mask) / 8 }
