package database

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/dataexport/dataexport/memory"
)

func TestColumnsAreThoseOfTheDataset(t *testing.T) {
	var names []string
	for _, column := range memory.Info().Collections[0].Columns {
		names = append(names, column.Name)
	}
	assert.Equal(t, strings.Join(names, ", "), Columns)
	assert.Equal(t, "id", names[ColumnID])
	assert.Equal(t, "created_at", names[ColumnCreatedAt])
}
