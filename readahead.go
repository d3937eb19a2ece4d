package dataexport

import (
	"errors"
	"iter"
	"time"
	"unsafe"
)

// ReadAhead yields the rows of a source, which it ranges over on a goroutine of its own while the consumer is busy with
// earlier ones. It is for sources that keep a core busy, such as a database in the same process or a decryption: an export then takes
// as long as the slower of reading and rendering, and not as both. A source that mostly waits for a server gains little.
//
// Rows are copied, some hundred at a time, into memory that is used again. They are borrowed, as those of any source. Rows that
// come seldom are passed on one by one; only one that comes within ten milliseconds of the rows before it waits for the next. A panic of
// the source becomes an error. When the consumer leaves, the source is told so at its next row, and the goroutine has ended when
// ranging over the result ends.
func ReadAhead(rows iter.Seq2[Row, error]) iter.Seq2[Row, error] {
	return func(yield func(Row, error) bool) {
		a := &readAhead{full: make(chan *batch, batchCount), free: make(chan *batch, batchCount), stop: make(chan struct{})}
		defer func() {
			close(a.stop)
			for range a.full { // until the goroutine closes it
			}
		}()
		go a.read(rows)
		a.pass(yield)
	}
}

// How rows are taken together: enough that handing them over costs nothing, few enough to stay in the processor's cache.
const (
	batchCount = 4 // one being filled, one being read, two waiting
	batchRows  = 256
	batchBytes = 64 << 10
	batchItems = 4 << 10 // of lists, which take 16 bytes each beside their text
	batchTime  = 10 * time.Millisecond
)

// errSourceGone is the error of a source whose goroutine has ended before the source has, as runtime.Goexit does.
var errSourceGone = errors.New("dataexport: the source has ended its goroutine")

// A readAhead is the hand-over between the goroutine that reads and the consumer. Both channels have room for all batches.
type readAhead struct {
	full chan *batch
	free chan *batch
	stop chan struct{} // closed when the consumer has left
	made int           // batches
}

// pass yields the rows that were read, until there are no more or the consumer leaves.
func (a *readAhead) pass(yield func(Row, error) bool) {
	for b := range a.full {
		for _, row := range b.rows {
			if !yield(row, nil) {
				return
			}
		}
		if b.err != nil && !yield(nil, b.err) {
			return
		}
		b.reset()
		a.free <- b
	}
}

// read fills batches until the source ends or the consumer has left.
func (a *readAhead) read(rows iter.Seq2[Row, error]) {
	current, _ := a.next()
	ended := false
	defer func() {
		if v := recover(); v != nil {
			current.err = panicError(v)
		} else if !ended {
			current.err = errSourceGone
		}
		a.full <- current
		close(a.full)
	}()
	for row, err := range rows {
		if current.err = err; err == nil {
			current.add(row)
		}
		if !current.isFull() {
			continue
		}
		a.full <- current
		var goOn bool
		if current, goOn = a.next(); !goOn {
			break
		}
	}
	ended = true
}

// next returns an empty batch, and false if the consumer has left.
func (a *readAhead) next() (b *batch, goOn bool) {
	select {
	case <-a.stop:
		return new(batch), false
	default:
	}
	if a.made < batchCount {
		a.made++
		return &batch{began: time.Now()}, true
	}
	select {
	case b := <-a.free:
		b.began = time.Now()
		return b, true
	case <-a.stop:
		return new(batch), false
	}
}

// A batch is some rows and copies of all that they point at. If there is an error, it came after them. Memory that turns out too small is
// replaced by more; the rows before go on pointing at the old one.
type batch struct {
	rows  []Row
	err   error
	began time.Time // when it was taken to be filled

	values []Value
	text   []byte
	lists  []string
}

func (b *batch) reset() {
	if cap(b.text) > 4*batchBytes || cap(b.lists) > 4*batchItems { // A record was very large, and the next ones need not be.
		*b = batch{}
		return
	}
	b.rows, b.values, b.text, b.lists, b.err = b.rows[:0], b.values[:0], b.text[:0], b.lists[:0], nil
}

// isFull reports whether the batch is to be handed over.
func (b *batch) isFull() bool {
	return b.err != nil || len(b.rows) == batchRows || len(b.text) >= batchBytes || len(b.lists) >= batchItems || time.Since(b.began) >= batchTime
}

// add adds a copy of a row.
func (b *batch) add(row Row) {
	first := len(b.values)
	b.values = append(b.values, row...)
	copied := b.values[first:len(b.values):len(b.values)]
	text := b.text
	for i := range copied {
		v := &copied[i]
		var content []byte
		switch v.kind {
		case KindString, KindJSON, KindDecimal:
			content = unsafe.Slice((*byte)(v.pointer), v.bits)
		case KindUUID:
			content = v.UUID()[:]
		case KindStrings:
			text = b.addList(text, v)
			continue
		default:
			continue
		}
		start := len(text)
		text = append(text, content...)
		v.pointer = unsafe.Pointer(unsafe.SliceData(text[start:]))
	}
	b.text = text
	b.rows = append(b.rows, copied)
}

// addList replaces the list of a value by a copy, whose text it appends to text.
func (b *batch) addList(text []byte, v *Value) []byte {
	first := len(b.lists)
	for _, s := range v.Strings() {
		start := len(text)
		text = append(text, s...)
		b.lists = append(b.lists, unsafe.String(unsafe.SliceData(text[start:]), len(s)))
	}
	v.pointer = unsafe.Pointer(unsafe.SliceData(b.lists[first:]))
	return text
}
