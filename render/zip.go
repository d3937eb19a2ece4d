package render

import (
	"archive/zip"
	"bufio"
	"context"
	"fmt"
	"io"
	"strings"

	"github.com/dataexport/dataexport"
)

// Zip returns the renderer of zip files: one archive of many tables, to be opened in a spreadsheet or read by a program. It
// writes datasets whose layout is an object, such as the archive of an account. In the file there are, in this order:
//
//   - `<collection>.csv` for each collection, also if it is empty or a single record, as CSV writes it,
//   - overview.md, for people: what the file is, the single records, and how many records are in which file,
//   - manifest.json, for programs: the head of the layout, a JSON Schema of the records under "schema", and under "files"
//     each file with its size in bytes and its SHA-256 in hex, both before compression, and the number of its records.
//
// The manifest comes last, so that a file that was cut off has none. The same rows at the same Doc.Time give the same
// bytes. Files are compressed (Deflate) and larger ones than 4 GiB are possible (Zip64); memory does not grow with them.
func Zip() dataexport.Renderer { return zipRenderer{} }

// The files besides the tables, and the members of the manifest besides the head.
const (
	zipOverview       = "overview.md"
	zipManifest       = "manifest.json"
	zipManifestSchema = "schema"
	zipManifestFiles  = "files"
)

type zipRenderer struct{}

func (zipRenderer) Format() dataexport.Format {
	return dataexport.Format{Name: "zip", MediaType: "application/zip", Extension: "zip"}
}

func (zipRenderer) Check(info dataexport.Info) error {
	if !info.Layout.Object {
		return fmt.Errorf("zip holds an archive of several tables, and %s is one list of records; choose another format", info.Name)
	}
	names := make(map[string]string)
	for _, c := range info.Collections {
		if !isFileName(c.Name) {
			return fmt.Errorf("zip makes a file of each collection, and %q of %s is no file name: "+
				"it must be 1 to 64 letters, digits, '-' or '_'", c.Name, info.Name)
		}
		folded := strings.ToLower(c.Name)
		if other, found := names[folded]; found {
			return fmt.Errorf("zip makes a file of each collection, and many systems cannot tell those of %q and %q of %s apart",
				other, c.Name, info.Name)
		}
		names[folded] = c.Name
	}
	for _, field := range info.Layout.Head {
		if field.Name == zipManifestSchema || field.Name == zipManifestFiles {
			return fmt.Errorf("zip has a member %q of its own in its manifest, and %s has one in its head", field.Name, info.Name)
		}
	}
	return nil
}

// isFileName reports whether a name is that of a file everywhere, and never one that leads out of a folder.
func isFileName(name string) bool {
	const longest = 64
	for i := range len(name) {
		if c := name[i]; !isAlphanumeric(c) && c != '-' && c != '_' {
			return false
		}
	}
	return len(name) > 0 && len(name) <= longest
}

func (r zipRenderer) Open(_ context.Context, w io.Writer, doc *dataexport.Doc) (dataexport.Encoder, error) {
	if err := r.Check(doc.Info); err != nil {
		return nil, fmt.Errorf("%w: %w", dataexport.ErrInvalid, err)
	}
	e := &zipEncoder{doc: *doc, out: bufio.NewWriterSize(w, outputSize)}
	e.zip = zip.NewWriter(e.out)
	e.table = csvEncoder{output: newOutput(&e.entry), text: csvText{guard: true}}
	var err error
	if e.overview, err = e.values.appendOverviewHead(nil, doc); err != nil {
		return nil, err
	}
	return e, nil
}

type zipEncoder struct {
	doc      dataexport.Doc
	out      *bufio.Writer // zip.Writer alone would write pieces of 4 KiB
	zip      *zip.Writer
	entry    zipEntry
	files    []zipFile // those that are complete
	table    csvEncoder
	current  *dataexport.Collection // whose table is being written, or nil
	records  int64                  // of the current collection
	overview []byte
	values   markdownValues
}

func (e *zipEncoder) Begin(c *dataexport.Collection) error {
	if err := e.endTable(); err != nil {
		return err
	}
	if err := e.beginEntry(c.Name + ".csv"); err != nil {
		return err
	}
	e.current, e.records = c, 0
	if c.Single {
		e.overview = appendOverviewSection(e.overview, c.Name)
	}
	return e.table.Begin(c)
}

func (e *zipEncoder) Row(row dataexport.Row) error {
	e.records++
	if e.current.Single {
		var err error
		if e.overview, err = e.values.appendOverviewRecord(e.overview, e.current, row); err != nil {
			return err
		}
	}
	return e.table.Row(row)
}

// endTable completes the table of the current collection, if there is one.
func (e *zipEncoder) endTable() error {
	if e.current == nil {
		return nil
	}
	if err := e.table.write(); err != nil {
		return err
	}
	records := e.records
	e.endEntry(zipFile{Collection: e.current.Name, Records: &records})
	e.current = nil
	return nil
}

func (e *zipEncoder) Finish(dataexport.Summary) error {
	if err := e.endTable(); err != nil {
		return err
	}
	e.overview = appendOverviewFiles(e.overview, e.files)
	if err := e.writeFile(zipOverview, e.overview); err != nil {
		return err
	}
	manifest, err := appendManifest(nil, &e.doc, e.files)
	if err != nil {
		return err
	}
	if err := e.writeFile(zipManifest, manifest); err != nil {
		return err
	}
	if err := e.zip.Close(); err != nil {
		return err
	}
	return e.out.Flush()
}

// Close frees the buffers. It does not close the zip.Writer, which would write.
func (e *zipEncoder) Close() error {
	err := e.table.Close()
	*e = zipEncoder{}
	return err
}
