package archive

import (
	"encoding/json"
	"fmt"

	"github.com/dataexport/dataexport"
)

// Schema returns a JSON Schema (draft 2020-12) of the document that render.JSON writes of the archive. It follows from the
// columns: every member is required, null is allowed where the column is nullable, and no other member is. A document that
// is valid may still have faults that no schema can tell, such as a reference that points to nothing.
func (a *Archive) Schema() []byte {
	counts := newObject()
	root := newObject()
	root.Schema = "https://json-schema.org/draft/2020-12/schema"
	root.Title = a.format
	root.add(FormatMember, &schema{Const: a.format})
	root.add(ExportedAtMember, &schema{Type: "string", Format: "date-time"})
	for _, c := range a.info.Collections {
		record := newObject()
		for _, column := range c.Columns {
			record.add(column.Name, schemaOf(column))
		}
		if c.Single {
			root.add(c.Name, record)
			continue
		}
		root.add(c.Name, &schema{Type: "array", Items: record})
		counts.add(c.Name, &schema{Type: "integer", Minimum: new(int)})
	}
	root.add(CountsMember, counts)
	text, err := json.MarshalIndent(root, "", "  ")
	if err != nil {
		panic(fmt.Sprintf("archive: a schema that is no JSON: %v", err)) // it is made of strings and numbers
	}
	return append(text, '\n')
}

// A schema is the part of JSON Schema that an archive needs. Its members come in this order, properties sorted by name.
type schema struct {
	Schema               string             `json:"$schema,omitempty"`
	Title                string             `json:"title,omitempty"`
	Const                string             `json:"const,omitempty"`
	Type                 any                `json:"type,omitempty"` // a string, or a list of them
	Format               string             `json:"format,omitempty"`
	Pattern              string             `json:"pattern,omitempty"`
	Minimum              *int               `json:"minimum,omitempty"`
	Items                *schema            `json:"items,omitempty"`
	Required             []string           `json:"required,omitempty"`
	Properties           map[string]*schema `json:"properties,omitempty"`
	AdditionalProperties *bool              `json:"additionalProperties,omitempty"`
}

func newObject() *schema {
	return &schema{Type: "object", Properties: make(map[string]*schema), AdditionalProperties: new(bool)}
}

func (s *schema) add(name string, member *schema) {
	s.Required = append(s.Required, name)
	s.Properties[name] = member
}

// decimalPattern is what a decimal number is written like.
const decimalPattern = `^[+-]?[0-9]+(\.[0-9]+)?([eE][+-]?[0-9]+)?$`

func schemaOf(c dataexport.Column) *schema {
	s := &schema{}
	kind := ""
	switch c.Kind {
	case dataexport.KindString:
		kind = "string"
	case dataexport.KindInt:
		kind = "integer"
	case dataexport.KindFloat:
		kind = "number"
	case dataexport.KindBool:
		kind = "boolean"
	case dataexport.KindTime:
		kind, s.Format = "string", "date-time"
	case dataexport.KindStrings:
		kind, s.Items = "array", &schema{Type: "string"}
	case dataexport.KindUUID:
		kind, s.Format = "string", "uuid"
	case dataexport.KindDecimal:
		kind, s.Pattern = "string", decimalPattern
	default: // JSON may be anything, null too
		return s
	}
	s.Type = kind
	if c.Nullable {
		s.Type = []string{kind, "null"}
	}
	return s
}
