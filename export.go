package dataexport

import (
	"context"
	"fmt"
	"io"
	"sync/atomic"
	"time"
)

// Export writes what a query asks for to w, without a job or storage: for a test, a command line, or a response of the
// host's own. It returns what was written.
//
// On an error w may have been given a part of the document, which must not be taken for an export. A zero AsOf sets no
// bound; the time of the document is then now. Export never keeps more than a few buffers in memory, and has ended every
// goroutine that it started when it returns.
func Export(ctx context.Context, w io.Writer, d Dataset, r Renderer, q Query) (Summary, error) {
	info := d.Info()
	if err := info.Validate(); err != nil {
		return Summary{}, err
	}
	if err := info.checkFilter(&q.Filter); err != nil {
		return Summary{}, err
	}
	if info.Personal && q.Scope.Subject == "" {
		return Summary{}, fmt.Errorf("%w: dataset %s is personal, and Query.Scope has no Subject", ErrInvalid, info.Name)
	}
	if q.Scope.WorkspaceID == "" && info.hasTenant() {
		return Summary{}, fmt.Errorf("%w: dataset %s is of workspaces, and Query.Scope has no WorkspaceID", ErrInvalid, info.Name)
	}
	if err := r.Check(info); err != nil {
		return Summary{}, fmt.Errorf("%w: %w", ErrInvalid, err)
	}
	e := export{dataset: d, info: info, renderer: r, query: q, documentTime: q.AsOf}
	if e.documentTime.IsZero() {
		e.documentTime = time.Now()
	}
	return e.run(ctx, w)
}

// An export is one pass from a source to a writer.
type export struct {
	dataset      Dataset
	info         Info
	renderer     Renderer
	query        Query
	documentTime time.Time
	limits       Limits       // Records and Bytes, 0 for no bound
	ready        func() error // called when the first collection is complete; may be nil
	progress     progress
}

// progress is what another goroutine may read while an export runs.
type progress struct {
	records atomic.Int64
	total   atomic.Int64 // less one; 0 means unknown
}

func (p *progress) value() Progress {
	v := Progress{Records: p.records.Load()}
	if total := p.total.Load(); total > 0 {
		total--
		v.Total = &total
	}
	return v
}

// run opens, renders and closes. A panic of the source or the renderer is an error.
func (e *export) run(ctx context.Context, w io.Writer) (_ Summary, err error) {
	defer func() {
		if v := recover(); v != nil {
			err = panicError(v)
		}
	}()
	if err := ctx.Err(); err != nil {
		return Summary{}, context.Cause(ctx)
	}
	// A job may come from a version of the host whose dataset knew more conditions. Without them it would hold too much.
	if err := e.info.checkFilter(&e.query.Filter); err != nil {
		return Summary{}, err
	}
	source, err := e.dataset.Open(ctx, e.query)
	if err != nil {
		return Summary{}, fmt.Errorf("dataexport: opening dataset %s: %w", e.info.Name, err)
	}
	defer func() {
		if closeErr := source.Close(); err == nil && closeErr != nil {
			err = fmt.Errorf("dataexport: closing dataset %s: %w", e.info.Name, closeErr)
		}
	}()
	if counter, ok := source.(Counter); ok {
		total, err := counter.Count(ctx)
		if err != nil {
			return Summary{}, fmt.Errorf("dataexport: counting dataset %s: %w", e.info.Name, err)
		}
		e.progress.total.Store(total + 1)
	}
	pipe := newPipeline(w, e.limits.Bytes)
	defer pipe.stop()
	summary, err := e.render(ctx, source, pipe)
	if err != nil {
		return Summary{}, err
	}
	if err := pipe.finish(); err != nil {
		return Summary{}, fmt.Errorf("dataexport: writing the file: %w", err)
	}
	summary.Bytes = pipe.size
	pipe.sum.Sum(summary.SHA256[:0])
	return summary, nil
}

// render drives the encoder over all collections.
func (e *export) render(ctx context.Context, source Source, pipe *pipeline) (_ Summary, err error) {
	doc := &Doc{Info: e.info, Filter: e.query.Filter, Time: e.documentTime.UTC()}
	encoder, err := e.renderer.Open(ctx, pipe, doc)
	if err != nil {
		return Summary{}, fmt.Errorf("dataexport: beginning the document: %w", err)
	}
	defer func() {
		if closeErr := encoder.Close(); err == nil && closeErr != nil {
			err = fmt.Errorf("dataexport: closing the document: %w", closeErr)
		}
	}()
	summary := Summary{Counts: make([]int64, len(e.info.Collections))}
	for i := range e.info.Collections {
		collection := &e.info.Collections[i]
		if err := encoder.Begin(collection); err != nil {
			return Summary{}, fmt.Errorf("dataexport: collection %s: %w", collection.Name, err)
		}
		n, err := e.renderCollection(ctx, source, encoder, i)
		if err != nil {
			return Summary{}, err
		}
		if collection.Single && n != 1 {
			return Summary{}, fmt.Errorf("%w: collection %s has %d records and must have one", ErrBadRow, collection.Name, n)
		}
		summary.Counts[i] = n
		if !collection.Single {
			summary.Records += n
		}
		if i == 0 && e.ready != nil {
			if err := e.ready(); err != nil {
				return Summary{}, fmt.Errorf("dataexport: beginning to send: %w", err)
			}
		}
	}
	if err := encoder.Finish(summary); err != nil {
		return Summary{}, fmt.Errorf("dataexport: ending the document: %w", err)
	}
	return summary, nil
}

// cancelCheckInterval is after how many rows the context is looked at: often enough to stop at once, seldom enough not
// to be felt.
const cancelCheckInterval = 128

// renderCollection passes the rows of one collection to the encoder and returns how many there were.
func (e *export) renderCollection(ctx context.Context, source Source, encoder Encoder, index int) (int64, error) {
	collection := &e.info.Collections[index]
	checker := newRowChecker(collection, e.query.Scope.WorkspaceID)
	for row, err := range source.Rows(ctx, index) {
		if err != nil {
			return 0, fmt.Errorf("dataexport: collection %s, after record %d: %w", collection.Name, checker.rows, err)
		}
		if checker.rows%cancelCheckInterval == 0 && ctx.Err() != nil {
			break
		}
		if err := checker.check(row); err != nil {
			return 0, err
		}
		if !collection.Single {
			if n := e.progress.records.Add(1); e.limits.Records > 0 && n > e.limits.Records {
				return 0, limitError("records", e.limits.Records)
			}
		}
		if err := encoder.Row(row); err != nil {
			return 0, fmt.Errorf("collection %s, record %d: %w", collection.Name, checker.rows, err)
		}
	}
	// A source that is told to stop may simply end. That is no complete collection.
	if ctx.Err() != nil {
		return 0, context.Cause(ctx)
	}
	return checker.rows, nil
}
