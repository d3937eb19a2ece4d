package main

import (
	"bytes"
	"os"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/dataexport/dataexport/archive/threengram"
)

// The schema of the archive is judged by a validator that knows nothing of us: it takes every archive that we write, and
// refuses what Verify refuses and a schema can tell.
func TestArchivesAreValidByTheirSchema(t *testing.T) {
	a, err := threengram.Archive()
	if err != nil {
		t.Fatal(err)
	}
	parsed, err := jsonschema.UnmarshalJSON(bytes.NewReader(a.Schema()))
	if err != nil {
		t.Fatal(err)
	}
	compiler := jsonschema.NewCompiler()
	compiler.AssertFormat()
	if err := compiler.AddResource("archive.json", parsed); err != nil {
		t.Fatal(err)
	}
	schema, err := compiler.Compile("archive.json")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"full.json", "empty.json"} {
		content, err := os.ReadFile("../../archive/threengram/testdata/" + name)
		if err != nil {
			t.Fatal(err)
		}
		if err := schema.Validate(decode(t, content)); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}

	content, err := os.ReadFile("../../archive/threengram/testdata/full.json")
	if err != nil {
		t.Fatal(err)
	}
	for name, change := range map[string]func(document map[string]any){
		"another format":        func(d map[string]any) { d["format"] = "other.v1" },
		"a missing list":        func(d map[string]any) { delete(d, "edges") },
		"an unknown member":     func(d map[string]any) { d["letters"] = []any{} },
		"a missing field":       func(d map[string]any) { delete(first(d, "memories"), "tags") },
		"an unknown field":      func(d map[string]any) { first(d, "memories")["color"] = "red" },
		"null in place of text": func(d map[string]any) { first(d, "memories")["content"] = nil },
		"a number for money":    func(d map[string]any) { first(d, "llmUsage")["costUsd"] = 0.5 },
		"a fraction of a token": func(d map[string]any) { first(d, "llmUsage")["inputTokens"] = 0.5 },
		"no time":               func(d map[string]any) { first(d, "scopes")["createdAt"] = "yesterday" },
		"no UUID":               func(d map[string]any) { first(d, "edges")["fromId"] = "m1" },
		"a negative count":      func(d map[string]any) { d["counts"].(map[string]any)["edges"] = -1 },
	} {
		document := decode(t, content).(map[string]any)
		change(document)
		if schema.Validate(document) == nil {
			t.Errorf("the schema takes %s", name)
		}
	}
}

func decode(t *testing.T, content []byte) any {
	t.Helper()
	document, err := jsonschema.UnmarshalJSON(bytes.NewReader(content))
	if err != nil {
		t.Fatal(err)
	}
	return document
}

// first returns the first record of a list.
func first(document map[string]any, list string) map[string]any {
	return document[list].([]any)[0].(map[string]any)
}
