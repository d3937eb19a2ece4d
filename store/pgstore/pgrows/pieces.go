package pgrows

import (
	"context"
	"maps"
	"strconv"
	"strings"
	"sync"

	"github.com/jackc/pgx/v5"

	"github.com/dataexport/dataexport"
)

// The sizes of pieces. The number of records is a power of two, so that there are few different statements to plan. It
// becomes as large as pieces of pieceBytes need, as far as the records so far tell.
const (
	leastPiece = 1 << 10
	mostPiece  = 1 << 14
	pieceBytes = 7 << 18
)

// A piece is a range of the key, with what a worker reads of it.
type piece struct {
	behind []any // the key of the record before the first, or nil
	last   []any // the key of the last record, or nil if the piece goes to the end
	size   int   // how many records there are from behind to last

	chunks chan *chunk // closed when err is set
	owner  *worker     // to whom the chunks go back
	err    error
}

// pieces cut the records of a statement into consecutive ranges of the key. All methods may be called by several workers.
//
// Where a piece ends is found by letting PostgreSQL step over its records, mostly in the index, which takes a small part
// of the time that it takes to read them. In between the ranges of two pieces there is nothing, whatever their sizes, and
// since all workers see the same snapshot, no record is in two of them or in none.
type pieces struct {
	statement *statement
	key       []string // in SQL

	turn    sync.Mutex  // whose turn it is to cut; held while PostgreSQL looks for the end of a piece
	behind  []any       // where the next piece begins
	size    int         // of the next piece
	done    bool        // the last piece is cut
	ordered chan *piece // in the order of the key; closed with the last one
}

// next cuts a piece for a worker. It returns nil when there are no more.
func (p *pieces) next(ctx, working context.Context, w *worker) *piece {
	p.turn.Lock()
	defer p.turn.Unlock()
	if p.done {
		return nil
	}
	cut := &piece{behind: p.behind, size: p.size, owner: w, chunks: make(chan *chunk, workerChunks)}
	if cut.last, cut.err = p.end(ctx, w.tx, w.keys, cut.size); cut.err != nil {
		close(cut.chunks)
	}
	p.hand(working, cut)
	if cut.err != nil {
		return nil
	}
	return cut
}

// fail makes an error the last piece.
func (p *pieces) fail(working context.Context, err error) {
	p.turn.Lock()
	defer p.turn.Unlock()
	if p.done {
		return
	}
	cut := &piece{chunks: make(chan *chunk), err: err}
	close(cut.chunks)
	p.hand(working, cut)
}

// hand puts a piece into the order. There is room for it, unless the condition of the statement is not the same each time.
func (p *pieces) hand(working context.Context, cut *piece) {
	select {
	case p.ordered <- cut:
	case <-working.Done(): // then nobody needs it
	}
	p.behind = cut.last
	if cut.last == nil {
		p.done = true
		close(p.ordered)
	}
}

// learn says how large some records were, by which the size of the next pieces is chosen.
func (p *pieces) learn(records, bytes int) {
	size := leastPiece
	for size < mostPiece && 2*size*bytes <= pieceBytes*records {
		size *= 2
	}
	p.turn.Lock()
	p.size = size
	p.turn.Unlock()
}

// end returns the key of the record that many records on, or nil if there are fewer.
func (p *pieces) end(ctx context.Context, db DB, keys *reader, size int) (last []any, err error) {
	sql, args := p.bounded(p.statement.columns(keys.columns), p.behind, nil)
	sql += " OFFSET " + strconv.Itoa(size-1) + " LIMIT 1"
	all := make([]int, len(keys.columns))
	for i := range all {
		all[i] = i
	}
	err = keys.query(ctx, db, sql, []any{args}, func(row dataexport.Row, _ error) bool {
		last = keyOf(row, all)
		return true
	})
	return last, err
}

// rows returns the statement that reads a piece. Its limit is not needed, but tells PostgreSQL how little that is. It lets
// through one record more, so that a key that is not unique is seen by whoever checks the order of the records.
func (p *pieces) rows(cut *piece) (string, pgx.StrictNamedArgs) {
	sql, args := p.bounded(p.statement.rows(), cut.behind, cut.last)
	if cut.last != nil {
		sql += " LIMIT " + strconv.Itoa(cut.size+1)
	}
	return sql, args
}

// bounded puts what is behind a key, up to another, in order.
func (p *pieces) bounded(sql string, behind, last []any) (string, pgx.StrictNamedArgs) {
	order := strings.Join(p.key, ", ")
	args := maps.Clone(p.statement.args)
	if behind != nil {
		sql += " AND (" + order + ") > " + keyArguments(args, "key_", behind)
	}
	if last != nil {
		sql += " AND (" + order + ") <= " + keyArguments(args, "last_", last)
	}
	return sql + " ORDER BY " + order, args
}
