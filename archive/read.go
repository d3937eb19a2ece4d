package archive

import (
	"errors"
	"fmt"
	"io"
	"reflect"
	"strings"

	"github.com/dataexport/dataexport"
)

// Limits bound the reading of archives that may come from anywhere. A limit of 0 is the default.
type Limits struct {
	// Unpacked is the number of bytes that the files of a zip may have in all. The default is 16 GiB.
	Unpacked int64
	// Records is the number of records of lists whose ids Verify keeps. The default is 10,000,000.
	Records int64
}

const (
	defaultUnpacked = 16 << 30
	defaultRecords  = 10_000_000

	// maxRecord is the number of bytes of the largest record, and of the head of an archive.
	maxRecord = 16 << 20
)

func (l Limits) orDefaults() Limits {
	if l.Unpacked <= 0 {
		l.Unpacked = defaultUnpacked
	}
	if l.Records <= 0 {
		l.Records = defaultRecords
	}
	return l
}

// A Record is one record of an archive.
type Record struct {
	Collection string
	Index      int // in its collection, from 0
	Value      any // a pointer to the struct that was given to Account or List, such as *threengram.Memory; new for each record
}

// Read reads the archive of size bytes in r and calls visit for each record in the order of the archive, in which the
// account and the lists may come in any order. It tells JSON and zip apart by the first bytes. An error of visit ends the
// reading and is returned as it is.
//
// Read stops at the first fault: the error wraps a *Fault. Some faults show late, such as a count or a hash that differs,
// when records have been visited already; what is restored from an archive should become visible only after Read has
// returned nil. Ids that are there twice and references that point to nothing are left to Verify, which may go first.
//
// Times are in UTC; digits of a second beyond nanoseconds are dropped. JSON is kept digit for digit, without the white
// space between its tokens.
//
// Read keeps one record in memory, of at most 16 MiB in the archive and some times that while it is taken apart. It is safe for concurrent use if r is.
func (a *Archive) Read(r io.ReaderAt, size int64, visit func(Record) error) (Header, error) {
	rd := newReading(a, r, size)
	rd.visit = visit
	err := rd.run()
	if fault := (*Fault)(nil); errors.As(err, &fault) {
		err = fmt.Errorf("reading an account archive: %w", err)
	}
	return rd.report.Header, err
}

// A reading is one pass over an archive, by Read or by Verify.
type reading struct {
	archive *Archive
	input   *input
	size    int64
	parts   []partState // as those of the archive
	report  Report
	counts  string             // the name of the member that counts records
	visit   func(Record) error // nil in Verify
	ids     *ids               // nil in Read, which stops at the first fault
}

// A partState is what has been read of one collection.
type partState struct {
	*recordType
	collection *dataexport.Collection
	found      int64
	begun      bool          // it is in the archive
	damaged    bool          // not all of its records could be read
	scratch    reflect.Value // the record of Verify, used again each time
}

func newReading(a *Archive, r io.ReaderAt, size int64) *reading {
	rd := &reading{archive: a, input: &input{source: r, size: size}, size: size, parts: make([]partState, len(a.parts)), counts: CountsMember}
	for i := range a.parts {
		rd.parts[i] = partState{recordType: a.parts[i].record, collection: &a.info.Collections[i]}
	}
	return rd
}

// run reads the archive. A *Fault says that it cannot be read any further.
func (rd *reading) run() error {
	start := make([]byte, len(zipStart))
	n, _ := rd.input.ReadAt(start[:min(int64(len(start)), max(rd.size, 0))], 0) // which remembers its error
	var err error
	switch {
	case rd.input.err != nil:
		return rd.input.err
	case n == 0 && !rd.input.short:
		return &Fault{Record: -1, Problem: "it is empty: there is neither a JSON document nor a zip"}
	case strings.HasPrefix(string(start[:n]), zipStart[:2]): // also an empty zip, and one that is cut off early
		err = rd.readZip()
	default:
		err = rd.readJSON()
	}
	switch { // whatever it has led to
	case rd.input.err != nil:
		return rd.input.err
	case rd.input.short:
		return &Fault{Record: -1, Problem: fmt.Sprintf("it is shorter than the %d bytes that it should have", rd.size)}
	}
	if err != nil {
		return err
	}
	return rd.finish()
}

// fault reports a fault after which the reading can go on: it is kept, or returned to stop.
func (rd *reading) fault(f Fault) error {
	if rd.ids == nil {
		return &f
	}
	rd.report.add(f)
	return nil
}

// part returns the index of the collection of a name, or -1.
func (rd *reading) part(name string) int {
	for i := range rd.parts {
		if rd.parts[i].collection.Name == name {
			return i
		}
	}
	return -1
}

// finish checks what can be told when all has been read.
func (rd *reading) finish() error {
	for i := range rd.parts {
		part := &rd.parts[i]
		name := part.collection.Name
		if !part.begun {
			if err := rd.fault(Fault{Collection: name, Record: -1, Problem: "the collection is missing"}); err != nil {
				return err
			}
			continue
		}
		stated, ok := rd.report.Header.Counts[name]
		if !ok || part.damaged || stated == part.found {
			continue
		}
		err := rd.fault(Fault{
			Collection: name, Record: -1, Field: rd.counts, Value: fmt.Sprint(stated),
			Problem: fmt.Sprintf("the count differs from the number of records, %d", part.found),
		})
		if err != nil {
			return err
		}
	}
	if rd.ids != nil {
		rd.checkReferences()
	}
	return nil
}

// An input remembers the first error of reading, so that a fault of the medium is not taken for one of the archive, and
// whether less could be read than there should be.
type input struct {
	source io.ReaderAt
	size   int64
	err    error
	short  bool
}

// ReadAt reads within the size. An offset outside of it, which the directory of a zip may state, is one of the archive.
func (in *input) ReadAt(p []byte, offset int64) (int, error) {
	if offset < 0 || offset >= in.size {
		return 0, io.EOF
	}
	within := p[:min(int64(len(p)), in.size-offset)]
	n, err := in.source.ReadAt(within, offset)
	switch {
	case n == len(within):
		if n < len(p) {
			return n, io.EOF
		}
		return n, nil
	case errors.Is(err, io.EOF):
		in.short = true
		return n, io.ErrUnexpectedEOF
	case in.err == nil:
		in.err = err
	}
	return n, err
}
