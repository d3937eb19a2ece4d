package main

import (
	"context"
	"fmt"
	"io"
	"iter"
	"time"

	"github.com/dataexport/dataexport"
	"github.com/dataexport/dataexport/bench/internal/records"
	"github.com/dataexport/dataexport/memory"
)

// datasetOf makes a dataset of records that are in the order of their key, as a host has them from its database.
func datasetOf(list *records.List) dataexport.Dataset {
	return memory.Dataset(func(context.Context, dataexport.Query) iter.Seq2[*memory.Record, error] {
		return func(yield func(*memory.Record, error) bool) {
			for r := range list.All() {
				if !yield(r, nil) {
					return
				}
			}
		}
	})
}

// everything asks for all records.
func everything() dataexport.Query {
	return dataexport.Query{Scope: dataexport.Scope{WorkspaceID: records.Workspace}}
}

// export writes a dataset through the engine: with the checks of every row, and the SHA-256 of the file.
func export(ctx context.Context, w io.Writer, d dataexport.Dataset, r dataexport.Renderer) (int64, error) {
	summary, err := dataexport.Export(ctx, w, d, r, everything())
	return summary.Bytes, err
}

// renderAlone writes a dataset without the engine: on one goroutine, without checks and hash. It is what the libraries that
// we are compared with do too.
func renderAlone(ctx context.Context, w io.Writer, d dataexport.Dataset, r dataexport.Renderer) (n int64, err error) {
	info := d.Info()
	source, err := d.Open(ctx, everything())
	if err != nil {
		return 0, err
	}
	defer func() { err = firstOf(err, source.Close()) }()
	counted := &countingWriter{target: w}
	encoder, err := r.Open(ctx, counted, &dataexport.Doc{Info: info, Time: time.Now().UTC()})
	if err != nil {
		return 0, err
	}
	defer func() { err = firstOf(err, encoder.Close()) }()
	if err := encoder.Begin(&info.Collections[0]); err != nil {
		return 0, err
	}
	summary := dataexport.Summary{Counts: make([]int64, 1)}
	for row, err := range source.Rows(ctx, 0) {
		if err != nil {
			return 0, err
		}
		if err := encoder.Row(row); err != nil {
			return 0, fmt.Errorf("record %d: %w", summary.Records, err)
		}
		summary.Records++
	}
	summary.Counts[0] = summary.Records
	err = encoder.Finish(summary)
	return counted.bytes, err
}

// firstOf returns the first error that there is.
func firstOf(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

// A countingWriter counts what it passes on.
type countingWriter struct {
	target io.Writer
	bytes  int64
}

func (w *countingWriter) Write(b []byte) (int, error) {
	n, err := w.target.Write(b)
	w.bytes += int64(n)
	return n, err
}
