package render

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestPrefix(t *testing.T) {
	for length := range 2*prefixSize + 2 {
		text := strings.Repeat("0123456789", 7)[:length]
		p := newPrefix(text)
		for room := range 2*prefixSize + 2 {
			dst := append(make([]byte, 0, len("before")+room), "before"...)
			require.Equal(t, "before"+text, string(p.append(dst)), "%d bytes in a room of %d", length, room)
		}
	}
}
