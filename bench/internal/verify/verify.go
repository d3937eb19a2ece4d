// Package verify compares what programs have written. Each format of each program writes times and lists in a way of its own, so
// that what is compared is the number of records, their order, and of each the id and the text.
package verify

import (
	"bufio"
	"crypto/sha256"
	"encoding/csv"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"io"
	"os"
	"slices"
)

// A Digest stands for the records of a file.
type Digest struct {
	Records int
	SHA256  string
}

// File returns the digest of a file of a format, "csv" or "json".
func File(name, format string) (Digest, error) {
	file, err := os.Open(name)
	if err != nil {
		return Digest{}, err
	}
	defer file.Close()
	d := digester{hash: sha256.New()}
	read := d.readJSON
	if format == "csv" {
		read = d.readCSV
	}
	if err := read(bufio.NewReaderSize(file, 256<<10)); err != nil {
		return Digest{}, fmt.Errorf("%s: record %d: %w", name, d.records+1, err)
	}
	return Digest{d.records, hex.EncodeToString(d.hash.Sum(nil))}, nil
}

type digester struct {
	hash    hash.Hash
	records int
}

func (d *digester) add(id, content string) {
	d.records++
	fmt.Fprintf(d.hash, "%q %q\n", id, content)
}

func (d *digester) readCSV(r io.Reader) error {
	reader := csv.NewReader(r)
	header, err := reader.Read()
	if err != nil {
		return err
	}
	id, content := slices.Index(header, "id"), slices.Index(header, "content")
	if id < 0 || content < 0 {
		return fmt.Errorf("the header has no id or no content: %q", header)
	}
	for {
		cells, err := reader.Read()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		d.add(cells[id], cells[content])
	}
}

// readJSON reads an array of objects, or one object after the other.
func (d *digester) readJSON(r io.Reader) error {
	buffered := bufio.NewReader(r)
	first, err := buffered.Peek(1)
	if err != nil {
		return err
	}
	decoder := json.NewDecoder(buffered)
	if first[0] == '[' {
		if _, err := decoder.Token(); err != nil {
			return err
		}
	}
	for decoder.More() {
		var record struct {
			ID, Content *string
		}
		if err := decoder.Decode(&record); err != nil {
			return err
		}
		if record.ID == nil || record.Content == nil {
			return errors.New("it has no id or no content")
		}
		d.add(*record.ID, *record.Content)
	}
	return nil
}
