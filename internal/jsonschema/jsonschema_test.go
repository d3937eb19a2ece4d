package jsonschema_test

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/dataexport/dataexport"
	"github.com/dataexport/dataexport/internal/jsonschema"
)

// The schema of an object with everything is held by the tests of package archive. Here is what an archive does not have.

func TestABareListIsAnArray(t *testing.T) {
	assert.JSONEq(t, `{
		"$schema": "https://json-schema.org/draft/2020-12/schema",
		"title": "notes",
		"type": "array",
		"items": {
			"type": "object", "required": ["id", "score", "done", "at", "more"], "additionalProperties": false,
			"properties": {
				"id": {"type": "integer"},
				"score": {"type": ["number", "null"]},
				"done": {"type": "boolean"},
				"at": {"type": "string", "format": "date-time"},
				"more": {}
			}
		}
	}`, string(jsonschema.Of(dataexport.Info{Name: "notes", Collections: []dataexport.Collection{{Name: "notes", Columns: []dataexport.Column{
		{Name: "id", Kind: dataexport.KindInt, Key: 1},
		{Name: "score", Kind: dataexport.KindFloat, Nullable: true},
		{Name: "done", Kind: dataexport.KindBool},
		{Name: "at", Kind: dataexport.KindTime},
		{Name: "more", Kind: dataexport.KindJSON, Nullable: true},
	}}}})))
}

func TestAnObjectWithoutCountsAndWithAnEmptyText(t *testing.T) {
	assert.JSONEq(t, `{
		"$schema": "https://json-schema.org/draft/2020-12/schema",
		"title": "notes",
		"type": "object", "required": ["empty", "notes"], "additionalProperties": false,
		"properties": {
			"empty": {"const": ""},
			"notes": {"type": "array", "items": {
				"type": "object", "required": ["id"], "additionalProperties": false, "properties": {"id": {"type": "integer"}}
			}}
		}
	}`, string(jsonschema.Of(dataexport.Info{
		Name:        "notes",
		Layout:      dataexport.Layout{Object: true, Head: []dataexport.HeadField{{Name: "empty"}}},
		Collections: []dataexport.Collection{{Name: "notes", Columns: []dataexport.Column{{Name: "id", Kind: dataexport.KindInt}}}},
	})))
}
