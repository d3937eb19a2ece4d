package archive

import "github.com/dataexport/dataexport/internal/jsonschema"

// Schema returns a JSON Schema (draft 2020-12) of the document that render.JSON writes of the archive. It follows from the
// columns: every member is required, null is allowed where the column is nullable, and no other member is. A document that
// is valid may still have faults that no schema can tell, such as a reference that points to nothing.
func (a *Archive) Schema() []byte { return jsonschema.Of(a.info) }
