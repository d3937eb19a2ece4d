package archive

import (
	"errors"
	"io"
)

// A Report is what Verify found.
type Report struct {
	Header  Header           // as far as it could be read
	Records map[string]int64 // found in each collection that is there, the account included
	Faults  []Fault          // the first 1,000, in the order in which they were found
	More    int64            // faults beyond them
}

// OK reports whether nothing is wrong.
func (r *Report) OK() bool { return len(r.Faults) == 0 }

// maxFaults is how many faults a report holds.
const maxFaults = 1000

func (r *Report) add(f Fault) {
	if len(r.Faults) == maxFaults {
		r.More++
		return
	}
	r.Faults = append(r.Faults, f)
}

// Verify reads the archive of size bytes in r, JSON or zip, and reports everything that is wrong with it: all that Read
// stops at, ids that are there twice, and references that point to nothing. A document that is cut off or is no JSON has
// one fault where that shows, and is not looked at any further. The order of the members of a document is free.
//
// The error is one of reading r, and never one of what was read; the report is then of no use.
//
// Verify keeps one record in memory, and of each record its id and its references, which is about 100 bytes a record with
// one reference; Definition.Limits bounds their number. It is safe for concurrent use if r is.
func (a *Archive) Verify(r io.ReaderAt, size int64) (Report, error) {
	rd := newReading(a, r, size)
	rd.ids = newIDs(a)
	rd.report.Records = make(map[string]int64, len(rd.parts))
	err := rd.run()
	for i := range rd.parts {
		if part := &rd.parts[i]; part.begun {
			rd.report.Records[part.collection.Name] = part.found
		}
	}
	if fault := (*Fault)(nil); errors.As(err, &fault) {
		rd.report.add(*fault)
		err = nil
	}
	return rd.report, err
}
