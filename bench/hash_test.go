package main

import (
	"bytes"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dataexport/dataexport/bench/internal/program"
	"github.com/dataexport/dataexport/bench/internal/records"
	"github.com/dataexport/dataexport/render"
)

// What is measured without SHA-256 writes the same file.
func TestExportUnhashed(t *testing.T) {
	data := datasetOf(records.NewHotList(records.Dirty, 3000)) // several chunks of it
	var hashed, unhashed bytes.Buffer
	n, err := export(t.Context(), &hashed, data, render.JSON())
	require.NoError(t, err)
	m, err := program.ExportUnhashed(t.Context(), &unhashed, data, render.JSON(), everything())
	require.NoError(t, err)
	assert.Equal(t, n, m)
	assert.Equal(t, hashed.String(), unhashed.String())
}
