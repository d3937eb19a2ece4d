package render

import (
	"bytes"
	"encoding/json"
	"fmt"

	"github.com/dataexport/dataexport"
	"github.com/dataexport/dataexport/internal/jsonschema"
	"github.com/dataexport/dataexport/internal/jsontext"
	"github.com/dataexport/dataexport/internal/scalar"
)

// appendManifest appends an object: the head, the schema and the files, in this order.
func appendManifest(dst []byte, doc *dataexport.Doc, files []zipFile) ([]byte, error) {
	var times scalar.Times
	object := []byte{'{'}
	for _, field := range doc.Info.Layout.Head {
		object = append(jsontext.AppendString(object, field.Name), ':')
		text, err := headText(nil, &times, field, doc)
		if err != nil {
			return dst, err
		}
		object = append(jsontext.AppendString(object, string(text)), ',')
	}
	object = append(jsontext.AppendString(object, zipManifestSchema), ':')
	object = append(object, jsonschema.Of(doc.Info)...)
	object = append(jsontext.AppendString(append(object, ','), zipManifestFiles), ':')
	list, err := json.Marshal(files)
	if err != nil {
		return dst, fmt.Errorf("render: the list of files: %w", err)
	}
	object = append(append(object, list...), '}', '\n')
	out := bytes.NewBuffer(dst)
	if err := json.Indent(out, object, "", "  "); err != nil {
		return dst, fmt.Errorf("render: the manifest: %w", err)
	}
	return out.Bytes(), nil
}

// headText appends the text of a field of the head.
func headText(dst []byte, times *scalar.Times, field dataexport.HeadField, doc *dataexport.Doc) ([]byte, error) {
	if !field.Clock {
		return append(dst, field.Value...), nil
	}
	dst, ok := times.Append(dst, doc.Time.Unix(), uint32(doc.Time.Nanosecond())) //nolint:gosec // 0 to 999,999,999
	if !ok {
		return dst, fmt.Errorf("%w: the time of the document, %s, is not in the years 0000 to 9999", dataexport.ErrInvalid, doc.Time)
	}
	return dst, nil
}
