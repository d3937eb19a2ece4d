package archive

import (
	"encoding/json"
	"iter"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dataexport/dataexport"
)

type (
	name   string
	amount int16
	rate   float32
	flag   bool
	names  []name
	digest [16]uint8
	base   struct{ Created time.Time }
	Mixin  struct{ Kind name }
)

// A sample has a field of every type that can be a column, and fields that are none.
type sample struct {
	base
	Mixin
	hidden  int      //nolint:unused // as it is there to be left out
	Skipped chan int `export:"-"`
	NoJSON  func()   `json:"-"`
	Again   string   `json:"-" export:"again"`
	ByJSON  string   `json:"byJson,omitempty"`

	ID       uuid.UUID `export:"id,id,key"`
	Text     string
	Name     name
	Decimal  string  `export:"decimal,decimal"`
	Optional *string `export:"optional,decimal"`
	Int      int
	Int64    int64
	Int32    int32
	Int16    amount
	Int8     int8
	Uint32   uint32
	Uint16   uint16
	Uint8    uint8
	Float64  float64
	Float32  rate
	Bool     flag
	Time     time.Time
	JSON     json.RawMessage
	SureJSON json.RawMessage `export:"sureJson,notnull"`
	List     []string
	Names    names
	SureList []string `export:"sureList,notnull"`
	Digest   digest

	TextP  *name
	IntP   *int64
	UintP  *uint8
	FloatP *rate
	BoolP  *flag
	TimeP  *time.Time
	JSONP  *json.RawMessage
	ListP  *names
	UUIDP  *uuid.UUID
}

func pointer[T any](v T) *T { return &v }

func fullSample() *sample {
	at := time.Date(2024, 2, 29, 23, 59, 59, 123456789, time.UTC)
	return &sample{
		base: base{Created: at}, Mixin: Mixin{Kind: "k"}, Again: "a", ByJSON: "j",
		ID: uuid.UUID{1, 2}, Text: "x", Name: "n", Decimal: "-1.50", Optional: pointer("1e9"), Int: -1, Int64: 1 << 62, Int32: -1 << 31,
		Int16: 1<<15 - 1, Int8: -128, Uint32: 1<<32 - 1, Uint16: 1<<16 - 1, Uint8: 255, Float64: -0.25, Float32: 0.1, Bool: true, Time: at,
		JSON: json.RawMessage(`{"a":1e400}`), SureJSON: json.RawMessage(`null`), List: []string{"a", ""}, Names: names{"b"}, SureList: []string{},
		Digest: digest{15: 9}, TextP: pointer(name("p")), IntP: pointer(int64(0)), UintP: pointer(uint8(7)), FloatP: pointer(rate(2.5)),
		BoolP: pointer(flag(false)), TimeP: &at, JSONP: pointer(json.RawMessage(`[]`)), ListP: pointer(names{"c", "d"}), UUIDP: &uuid.UUID{5},
	}
}

// emptySample is null wherever it can be.
func emptySample() *sample {
	return &sample{SureJSON: json.RawMessage(`0`), SureList: []string{}, Decimal: "0"}
}

func rowOf(t *testing.T, s *sample) dataexport.Row {
	t.Helper()
	one := iter.Seq2[*sample, error](func(yield func(*sample, error) bool) { yield(s, nil) })
	for row, err := range dataexport.RowsOf(one) {
		require.NoError(t, err)
		return row.Clone()
	}
	panic("RowsOf yielded nothing")
}

// What RowsOf reads from the field of a column, set puts back into the same field.
func TestColumnsAndFieldsAgree(t *testing.T) {
	c, err := dataexport.CollectionOf[sample]("samples")
	require.NoError(t, err)
	record := recordTypeOf[sample](c)
	require.Len(t, record.fields, len(c.Columns))
	a, err := New(Definition{Format: "f", Account: Account[sample]("one"), Lists: []Part{List[sample]("samples")}})
	require.NoError(t, err)
	for _, want := range []*sample{fullSample(), emptySample()} {
		row := rowOf(t, want)
		rd := newReading(a, nil, 0)
		d := rd.draft(1)
		for i, v := range row {
			require.Empty(t, d.set(i, v), c.Columns[i].Name)
		}
		assert.Equal(t, want, d.record.Addr().Interface())
	}
}

func TestNumbersThatDoNotFitTheirField(t *testing.T) {
	c, err := dataexport.CollectionOf[sample]("samples")
	require.NoError(t, err)
	a, err := New(Definition{Format: "f", Account: Account[sample]("one"), Lists: []Part{List[sample]("samples")}})
	require.NoError(t, err)
	tests := map[string]dataexport.Value{
		"Int32": dataexport.IntValue(1 << 31), "Int16": dataexport.IntValue(1 << 15), "Int8": dataexport.IntValue(-129),
		"Uint32": dataexport.IntValue(-1), "Uint16": dataexport.IntValue(1 << 16), "Uint8": dataexport.IntValue(256),
		"UintP": dataexport.IntValue(-1), "Float32": dataexport.FloatValue(1e39), "FloatP": dataexport.FloatValue(-1e39),
	}
	for i, column := range c.Columns {
		if v, ok := tests[column.Name]; ok {
			d := newReading(a, nil, 0).draft(1)
			assert.Contains(t, d.set(i, v), "does not fit", column.Name)
			delete(tests, column.Name)
		}
	}
	assert.Empty(t, tests)
}
