package archive

import (
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/dataexport/dataexport"
)

// A Header is what an archive says of itself.
type Header struct {
	Format     string
	ExportedAt time.Time
	// Counts are the numbers of records of the lists, as the archive states them; see Report.Records for those it has.
	Counts map[string]int64
}

// A Fault is something wrong in an archive, with its place. It is a dataexport.ErrInvalid.
type Fault struct {
	// Collection is the name of the account or the list, or empty if the fault is not of one of them.
	Collection string
	// Record is the place of the record in its collection, from 0, or -1 if the fault is not of one record.
	Record int
	// Field is the member of the record or, if Record is -1, of the archive, or the name of a file in a zip.
	Field string
	// Value is what stands there, shortened to about 80 bytes. It may be personal data: think before it is logged.
	Value string
	// Problem says what is wrong, without personal data.
	Problem string
}

// Error returns place, problem and value in one line, for example
// archive: memories[3].createdAt: not a time such as 2026-01-15T10:30:00Z: "yesterday".
func (f Fault) Error() string {
	var b strings.Builder
	b.WriteString("archive: ")
	if place := f.place(); place != "" {
		b.WriteString(place + ": ")
	}
	b.WriteString(f.Problem)
	if f.Value != "" {
		fmt.Fprintf(&b, ": %q", f.Value)
	}
	return b.String()
}

// place returns for example memories[3].createdAt, or memories.csv.
func (f Fault) place() string {
	place, field := oneLine(f.Collection), oneLine(f.Field)
	if f.Record >= 0 {
		place += fmt.Sprintf("[%d]", f.Record)
	}
	switch {
	case field == "":
		return place
	case place == "" || f.Record < 0 && field == tableFile(f.Collection):
		return field
	default:
		return place + "." + field
	}
}

// Is reports whether target is dataexport.ErrInvalid.
func (f Fault) Is(target error) bool { return target == dataexport.ErrInvalid }

// oneLine returns a name as it is if it is plain, and else in quotes.
func oneLine(name string) string {
	if quoted := fmt.Sprintf("%q", name); quoted[1:len(quoted)-1] != name {
		return quoted
	}
	return name
}

// maxFaultValue is the number of bytes of a value that a fault shows.
const maxFaultValue = 80

func shorten[T string | []byte](value T) string {
	if len(value) <= maxFaultValue {
		return string(value)
	}
	end := maxFaultValue
	for end > maxFaultValue-utf8.UTFMax && !utf8.RuneStart(value[end]) {
		end--
	}
	return string(value[:end]) + "…"
}
