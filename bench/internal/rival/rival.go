// Package rival writes records as a host would that does not use dataexport, with the libraries that there are: each in its
// fastest use that keeps to its documentation, with buffers that are used again.
//
// What they write holds the same records as what dataexport writes; a test compares them.
package rival

import (
	"io"
	"iter"

	"github.com/dataexport/dataexport/memory"
)

// A Writer writes a document of all records, each of which is valid until the next is asked for.
type Writer struct {
	Name  string
	Write func(w io.Writer, list iter.Seq[*memory.Record]) error
}

// bufferSize is that of the buffer in front of a file.
const bufferSize = 256 << 10
