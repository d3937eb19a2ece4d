// Package jsonschema describes the JSON document of a dataset by a JSON Schema (draft 2020-12).
package jsonschema

import (
	"encoding/json"
	"fmt"

	"github.com/dataexport/dataexport"
)

// Of returns a JSON Schema of the document that render.JSON writes of a dataset, indented and with a line end. It follows
// from the columns: every member is required, null is allowed where the column is nullable, and no other member is. The
// title is the first text of the head, which names the format of an archive, or else the name of the dataset.
func Of(info dataexport.Info) []byte {
	root := rootOf(&info)
	root.Schema = "https://json-schema.org/draft/2020-12/schema"
	root.Title = title(&info)
	text, err := json.MarshalIndent(root, "", "  ")
	if err != nil {
		panic(fmt.Sprintf("jsonschema: a schema that is no JSON: %v", err)) // it is made of strings and numbers
	}
	return append(text, '\n')
}

func title(info *dataexport.Info) string {
	for _, field := range info.Layout.Head {
		if !field.Clock && field.Value != "" {
			return field.Value
		}
	}
	return info.Name
}

func rootOf(info *dataexport.Info) *schema {
	if !info.Layout.Object {
		return list(info.Collections[0].Columns)
	}
	root := newObject()
	for _, field := range info.Layout.Head {
		if field.Clock {
			root.add(field.Name, &schema{Type: "string", Format: "date-time"})
		} else {
			root.add(field.Name, &schema{Const: &field.Value})
		}
	}
	counts := newObject()
	for _, c := range info.Collections {
		if c.Single {
			root.add(c.Name, record(c.Columns))
			continue
		}
		root.add(c.Name, list(c.Columns))
		counts.add(c.Name, &schema{Type: "integer", Minimum: new(int)})
	}
	if info.Layout.CountsKey != "" {
		root.add(info.Layout.CountsKey, counts)
	}
	return root
}

func list(columns []dataexport.Column) *schema {
	return &schema{Type: "array", Items: record(columns)}
}

func record(columns []dataexport.Column) *schema {
	s := newObject()
	for _, column := range columns {
		s.add(column.Name, value(column))
	}
	return s
}

// A schema is the part of JSON Schema that a document needs. Its members come in this order, properties sorted by name.
type schema struct {
	Schema               string             `json:"$schema,omitempty"`
	Title                string             `json:"title,omitempty"`
	Const                *string            `json:"const,omitempty"`
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

func value(c dataexport.Column) *schema {
	s := &schema{}
	var kind string
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
