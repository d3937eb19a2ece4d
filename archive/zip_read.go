package archive

import (
	"archive/zip"
	"errors"
	"fmt"
	"io"
	"strings"
)

// zipStart is what a zip begins with: the signature of the header of a file (APPNOTE.TXT, section 4.3.7).
const zipStart = "PK\x03\x04"

// The files of a zip besides the tables.
const (
	overviewFile = "overview.md"
	manifestFile = "manifest.json"
)

const (
	maxZipFiles     = 64      // or as many as the definition needs
	maxZipDirectory = 1 << 20 // bytes; a name of 1,000 bytes for each of the files would be far less
)

// A zipReading is the reading of one zip.
type zipReading struct {
	*reading
	files    map[string]*zip.File
	manifest map[string]manifestEntry
	unpacked int64 // bytes that may still be unpacked
}

// readZip reads a zip that render.Zip has written. Its files may come in any order.
func (rd *reading) readZip() error {
	directory := &boundedInput{input: rd.input, left: maxZipDirectory}
	archive, err := zip.NewReader(directory, rd.size)
	switch {
	case rd.input.err != nil:
		return rd.input.err
	case directory.exceeded:
		return &Fault{Record: -1, Problem: fmt.Sprintf("the directory of the zip is larger than %d bytes", maxZipDirectory)}
	case err != nil && !errors.Is(err, zip.ErrInsecurePath): // names are judged below
		return &Fault{Record: -1, Problem: "the zip cannot be opened; it may be cut off: " + err.Error()}
	}
	directory.left = -1
	z := &zipReading{reading: rd, files: make(map[string]*zip.File), unpacked: rd.archive.limits.Unpacked}
	rd.counts = recordsMember
	if err := z.findFiles(archive.File); err != nil {
		return err
	}
	if err := z.readManifest(); err != nil {
		return err
	}
	for i := range rd.parts {
		if err := z.readTableFile(i); err != nil {
			return err
		}
	}
	return z.readOverview()
}

// tableFile returns the name of the file of a collection.
func tableFile(collection string) string { return collection + ".csv" }

// collectionOf returns the collection whose table a file is, and whether a zip may have such a file at all.
func (z *zipReading) collectionOf(file string) (part int, known bool) {
	if file == overviewFile || file == manifestFile {
		return -1, true
	}
	name, isTable := strings.CutSuffix(file, ".csv")
	if !isTable {
		return -1, false
	}
	part = z.part(name)
	return part, part >= 0
}

// findFiles judges the names of the files without reading them.
func (z *zipReading) findFiles(files []*zip.File) error {
	if most := max(maxZipFiles, len(z.parts)+2); len(files) > most {
		return &Fault{Record: -1, Problem: fmt.Sprintf("the zip has %d files, more than %d", len(files), most)}
	}
	for _, file := range files {
		problem := z.judge(file)
		if problem == "" {
			z.files[file.Name] = file
			continue
		}
		if err := z.fault(Fault{Record: -1, Field: shorten(file.Name), Problem: problem}); err != nil {
			return err
		}
	}
	return nil
}

func (z *zipReading) judge(file *zip.File) (problem string) {
	const encrypted = 1 // APPNOTE.TXT, section 4.4.4
	_, known := z.collectionOf(file.Name)
	switch {
	case strings.ContainsAny(file.Name, `/\`) || strings.Contains(file.Name, ".."):
		return "the name of the file is a path, and may lead out of the folder"
	case !known:
		return "the file is unknown"
	case z.files[file.Name] != nil:
		return "the file is there twice"
	case file.Flags&encrypted != 0:
		return "the file is encrypted"
	case file.Method != zip.Store && file.Method != zip.Deflate:
		return fmt.Sprintf("the file is compressed by method %d, and only Deflate can be read", file.Method)
	}
	return ""
}

// A boundedInput lets only so many bytes be read, unless left is negative.
type boundedInput struct {
	*input
	left     int64
	exceeded bool
}

func (in *boundedInput) ReadAt(p []byte, offset int64) (int, error) {
	if in.left >= 0 {
		if in.left -= int64(len(p)); in.left < 0 {
			in.left, in.exceeded = 0, true
			return 0, io.ErrShortBuffer
		}
	}
	return in.input.ReadAt(p, offset)
}
