package dataexport_test

import (
	"strings"
	"testing"
	"unicode"

	"github.com/stretchr/testify/assert"

	"github.com/dataexport/dataexport"
)

func TestValidBlobKey(t *testing.T) {
	for _, key := range []string{
		"a", "Z9", "0190f2b4-5c3a-7d11-8a52-3f4b5c6d7e8f/3", "a/b/c/d", "...", "..a", "a..", ".hidden", "-", "_", "con",
		strings.Repeat("k", 200), strings.Repeat("k/", 99) + "kk",
	} {
		assert.True(t, dataexport.ValidBlobKey(key), "%q", key)
	}
	for _, key := range []string{
		"", "/", "/a", "a/", "a//b", ".", "..", "../a", "a/..", "a/../b", "a/./b", `a\b`, "a b", "a\x00", "a\n", "a+b",
		"a~", "a:b", "a%2fb", "é", "a\u2215b", "\xff", "a*", strings.Repeat("k", 201), strings.Repeat("k/", 100) + "k",
	} {
		assert.False(t, dataexport.ValidBlobKey(key), "%q", key)
	}
}

// A key of one byte is valid for exactly the bytes that the contract names.
func TestValidBlobKeyBytes(t *testing.T) {
	for b := range 256 {
		char := rune(b)
		want := char < unicode.MaxASCII && (unicode.IsLetter(char) || unicode.IsDigit(char) || strings.ContainsRune("_-", char))
		assert.Equal(t, want, dataexport.ValidBlobKey(string([]byte{byte(b)})), "%#x", b)
		assert.Equal(t, want || b == '.' || b == '/', dataexport.ValidBlobKey("a"+string([]byte{byte(b)})+"a"), "%#x", b)
	}
}
