package archive

import (
	"archive/zip"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
)

const (
	// maxRatio is how many times larger a file may be than what it is compressed to, once it is larger than freeSize.
	// Deflate reaches 1,032 where all bytes are the same. One record may be like that, but not a table of many.
	maxRatio = 1000
	freeSize = 4 * maxRecord
)

// An unpacker reads a file of a zip. It counts and hashes, and ends with a *Fault where the file gets too large.
type unpacker struct {
	z          *zipReading
	in         io.ReadCloser
	name       string
	collection string
	compressed int64
	most       int64 // the size of the manifest, or what may be unpacked
	read       int64
	sum        hash.Hash
}

// unpack opens a file that may have so many bytes.
func (z *zipReading) unpack(file *zip.File, collection string, most int64) (*unpacker, error) {
	u := &unpacker{z: z, name: file.Name, collection: collection, most: most, sum: sha256.New()}
	if file.CompressedSize64 > uint64(z.size) { //nolint:gosec // it is not negative
		return nil, u.fault("the file is larger than the zip")
	}
	u.compressed = int64(file.CompressedSize64) //nolint:gosec // at most the size of the zip
	in, err := file.Open()
	if err != nil {
		return nil, u.damage(err)
	}
	u.in = in
	return u, nil
}

func (u *unpacker) fault(format string, args ...any) error {
	return &Fault{Collection: u.collection, Record: -1, Field: u.name, Problem: fmt.Sprintf(format, args...)}
}

// damage makes a fault of what archive/zip says of a file.
func (u *unpacker) damage(err error) error {
	if u.z.input.err != nil {
		return u.z.input.err
	}
	return u.fault("the file is damaged: %s", err)
}

// Read reads what is unpacked.
func (u *unpacker) Read(p []byte) (int, error) {
	n, err := u.in.Read(p)
	u.read += int64(n)
	u.z.unpacked -= int64(n)
	u.sum.Write(p[:n])
	switch {
	case u.z.unpacked < 0:
		return 0, u.fault("the files of the zip are larger than %d bytes in all, the limit of the definition", u.z.archive.limits.Unpacked)
	case u.read > u.most:
		return 0, u.fault("the file is larger than the %d bytes that it may have", u.most)
	case u.read > freeSize && u.read/maxRatio > u.compressed:
		return 0, u.fault("the file is more than %d times larger than what it is compressed to", maxRatio)
	case err != nil && !errors.Is(err, io.EOF):
		return n, u.damage(err)
	}
	return n, err
}

// compare returns how the file, which has been read to its end, differs from the manifest. The fault is of the file alone:
// what is in it has been read.
func (u *unpacker) compare(entry manifestEntry) error {
	if entry.size != u.read {
		return u.fault("the file has %d bytes, and the manifest says %d", u.read, entry.size)
	}
	if sum := hex.EncodeToString(u.sum.Sum(nil)); sum != entry.sha256 {
		return &Fault{
			Collection: u.collection, Record: -1, Field: u.name, Value: sum, Problem: "the SHA-256 of the file is not that of the manifest",
		}
	}
	return nil
}

// readFile opens a file, lets read use it, and compares it with the manifest. It reports what is wrong with the file, and
// returns an error only where the reading of the zip ends.
func (z *zipReading) readFile(name, collection string, read func(io.Reader) error) (whole bool, err error) {
	entry, listed := z.manifest[name]
	most := entry.size
	if !listed {
		most = z.unpacked
		if err := z.fault(Fault{Collection: collection, Record: -1, Field: name, Problem: "the file is not in the manifest"}); err != nil {
			return false, err
		}
	}
	u, err := z.unpack(z.files[name], collection, most)
	if err == nil {
		defer func() { _ = u.in.Close() }()
		err = read(u)
	}
	if err == nil {
		_, err = io.Copy(io.Discard, u) // the rest, to know size and hash
	}
	whole = err == nil
	if whole && listed {
		err = u.compare(entry)
	}
	if fault := (*Fault)(nil); z.ids != nil && errors.As(err, &fault) {
		err = z.fault(*fault)
	}
	return whole, err
}

// readOverview checks the file that is for people.
func (z *zipReading) readOverview() error {
	if z.files[overviewFile] == nil {
		return z.fault(Fault{Record: -1, Field: overviewFile, Problem: "the file is missing"})
	}
	_, err := z.readFile(overviewFile, "", func(io.Reader) error { return nil })
	return err
}
