package rendertest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"sync"

	"github.com/dataexport/dataexport"
)

// everyRow is the number of rows after which the rows have had every value and every null.
const everyRow = 11 * 24

func checkEveryKind(s *subject) error {
	document, err := s.document(everyRow)
	if err != nil {
		return err
	}
	return s.expectCounts(document, everyRow)
}

func checkNoRows(s *subject) error {
	document, err := s.document(0)
	if err != nil {
		return err
	}
	return s.expectCounts(document, 0)
}

// checkManyRows also holds that the encoder writes in pieces that are worth a system call.
func checkManyRows(s *subject) error {
	const count, leastPiece = 2000, 4096
	w := &recorder{limit: -1}
	if err := s.render(w, s.doc(), count); err != nil {
		return err
	}
	if most := w.size/leastPiece + 10; w.writes > most {
		return fmt.Errorf("the encoder wrote %d bytes in %d pieces; a piece should have at least %d bytes", w.size, w.writes, leastPiece)
	}
	document, err := s.document(count)
	if err != nil {
		return err
	}
	return s.expectCounts(document, count)
}

func checkSameBytes(s *subject) error {
	first, err := s.document(everyRow)
	if err != nil {
		return err
	}
	second, err := s.document(everyRow)
	if err != nil {
		return err
	}
	if !bytes.Equal(first, second) {
		return errors.New("a second document of the same rows is another one: " + firstDifference(first, second))
	}
	return nil
}

func checkBorrowedRows(s *subject) error {
	want, err := s.document(everyRow)
	if err != nil {
		return err
	}
	var got bytes.Buffer
	encoder, err := s.renderer.Open(context.Background(), &got, s.doc())
	if err != nil {
		return err
	}
	defer func() { _ = encoder.Close() }() // The document is what counts here.
	summary, err := s.renderRows(encoder, s.doc(), everyRow, func(e dataexport.Encoder, row dataexport.Row) error {
		defer scribble(row)
		return e.Row(row)
	})
	if err != nil {
		return err
	}
	if err := encoder.Finish(summary); err != nil {
		return err
	}
	if !bytes.Equal(want, got.Bytes()) {
		return errors.New("the encoder looks at a row after Row has returned: " + firstDifference(want, got.Bytes()))
	}
	return nil
}

// checkBadJSON gives each JSON column a text that is none.
func checkBadJSON(s *subject) error {
	for _, bad := range []string{"", "{", `{"a":}`, "nul", "[1,]", "1 2", "\"\n\"", "\xff", `{"a":1}}`} {
		for i, collection := range s.dataset.info.Collections {
			for j, column := range collection.Columns {
				if column.Kind != dataexport.KindJSON {
					continue
				}
				if err := s.badCell(i, j, dataexport.JSONValue([]byte(bad))); err == nil {
					return fmt.Errorf("%q in the JSON column %s is not an error", bad, column.Name)
				} else if !strings.Contains(err.Error(), column.Name) {
					return fmt.Errorf("the error for %q in the JSON column %s does not name the column: %w", bad, column.Name, err)
				}
			}
		}
	}
	return nil
}

// badCell returns the error of an encoder that is given a cell.
func (s *subject) badCell(collection, column int, v dataexport.Value) error {
	w := &recorder{limit: -1}
	encoder, err := s.renderer.Open(context.Background(), w, s.doc())
	if err != nil {
		return err
	}
	defer func() { _ = encoder.Close() }() // The error of the row is what counts here.
	info := s.dataset.info
	for i := range collection + 1 {
		if err := encoder.Begin(&info.Collections[i]); err != nil {
			return err
		}
		if i == collection || info.Collections[i].Single {
			row := s.dataset.row(i, 0)
			if i == collection {
				row[column] = v
			}
			if err := encoder.Row(row); err != nil {
				return err
			}
		}
	}
	return nil
}

// checkWriterErrors lets the writer fail after some bytes. The error must come out of the encoder, and it must not go on.
func checkWriterErrors(s *subject) error {
	document, err := s.document(200)
	if err != nil {
		return err
	}
	size := len(document)
	for _, limit := range []int{0, 1, size / 3, size / 2, size - 1} {
		w := &recorder{limit: limit}
		err := s.render(w, s.doc(), 200)
		if !errors.Is(err, errDisk) {
			return fmt.Errorf("the writer failed after %d of %d bytes, and the encoder returned %w", limit, size, orNil(err))
		}
		if w.abuse != nil {
			return fmt.Errorf("the writer failed after %d of %d bytes: %w", limit, size, w.abuse)
		}
	}
	return nil
}

// orNil makes an error of no error, for messages.
func orNil(err error) error {
	if err == nil {
		return errors.New("no error")
	}
	return err
}

// checkCloseEarly closes encoders that have not finished, at every stage.
func checkCloseEarly(s *subject) error {
	for stage := range 4 {
		w := &recorder{limit: -1}
		doc := s.doc()
		encoder, err := s.renderer.Open(context.Background(), w, doc)
		if err != nil {
			return err
		}
		collection := &doc.Info.Collections[0]
		if stage > 0 {
			if err := encoder.Begin(collection); err != nil {
				return err
			}
		}
		for number := range stage - 1 {
			if collection.Single && number > 0 {
				break
			}
			if err := encoder.Row(s.dataset.row(0, number)); err != nil {
				return err
			}
		}
		w.closed = true
		if err := encoder.Close(); err != nil {
			return fmt.Errorf("Close of a document that is not finished: %w", err)
		}
		if w.abuse != nil {
			return w.abuse
		}
	}
	return nil
}

func checkCloseWritesNothing(s *subject) error {
	w := &recorder{limit: -1}
	doc := s.doc()
	encoder, err := s.renderer.Open(context.Background(), w, doc)
	if err != nil {
		return err
	}
	summary, err := s.renderRows(encoder, doc, everyRow, func(e dataexport.Encoder, row dataexport.Row) error { return e.Row(row) })
	if err == nil {
		err = encoder.Finish(summary)
	}
	if err != nil {
		return err
	}
	w.closed = true
	if err := encoder.Close(); err != nil {
		return err
	}
	return w.abuse
}

// checkConcurrentDocuments writes several documents at the same time.
func checkConcurrentDocuments(s *subject) error {
	want, err := s.document(everyRow)
	if err != nil {
		return err
	}
	errs := make([]error, 8)
	var group sync.WaitGroup
	for i := range errs {
		group.Add(1)
		go func() {
			defer group.Done()
			got, err := s.document(everyRow)
			if err == nil && !bytes.Equal(want, got) {
				err = errors.New("documents that are written at the same time disturb each other: " + firstDifference(want, got))
			}
			errs[i] = err
		}()
	}
	group.Wait()
	return errors.Join(errs...)
}

func checkDescriptionUnchanged(s *subject) error {
	doc, untouched := s.doc(), s.doc()
	for i, d := range datasets() {
		if d.info.Name == doc.Info.Name {
			untouched.Info = datasets()[i].info
		}
	}
	if err := s.render(&recorder{limit: -1}, doc, 3); err != nil {
		return err
	}
	if !reflect.DeepEqual(doc, untouched) {
		return errors.New("the encoder changed the description of the document")
	}
	return nil
}
