package dataexport

import (
	"context"
	"io"
	"time"
)

// A Format names a kind of file.
type Format struct {
	Name      string // what users ask for, for example "csv"; letters, digits, '-' and '_'
	MediaType string // without parameters, for example "text/csv" (RFC 6838)
	Extension string // of file names, without a dot, for example "csv"
}

// A Doc is what a renderer knows of the document besides its rows. All of it is fixed when a job is created, so that a
// second attempt renders the same bytes.
type Doc struct {
	Info   Info
	Filter Filter
	Time   time.Time // the time of the document: the only clock that a renderer may look at
}

// A Summary says what an export has written.
type Summary struct {
	Counts  []int64  // records of each collection, in the order of Info
	Records int64    // of all collections but the single ones
	Bytes   int64    // the size of the file; 0 while it is being finished
	SHA256  [32]byte // of the file; zero while it is being finished
}

// A Renderer writes documents of one format. Its methods are safe for concurrent use.
//
// rendertest.Run checks an implementation.
type Renderer interface {
	// Format describes what the renderer writes. It returns the same each time.
	Format() Format

	// Check returns nil if the renderer can write the dataset, or an error whose text says to the user why not. A job that
	// does not pass is refused when it is created.
	Check(info Info) error

	// Open begins a document. The encoder writes to w in pieces that are worth a system call; it does not close w.
	Open(ctx context.Context, w io.Writer, doc *Doc) (Encoder, error)
}

// An Encoder writes one document: for each collection of Doc.Info in order Begin and then its rows, and Finish at the end.
// It is used by one goroutine. After an error only Close is called.
type Encoder interface {
	// Begin begins a collection of Doc.Info.
	Begin(c *Collection) error

	// Row writes one record. The row is borrowed: what is needed after the return is copied. It has passed the checks of
	// the engine: as many values as columns, each null where allowed or of the kind of its column, floats finite. JSON
	// that is not trusted has not been looked at. A value that cannot be written, such as JSON that is not valid, is an
	// ErrBadRow that names the column.
	Row(r Row) error

	// Finish ends the document and writes all that is left. It is called once, after the last row, and only if all went well.
	Finish(s Summary) error

	// Close frees what the encoder holds and writes nothing. It is called exactly once, always.
	Close() error
}
