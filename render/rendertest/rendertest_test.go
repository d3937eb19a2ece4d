package rendertest

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"sync/atomic"
	"testing"

	"github.com/dataexport/dataexport"
	"github.com/dataexport/dataexport/render"
)

// A faulty renderer is JSON with one fault. Each function that is set takes the place of what JSON does.
type faulty struct {
	dataexport.Renderer
	open   func(w io.Writer, doc *dataexport.Doc) io.Writer
	row    func(e dataexport.Encoder, row dataexport.Row) error
	close  func(w io.Writer, e dataexport.Encoder, finished bool) error
	finish func(w io.Writer, e dataexport.Encoder, s dataexport.Summary) error
}

func (f *faulty) Open(ctx context.Context, w io.Writer, doc *dataexport.Doc) (dataexport.Encoder, error) {
	if f.open != nil {
		w = f.open(w, doc)
	}
	encoder, err := f.Renderer.Open(ctx, w, doc)
	return &faultyEncoder{Encoder: encoder, renderer: f, w: w}, err
}

type faultyEncoder struct {
	dataexport.Encoder
	renderer *faulty
	w        io.Writer
	finished bool
}

func (e *faultyEncoder) Row(row dataexport.Row) error {
	if e.renderer.row != nil {
		return e.renderer.row(e.Encoder, row)
	}
	return e.Encoder.Row(row)
}

func (e *faultyEncoder) Finish(s dataexport.Summary) error {
	e.finished = true
	if e.renderer.finish != nil {
		return e.renderer.finish(e.w, e.Encoder, s)
	}
	return e.Encoder.Finish(s)
}

func (e *faultyEncoder) Close() error {
	if e.renderer.close != nil {
		return e.renderer.close(e.w, e.Encoder, e.finished)
	}
	return e.Encoder.Close()
}

type writerFunc func(p []byte) (int, error)

func (f writerFunc) Write(p []byte) (int, error) { return f(p) }

// Each fault is found by the check that is there for it, and JSON without a fault passes all of them.
func TestChecksFindFaults(t *testing.T) {
	var calls atomic.Int64
	for name, f := range map[string]struct {
		fault *faulty
		found func(*subject) error
	}{
		"a document is another one each time": {&faulty{open: func(w io.Writer, doc *dataexport.Doc) io.Writer {
			doc.Info.Layout = dataexport.Layout{Object: true, Head: []dataexport.HeadField{{Name: string(rune('a' + calls.Add(1)%26))}}}
			return w
		}}, checkSameBytes},
		"documents at the same time share a state": {&faulty{open: func(w io.Writer, doc *dataexport.Doc) io.Writer {
			doc.Info.Layout = dataexport.Layout{Object: true, Head: []dataexport.HeadField{{Name: string(rune('a' + calls.Add(1)%26))}}}
			return w
		}}, checkConcurrentDocuments},
		"a row is written late": {lateRows(), checkBorrowedRows},
		"a row is lost": {&faulty{row: func(e dataexport.Encoder, row dataexport.Row) error {
			if row[0].Kind() == dataexport.KindInt && row[0].Int() == 17 {
				return nil
			}
			return e.Row(row)
		}}, checkEveryKind},
		"rows are lost when there are many": {&faulty{row: func(e dataexport.Encoder, row dataexport.Row) error {
			if row[0].Int() > 1900 {
				return nil
			}
			return e.Row(row)
		}}, checkManyRows},
		"an empty document is not well formed": {&faulty{finish: func(w io.Writer, e dataexport.Encoder, s dataexport.Summary) error {
			if s.Records == 0 {
				return nil
			}
			return e.Finish(s)
		}}, checkNoRows},
		"pieces are small": {&faulty{open: func(w io.Writer, _ *dataexport.Doc) io.Writer {
			return writerFunc(func(p []byte) (n int, err error) {
				for n < len(p) && err == nil {
					var m int
					m, err = w.Write(p[n:min(len(p), n+100)])
					n += m
				}
				return n, err
			})
		}}, checkManyRows},
		"bad JSON is no error": {&faulty{row: func(e dataexport.Encoder, row dataexport.Row) error {
			for i, v := range row {
				if v.Kind() == dataexport.KindJSON {
					row[i] = dataexport.TrustedJSONValue([]byte(v.Text()))
				}
			}
			return e.Row(row)
		}}, checkBadJSON},
		"bad JSON is an error without the column": {&faulty{row: func(e dataexport.Encoder, row dataexport.Row) error {
			if e.Row(row) != nil {
				return errors.New("something is wrong")
			}
			return nil
		}}, checkBadJSON},
		"an error of the writer is lost": {&faulty{open: func(w io.Writer, _ *dataexport.Doc) io.Writer {
			return writerFunc(func(p []byte) (int, error) {
				_, _ = w.Write(p)
				return len(p), nil
			})
		}}, checkWriterErrors},
		"the writer is used after it has failed": {&faulty{finish: func(w io.Writer, e dataexport.Encoder, s dataexport.Summary) error {
			err := e.Finish(s)
			if err != nil {
				_, _ = w.Write([]byte("sorry"))
			}
			return err
		}}, checkWriterErrors},
		"the writer is closed": {&faulty{close: func(w io.Writer, e dataexport.Encoder, _ bool) error {
			return errors.Join(e.Close(), w.(io.Closer).Close())
		}}, checkCloseWritesNothing},
		"Close writes": {&faulty{close: func(w io.Writer, e dataexport.Encoder, _ bool) error {
			_, err := w.Write([]byte("."))
			return errors.Join(err, e.Close())
		}}, checkCloseWritesNothing},
		"Close writes what is not finished": {&faulty{close: func(w io.Writer, e dataexport.Encoder, finished bool) error {
			if !finished {
				_, _ = w.Write([]byte("."))
			}
			return e.Close()
		}}, checkCloseEarly},
		"Close of what is not finished fails": {&faulty{close: func(_ io.Writer, e dataexport.Encoder, finished bool) error {
			if !finished {
				return errors.New("not finished")
			}
			return e.Close()
		}}, checkCloseEarly},
		"the description is changed": {&faulty{open: func(w io.Writer, doc *dataexport.Doc) io.Writer {
			doc.Info.Collections[0].Columns[0].Name += "!"
			return w
		}}, checkDescriptionUnchanged},
	} {
		t.Run(name, func(t *testing.T) {
			f.fault.Renderer = render.JSON()
			try := func(r dataexport.Renderer) error {
				return f.found(&subject{renderer: r, options: Options{Count: countList}, dataset: datasets()[0]})
			}
			if err := try(f.fault); err == nil || errors.Is(err, errSkip) {
				t.Errorf("the check found nothing: %v", err)
			}
			if err := try(render.JSON()); err != nil {
				t.Errorf("the check finds a fault where there is none: %v", err)
			}
		})
	}
}

// lateRows returns a renderer that writes each row when the next one comes.
func lateRows() *faulty {
	var kept dataexport.Row
	f := &faulty{}
	f.row = func(e dataexport.Encoder, row dataexport.Row) (err error) {
		if kept != nil {
			err = e.Row(kept)
		}
		kept = row
		return err
	}
	f.finish = func(_ io.Writer, e dataexport.Encoder, s dataexport.Summary) error {
		err := e.Row(kept)
		kept = nil
		return errors.Join(err, e.Finish(s))
	}
	return f
}

func countList(document []byte, _ dataexport.Info) ([]int64, error) {
	var list []json.RawMessage
	err := json.Unmarshal(document, &list)
	return []int64{int64(len(list))}, err
}

type formatOnly struct {
	dataexport.Renderer
	formats []dataexport.Format
	calls   int
}

func (f *formatOnly) Format() dataexport.Format {
	f.calls++
	return f.formats[(f.calls-1)%len(f.formats)]
}

func TestCheckFormat(t *testing.T) {
	good := dataexport.Format{Name: "x-1", MediaType: "application/x", Extension: "x"}
	with := func(change func(*dataexport.Format)) []dataexport.Format {
		f := good
		change(&f)
		return []dataexport.Format{f}
	}
	if err := checkFormat(&formatOnly{formats: []dataexport.Format{good}}); err != nil {
		t.Error(err)
	}
	for _, bad := range [][]dataexport.Format{
		{good, {Name: "other", MediaType: "application/x", Extension: "x"}},
		with(func(f *dataexport.Format) { f.Name = "" }),
		with(func(f *dataexport.Format) { f.Name = "a b" }),
		with(func(f *dataexport.Format) { f.MediaType = "text/csv; charset=utf-8" }),
		with(func(f *dataexport.Format) { f.MediaType = "csv" }),
		with(func(f *dataexport.Format) { f.Extension = ".csv" }),
		with(func(f *dataexport.Format) { f.Extension = "" }),
	} {
		if checkFormat(&formatOnly{formats: bad}) == nil {
			t.Errorf("nothing is found wrong with %+v", bad)
		}
	}
}
