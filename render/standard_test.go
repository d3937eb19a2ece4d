package render

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dataexport/dataexport"
	"github.com/dataexport/dataexport/memory"
	"github.com/dataexport/dataexport/render/rendertest"
)

func TestStandard(t *testing.T) {
	var formats []dataexport.Format
	for _, r := range Standard() {
		formats = append(formats, r.Format())
		require.NoError(t, r.Check(memory.Info()))
	}
	assert.Equal(t, []dataexport.Format{
		{Name: "json", MediaType: "application/json", Extension: "json"},
		{Name: "csv", MediaType: "text/csv", Extension: "csv"},
		{Name: "markdown", MediaType: "text/markdown", Extension: "md"},
	}, formats)
}

func TestStandardConformance(t *testing.T) {
	for _, r := range Standard() {
		t.Run(r.Format().Name, func(t *testing.T) { rendertest.Run(t, r, rendertest.Options{}) })
	}
}
