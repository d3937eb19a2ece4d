package render

import (
	"archive/zip"
	"crypto/sha256"
	"encoding/hex"
	"hash"
	"io"
	"time"
)

// A zipFile is a file in a zip as the manifest describes it.
type zipFile struct {
	Name       string `json:"name"`
	Collection string `json:"collection,omitempty"` // of a table
	Records    *int64 `json:"records,omitempty"`    // of a table, without its header row
	Size       int64  `json:"size"`                 // bytes before compression
	SHA256     string `json:"sha256"`               // of these bytes, in hex
}

// A zipEntry is the file that is being written. It is one writer for all of them in turn, since the encoder of tables
// keeps the writer that it was made with.
type zipEntry struct {
	name string
	size int64
	sum  hash.Hash
	to   io.Writer
}

// Write counts, hashes and compresses.
func (f *zipEntry) Write(p []byte) (int, error) {
	n, err := f.to.Write(p)
	f.size += int64(n)
	f.sum.Write(p[:n])
	return n, err
}

func (e *zipEncoder) beginEntry(name string) error {
	header := &zip.FileHeader{Name: name, Method: zip.Deflate}
	header.SetMode(0o600) // what is in it is personal
	if t := e.doc.Time.UTC(); zipTime(t) {
		header.Modified = t
	}
	to, err := e.zip.CreateHeader(header)
	if err != nil {
		return err
	}
	e.entry = zipEntry{name: name, sum: sha256.New(), to: to}
	return nil
}

// zipTime reports whether a time fits into the header of an entry (APPNOTE.TXT 4.4.6, and Info-ZIP's extended timestamp
// of 32 bits, which comes along). Another one is left out.
func zipTime(t time.Time) bool { return t.Year() >= 1980 && t.Year() < 2038 }

// endEntry adds the file to those that are complete.
func (e *zipEncoder) endEntry(file zipFile) {
	file.Name, file.Size, file.SHA256 = e.entry.name, e.entry.size, hex.EncodeToString(e.entry.sum.Sum(nil))
	e.files = append(e.files, file)
}

func (e *zipEncoder) writeFile(name string, content []byte) error {
	if err := e.beginEntry(name); err != nil {
		return err
	}
	if _, err := e.entry.Write(content); err != nil {
		return err
	}
	e.endEntry(zipFile{})
	return nil
}
