package swar

import (
	"encoding/binary"
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestLoadAndStore(t *testing.T) {
	const text = "0123456789abcdef"
	for i := range len(text) - 7 {
		word := Load(text, i)
		assert.Equal(t, binary.LittleEndian.Uint64([]byte(text)[i:]), word)
		b := make([]byte, len(text))
		Store(b, i, word)
		assert.Equal(t, text[i:i+8], string(b[i:i+8]))
	}
	assert.Panics(t, func() { assert.Zero(t, Load(text, len(text)-7)) })
	assert.Panics(t, func() { Store(make([]byte, 8), 1, 0) })
}

func TestLoad4AndStore4(t *testing.T) {
	const text = "01234567"
	for i := range len(text) - 3 {
		word := Load4(text, i)
		assert.Equal(t, binary.LittleEndian.Uint32([]byte(text)[i:]), word)
		b := make([]byte, len(text))
		Store4(b, i, word)
		assert.Equal(t, text[i:i+4], string(b[i:i+4]))
	}
	assert.Panics(t, func() { assert.Zero(t, Load4(text, len(text)-3)) })
	assert.Panics(t, func() { Store4(make([]byte, 4), 1, 0) })
}

func TestFirst(t *testing.T) {
	assert.Equal(t, 8, First(0))
	for place := range 8 {
		assert.Equal(t, place, First(0x80<<(8*place)))
		assert.Equal(t, place, First(HighBits<<(8*place)))
	}
}
