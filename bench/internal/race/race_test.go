package race

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// A round goes the other way around than the one before it, and what warms up does not count.
func TestRun(t *testing.T) {
	for _, test := range []struct {
		name   string
		effort Effort
		order  string
	}{
		{"all warm up", Effort{Least: 2, Most: 2}, "ab ba ab"},
		{"one warms up", Effort{Least: 2, Most: 2, OneWarmsUp: true}, "a ba ab"},
		{"as many rounds as there is time for", Effort{Least: 1, Most: 9, Time: -1}, "ab ba"},
		{"never more rounds than the most", Effort{Least: 1, Most: 3, Time: time.Hour}, "ab ba ab ba"},
	} {
		t.Run(test.name, func(t *testing.T) {
			var order []byte
			side := func(name string) Side {
				return Side{Name: name, Run: func(context.Context) (Sample, error) {
					order = append(order, name...)
					return Sample{Time: time.Second, Bytes: int64(len(order))}, nil
				}}
			}
			r := Race{Sides: []Side{side("a"), side("b")}}
			result, err := r.Run(t.Context(), test.effort)
			require.NoError(t, err)
			assert.Equal(t, strings.ReplaceAll(test.order, " ", ""), string(order))
			rounds := len(strings.Fields(test.order)) - 1
			assert.Len(t, result.Samples["a"], rounds)
			assert.Len(t, result.Samples["b"], rounds)
		})
	}
}
