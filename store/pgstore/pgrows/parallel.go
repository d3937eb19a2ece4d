package pgrows

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/dataexport/dataexport"
)

// workerChunks is how many chunks a worker may fill ahead: a piece, and a part of the next one.
const workerChunks = pieceBytes/chunkSize + 2

// A parallel is the reading of one table over several connections. Each has a worker, which takes one piece of the table
// after the other and copies its records into chunks; the consumer takes the chunks in order of the pieces. A worker that
// has filled all of its chunks waits until some come back. Since the chunks of each are its own, the one whose piece is
// consumed always goes on.
type parallel struct {
	view   *view
	pieces *pieces
	reader *reader // of the consumer
}

// parallel returns what is needed to read a table over several connections, or nil if it is too small for that.
func (v *view) parallel(ctx context.Context, s *statement, r *reader, key []string) (*parallel, error) {
	p := &pieces{statement: s, key: key, size: leastPiece}
	last, err := p.end(ctx, v.tx, keyReader(s, r), p.size)
	if err != nil || last == nil {
		return nil, err
	}
	if v.id == "" {
		if err := v.tx.QueryRow(ctx, "SELECT pg_export_snapshot()").Scan(&v.id); err != nil {
			return nil, explain(ctx, err)
		}
	}
	// The pieces that wait for the consumer have each a chunk at least, but for the last one and those that are just cut.
	p.ordered = make(chan *piece, v.connections*(workerChunks+1)+1)
	return &parallel{view: v, pieces: p, reader: r}, nil
}

// read passes the records on, until the consumer stops. All goroutines have ended when it returns.
func (p *parallel) read(ctx context.Context, yield func(dataexport.Row, error) bool) error {
	ctx, cancel := context.WithCancel(ctx)
	working, stop := context.WithCancel(ctx)
	var workers sync.WaitGroup
	defer func() { // also if the consumer panics
		stop()
		defer time.AfterFunc(dropTime, cancel).Stop()
		workers.Wait()
		cancel()
	}()
	for i := range p.view.connections {
		w := newWorker(p.pieces, p.reader)
		if i == 0 {
			w.tx = p.view.tx
		}
		workers.Go(func() { w.run(ctx, working, p.view) })
	}
	return p.consume(ctx, yield)
}

// consume passes on what the workers read, piece by piece.
func (p *parallel) consume(ctx context.Context, yield func(dataexport.Row, error) bool) error {
	values := make([][]byte, len(p.reader.columns))
	for cut := range p.pieces.ordered {
		for c := range cut.chunks {
			if ctx.Err() != nil {
				return explain(ctx, ctx.Err())
			}
			for data := c.data; len(data) > 0; {
				var err error
				if data, err = cutRecord(data, values); err != nil {
					return err
				}
				if err := p.reader.decode(values); err != nil {
					return err
				}
				if !yield(p.reader.row, nil) {
					return nil
				}
			}
			c.empty()
			cut.owner.free <- c
		}
		if cut.err != nil {
			return cut.err
		}
	}
	if ctx.Err() != nil { // for which the last pieces may be missing
		return explain(ctx, ctx.Err())
	}
	return nil
}

// A worker reads pieces over a connection.
type worker struct {
	pieces *pieces
	tx     pgx.Tx
	raw    *reader // of records, which it does not decode
	keys   *reader // of keys alone
	free   chan *chunk

	chunk          *chunk // that is being filled
	records, bytes int    // of this piece
}

func newWorker(p *pieces, r *reader) *worker {
	w := &worker{pieces: p, keys: keyReader(p.statement, r), raw: newReader(r.columns), free: make(chan *chunk, workerChunks)}
	w.raw.fields = slices.Clone(r.fields)
	for range workerChunks {
		w.free <- &chunk{}
	}
	return w
}

// keyReader returns a reader of the key of what another one reads.
func keyReader(s *statement, r *reader) *reader {
	var columns []dataexport.Column
	var fields []field
	for _, i := range s.table.Collection.Key() {
		columns, fields = append(columns, r.columns[i]), append(fields, r.fields[i])
	}
	keys := newReader(columns)
	keys.fields = fields
	return keys
}

// run reads pieces until there are no more, or working is done, and then gives back the connection if it has taken one. When
// ctx is done, the connection is closed.
func (w *worker) run(ctx, working context.Context, v *view) {
	if w.tx == nil {
		tx, err := v.join(working)
		if err != nil {
			w.pieces.fail(working, err)
			return
		}
		defer rollback(tx)
		w.tx = tx
	}
	for working.Err() == nil {
		cut := w.pieces.next(ctx, working, w)
		if cut == nil {
			return
		}
		cut.err = w.read(ctx, working, cut)
		close(cut.chunks)
		if cut.err != nil {
			return
		}
	}
	w.pieces.fail(working, explain(working, working.Err()))
}

// read copies the records of a piece.
func (w *worker) read(ctx, working context.Context, cut *piece) error {
	w.records, w.bytes = 0, 0
	sql, args := w.pieces.rows(cut)
	var stopped error
	err := w.raw.queryRaw(ctx, w.tx, sql, []any{args}, func(values [][]byte) (bool, error) {
		size := recordSize(values)
		if w.chunk == nil || !w.chunk.fits(size) {
			if stopped = w.exchange(working, cut); stopped != nil {
				return false, nil
			}
		}
		w.chunk.add(values, size)
		w.records++
		w.bytes += size
		return true, nil
	})
	if err == nil {
		err = stopped
	}
	if err == nil && w.chunk != nil {
		cut.chunks <- w.chunk
		w.chunk = nil
	}
	if w.records > 0 {
		w.pieces.learn(w.records, w.bytes)
	}
	return err
}

// exchange hands the chunk that is full over, and takes a free one. It waits for one until working is done.
func (w *worker) exchange(working context.Context, cut *piece) error {
	if w.chunk != nil {
		cut.chunks <- w.chunk
		w.chunk = nil
	}
	select {
	case w.chunk = <-w.free:
		return nil
	case <-working.Done():
		return explain(working, working.Err())
	}
}

// join begins a transaction that sees what the view sees. A pool that has no connection to spare is waited for: the workers
// that have one read on.
func (v *view) join(ctx context.Context) (pgx.Tx, error) {
	tx, err := v.db.BeginTx(ctx, pgx.TxOptions{IsoLevel: pgx.RepeatableRead, AccessMode: pgx.ReadOnly})
	if err != nil {
		return nil, explain(ctx, err)
	}
	// It takes no arguments; the id is PostgreSQL's own, of hexadecimal digits and dashes.
	if _, err := tx.Exec(ctx, "SET TRANSACTION SNAPSHOT '"+v.id+"'"); err != nil {
		rollback(tx)
		return nil, explain(ctx, err)
	}
	return tx, nil
}

// checkConnections reports that further connections cannot be had.
func (s *Snapshot) checkConnections() error {
	_, pooled := s.DB.(interface {
		Acquire(ctx context.Context) (*pgxpool.Conn, error)
	})
	if s.Connections > 1 && !pooled {
		return fmt.Errorf("%w: pgrows: a %T has no %d connections; use a *pgxpool.Pool, or leave out Connections", dataexport.ErrInvalid, s.DB, s.Connections)
	}
	return nil
}
