// Package rendertest checks that a dataexport.Renderer does all that its contract says. It needs the standard library
// only, so that an implementation outside this module can use it:
//
//	func TestRenderer(t *testing.T) {
//		rendertest.Run(t, myformat.Renderer(), rendertest.Options{Count: countRecords})
//	}
//
// What the document must look like is a matter of the format, and of tests of its own.
package rendertest

import (
	"errors"
	"fmt"
	"mime"
	"strings"
	"testing"

	"github.com/dataexport/dataexport"
)

// Options are what Run can be told of the format.
type Options struct {
	// Count reads a finished document with a reader that is independent of the renderer and returns the number of records
	// of each collection of the dataset. It returns an error if the document is not well formed. If Count is nil, what
	// needs it is skipped.
	Count func(document []byte, info dataexport.Info) ([]int64, error)
}

// Run checks a renderer, in subtests, with a dataset that is one list and one that is an object of several collections. A
// dataset that the renderer refuses is skipped; it must accept one of them. Run it with the race detector.
func Run(t *testing.T, r dataexport.Renderer, o Options) {
	t.Helper()
	t.Run("format", func(t *testing.T) { report(t, checkFormat(r)) })
	accepted := 0
	for _, d := range datasets() {
		if r.Check(d.info) == nil {
			accepted++
		}
		t.Run(d.info.Name, func(t *testing.T) {
			if err := r.Check(d.info); err != nil {
				report(t, checkRefusal(r, d, err))
				t.Skipf("the renderer does not write it: %v", err)
			}
			for _, c := range checks() {
				t.Run(c.name, func(t *testing.T) { report(t, c.run(&subject{renderer: r, options: o, dataset: d})) })
			}
		})
	}
	if accepted == 0 {
		t.Error("the renderer refuses a list of records and an object of collections; it must write one of them")
	}
}

// errSkip says that a check does not apply.
var errSkip = errors.New("not checked")

func report(t *testing.T, err error) {
	t.Helper()
	switch {
	case errors.Is(err, errSkip):
		t.Skip(err)
	case err != nil:
		t.Error(err)
	}
}

// A subject is what a check looks at: a renderer and a dataset that it accepts.
type subject struct {
	renderer dataexport.Renderer
	options  Options
	dataset  dataset
}

// A check returns what is wrong.
type check struct {
	name string
	run  func(*subject) error
}

func checks() []check {
	return []check{
		{"every kind", checkEveryKind},
		{"no rows", checkNoRows},
		{"many rows", checkManyRows},
		{"same bytes again", checkSameBytes},
		{"borrowed rows", checkBorrowedRows},
		{"bad JSON", checkBadJSON},
		{"errors of the writer", checkWriterErrors},
		{"close without finish", checkCloseEarly},
		{"close writes nothing", checkCloseWritesNothing},
		{"concurrent documents", checkConcurrentDocuments},
		{"description unchanged", checkDescriptionUnchanged},
	}
}

func checkFormat(r dataexport.Renderer) error {
	f := r.Format()
	if f != r.Format() {
		return fmt.Errorf("Format returned %+v and then %+v", f, r.Format())
	}
	if f.Name == "" || strings.ContainsFunc(f.Name, func(c rune) bool {
		return !strings.ContainsRune("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_", c)
	}) {
		return fmt.Errorf("the name %q is not made of letters, digits, '-' and '_'", f.Name)
	}
	mediaType, parameters, err := mime.ParseMediaType(f.MediaType)
	if err != nil || len(parameters) > 0 || mediaType != f.MediaType || strings.Count(mediaType, "/") != 1 {
		return fmt.Errorf("the media type %q is not one in lower case without parameters", f.MediaType)
	}
	if f.Extension == "" || strings.ContainsAny(f.Extension, "./\\ \"") {
		return fmt.Errorf("the extension %q is not one without a dot", f.Extension)
	}
	return nil
}

func checkRefusal(r dataexport.Renderer, d dataset, refusal error) error {
	if again := r.Check(d.info); again == nil || again.Error() != refusal.Error() {
		return fmt.Errorf("a second call of Check returned %w, and the first one %w", orNil(again), refusal)
	}
	if refusal.Error() == "" {
		return errors.New("the refusal of Check does not say why")
	}
	return nil
}
