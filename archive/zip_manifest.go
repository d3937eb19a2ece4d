package archive

import (
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"
)

// The members of a manifest besides those of the head, and those of its list of files.
const (
	schemaMember     = "schema"
	filesMember      = "files"
	nameMember       = "name"
	collectionMember = "collection"
	recordsMember    = "records"
	sizeMember       = "size"
	sumMember        = "sha256"
)

// A manifestEntry is what a manifest says of a file.
type manifestEntry struct {
	name       string
	collection string
	records    int64
	size       int64
	sha256     string
	members    map[string]bool // those that were there
}

// readManifest reads the manifest and compares its list of files with those of the zip.
func (z *zipReading) readManifest() error {
	z.manifest = make(map[string]manifestEntry)
	file := z.files[manifestFile]
	if file == nil {
		return &Fault{Record: -1, Field: manifestFile, Problem: "the file is missing; the zip may be cut off"}
	}
	u, err := z.unpack(file, "", maxRecord)
	if err != nil {
		return err
	}
	defer func() { _ = u.in.Close() }()
	d := &document{reading: z.reading, scanner: newJSONScanner(u), members: make(map[string]bool), record: -1, field: manifestFile}
	err = d.scanner.object(func(name string) error { return z.manifestMember(d, name) })
	if err == nil {
		d.field = manifestFile
		err = d.scanner.end()
	}
	if err != nil {
		return d.place(err)
	}
	for _, name := range []string{FormatMember, ExportedAtMember, schemaMember, filesMember} {
		if !d.members[name] {
			if err := z.manifestFault(name, "", "the member is missing"); err != nil {
				return err
			}
		}
	}
	return z.compareFiles()
}

func (z *zipReading) manifestFault(field, value, problem string) error {
	return z.fault(Fault{Record: -1, Field: shorten(field), Value: value, Problem: "in the manifest: " + problem})
}

func (z *zipReading) manifestMember(d *document, name string) error {
	d.field = shorten(name)
	twice := d.members[name]
	switch {
	case twice:
		if err := z.manifestFault(name, "", "the member is there twice"); err != nil {
			return err
		}
		return d.skip()
	case name == FormatMember || name == ExportedAtMember:
		d.members[name] = true
		return d.head(name)
	case name == schemaMember: // The schema that counts is that of the definition.
		d.members[name] = true
		ok, err := d.isObject(Fault{Record: -1, Field: name})
		if err != nil || !ok {
			return err
		}
		_, problem, err := d.value()
		if err == nil && problem != "" {
			err = z.manifestFault(name, "", problem)
		}
		return err
	case name == filesMember:
		d.members[name] = true
		ok, err := d.is('[', "an array", Fault{Record: -1, Field: name})
		if err != nil || !ok {
			return err
		}
		return d.scanner.array(func() error { return z.readEntry(d) })
	}
	if err := z.manifestFault(name, "", "the member is unknown"); err != nil {
		return err
	}
	return d.skip()
}

// readEntry reads an object of the list of files.
func (z *zipReading) readEntry(d *document) error {
	ok, err := d.isObject(Fault{Record: -1, Field: filesMember})
	if err != nil || !ok {
		return err
	}
	entry := manifestEntry{members: make(map[string]bool)}
	problem, value := "", ""
	err = d.scanner.object(func(name string) error {
		raw, wrong, err := d.value()
		if err != nil {
			return err
		}
		if wrong == "" {
			wrong = entry.set(name, raw)
		}
		if wrong != "" && problem == "" {
			problem, value = wrong, raw
		}
		return nil
	})
	if err != nil {
		return err
	}
	if problem == "" {
		problem, value = z.judgeEntry(&entry)
	}
	if problem == "" {
		return z.addEntry(entry)
	}
	field := entry.name
	if field == "" {
		field = filesMember
	}
	return z.manifestFault(field, shorten(value), problem)
}

// set takes a member, which is valid and compact JSON.
func (e *manifestEntry) set(name, raw string) (problem string) {
	if e.members[name] {
		return fmt.Sprintf("the member %s is there twice", name)
	}
	switch name {
	case nameMember:
		e.name, problem = stringOf(raw)
	case collectionMember:
		e.collection, problem = stringOf(raw)
	case sumMember:
		e.sha256, problem = stringOf(raw)
	case recordsMember:
		e.records, problem = countOf(raw)
	case sizeMember:
		e.size, problem = countOf(raw)
	default:
		return "a file has an unknown member"
	}
	e.members[name] = true
	if problem != "" {
		return name + ": " + problem
	}
	return ""
}

func stringOf(raw string) (text, problem string) {
	if raw[0] != '"' {
		return "", jsonType(raw) + ", where a string must be"
	}
	return unquote(raw)
}

func countOf(raw string) (n int64, problem string) {
	n, err := strconv.ParseInt(raw, 10, 64)
	if err != nil || n < 0 {
		return 0, "not a number from 0"
	}
	return n, ""
}

// judgeEntry says what is wrong with an entry that has been read.
func (z *zipReading) judgeEntry(e *manifestEntry) (problem, value string) {
	part, known := z.collectionOf(e.name)
	_, sumErr := hex.DecodeString(e.sha256)
	wanted := []string{nameMember, sizeMember, sumMember}
	if part >= 0 {
		wanted = append(wanted, collectionMember, recordsMember)
	}
	for _, name := range wanted {
		if !e.members[name] {
			return fmt.Sprintf("the member %s is missing", name), ""
		}
	}
	_, twice := z.manifest[e.name]
	switch {
	case !known || e.name == manifestFile:
		return "the file is unknown", e.name
	case twice:
		return "the file is there twice", ""
	case len(e.members) != len(wanted):
		return "the file is no table, and has a collection or records", ""
	case part >= 0 && e.collection != z.parts[part].collection.Name:
		return "the collection is not that of the file", e.collection
	case part >= 0 && z.parts[part].collection.Single && e.records != 1:
		return "the number of records must be 1", strconv.FormatInt(e.records, 10)
	case sumErr != nil || len(e.sha256) != 64 || strings.ToLower(e.sha256) != e.sha256:
		return "not a SHA-256 in hex", e.sha256
	}
	return "", ""
}

// addEntry takes an entry that is in order.
func (z *zipReading) addEntry(e manifestEntry) error {
	z.manifest[e.name] = e
	if part := z.part(e.collection); part >= 0 && !z.parts[part].collection.Single {
		if z.report.Header.Counts == nil {
			z.report.Header.Counts = make(map[string]int64)
		}
		z.report.Header.Counts[e.collection] = e.records
	}
	return nil
}

// compareFiles reports files of the manifest that are larger in all than may be unpacked. What the zip lacks shows when it
// is read.
func (z *zipReading) compareFiles() error {
	left := z.unpacked
	for _, e := range z.manifest {
		if left -= e.size; left < 0 {
			return &Fault{
				Record: -1, Field: filesMember,
				Problem: fmt.Sprintf("the files are larger than %d bytes in all, the limit of the definition", z.archive.limits.Unpacked),
			}
		}
	}
	return nil
}
