package dataexport_test

import (
	"context"
	"encoding/json"
	"iter"
	"math"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dataexport/dataexport"
)

type color string

type base struct {
	ID        uuid.UUID `export:"id,id,key"`
	CreatedAt time.Time `json:"created_at,omitempty"`
}

type everything struct {
	base
	Tenant  string           `export:"tenant,tenant"`
	Body    string           `export:"body,body"`
	Color   color            `export:"color"`
	Maybe   *string          `export:"maybe"`
	Int     int              `export:"int"`
	Small   int8             `export:"small"`
	Byte    uint8            `export:"byte"`
	Wide    *int64           `export:"wide"`
	Float   float64          `export:"float"`
	Single  float32          `export:"single"`
	Bool    *bool            `export:"bool"`
	When    *time.Time       `export:"when"`
	Tags    []string         `export:"tags"`
	Labels  []color          `export:"labels,notnull"`
	Raw     json.RawMessage  `export:"raw"`
	RawPtr  *json.RawMessage `export:"raw_ptr"`
	Price   string           `export:"price,decimal"`
	Owner   *uuid.UUID       `export:"owner"`
	NoTag   int32
	Left    chan int `export:"-"`
	Secret  string   `json:"-"`
	private int      //nolint:unused // that it is left out is what the test is about
}

func TestCollectionOf(t *testing.T) {
	c, err := dataexport.CollectionOf[everything]("things")
	require.NoError(t, err)
	want := []dataexport.Column{
		{Name: "id", Kind: dataexport.KindUUID, Role: dataexport.RoleID, Key: 1},
		{Name: "created_at", Kind: dataexport.KindTime},
		{Name: "tenant", Kind: dataexport.KindString, Role: dataexport.RoleTenant},
		{Name: "body", Kind: dataexport.KindString, Role: dataexport.RoleBody},
		{Name: "color", Kind: dataexport.KindString},
		{Name: "maybe", Kind: dataexport.KindString, Nullable: true},
		{Name: "int", Kind: dataexport.KindInt},
		{Name: "small", Kind: dataexport.KindInt},
		{Name: "byte", Kind: dataexport.KindInt},
		{Name: "wide", Kind: dataexport.KindInt, Nullable: true},
		{Name: "float", Kind: dataexport.KindFloat},
		{Name: "single", Kind: dataexport.KindFloat},
		{Name: "bool", Kind: dataexport.KindBool, Nullable: true},
		{Name: "when", Kind: dataexport.KindTime, Nullable: true},
		{Name: "tags", Kind: dataexport.KindStrings, Nullable: true},
		{Name: "labels", Kind: dataexport.KindStrings},
		{Name: "raw", Kind: dataexport.KindJSON, Nullable: true},
		{Name: "raw_ptr", Kind: dataexport.KindJSON, Nullable: true},
		{Name: "price", Kind: dataexport.KindDecimal},
		{Name: "owner", Kind: dataexport.KindUUID, Nullable: true},
		{Name: "NoTag", Kind: dataexport.KindInt},
	}
	assert.Equal(t, want, c.Columns)
	assert.Equal(t, []int{0}, c.Key())
	assert.Equal(t, 3, c.Column(dataexport.RoleBody))
}

func TestRowsOf(t *testing.T) {
	at := time.Date(2026, 1, 15, 10, 30, 0, 0, time.UTC)
	text, wide, truth, raw, owner := "x", int64(math.MinInt64), true, json.RawMessage(`[1]`), uuid.New()
	full := everything{
		base: base{uuid.New(), at}, Tenant: "t", Body: "b", Color: "red", Maybe: &text, Int: -1, Small: -8, Byte: 255, Wide: &wide,
		Float: 0.5, Single: 0.1, Bool: &truth, When: &at, Tags: []string{"a"}, Labels: []color{"c"}, Raw: raw, RawPtr: &raw,
		Price: "1.10", Owner: &owner, NoTag: 9,
	}
	var empty everything
	var rows []dataexport.Row
	for row, err := range dataexport.RowsOf(func(yield func(*everything, error) bool) {
		record := full
		if yield(&record, nil) {
			record = empty // the same pointer
			yield(&record, nil)
		}
	}) {
		require.NoError(t, err)
		rows = append(rows, row.Clone())
	}
	require.Len(t, rows, 2)
	first, second := rows[0], rows[1]
	assert.EqualValues(t, full.ID, *first[0].UUID())
	assert.Equal(t, at, first[1].Time())
	assert.Equal(t, "red", first[4].Text())
	assert.Equal(t, "x", first[5].Text())
	assert.Equal(t, int64(-1), first[6].Int())
	assert.Equal(t, int64(-8), first[7].Int())
	assert.Equal(t, int64(255), first[8].Int())
	assert.Equal(t, wide, first[9].Int())
	assert.Equal(t, 0.5, first[10].Float())
	assert.Equal(t, 0.1, first[11].Float(), "a float32 prints as it did")
	assert.True(t, first[12].Bool())
	assert.Equal(t, at, first[13].Time())
	assert.Equal(t, []string{"a"}, first[14].Strings())
	assert.Equal(t, []string{"c"}, first[15].Strings())
	assert.Equal(t, "[1]", first[16].Text())
	assert.Equal(t, "[1]", first[17].Text())
	assert.Equal(t, dataexport.KindDecimal, first[18].Kind())
	assert.EqualValues(t, owner, *first[19].UUID())
	assert.Equal(t, int64(9), first[20].Int())
	for _, null := range []int{5, 9, 12, 13, 14, 16, 17, 19} {
		assert.True(t, second[null].IsNull(), null)
	}
	assert.Equal(t, dataexport.KindStrings, second[15].Kind(), "notnull makes a nil slice an empty list")
}

func TestCollectionOfRefusesWhatCannotBeAColumn(t *testing.T) {
	type unsigned struct{ N uint64 }
	type mapping struct{ M map[string]int }
	type option struct {
		A string `export:"a,keyed"`
	}
	type place struct {
		A string `export:"a,key=0"`
	}
	type notDecimal struct {
		A int `export:"a,decimal"`
	}
	type nullableKey struct {
		A *string `export:"a,key"`
	}
	type twice struct {
		A string `export:"a"`
		B string `export:"a"`
	}
	type floatKey struct {
		A float64 `export:"a,key"`
	}
	type gap struct {
		A string `export:"a,key=2"`
	}
	type twoBodies struct {
		A string `export:"a,body"`
		B string `export:"b,body"`
	}
	type nullableTenant struct {
		A *string `export:"a,tenant"`
	}
	type embeddedTime struct {
		time.Time
	}
	type pointers struct{ P **int }
	refused := func(want string) func(dataexport.Collection, error) {
		return func(_ dataexport.Collection, err error) {
			t.Helper()
			assert.ErrorIs(t, err, dataexport.ErrInvalid)
			assert.ErrorContains(t, err, want)
		}
	}
	refused("field N of")(dataexport.CollectionOf[unsigned]("c"))
	refused("map[string]int cannot be a column")(dataexport.CollectionOf[mapping]("c"))
	refused(`option "keyed" is unknown`)(dataexport.CollectionOf[option]("c"))
	refused("a number from 1")(dataexport.CollectionOf[place]("c"))
	refused(`option "decimal"`)(dataexport.CollectionOf[notDecimal]("c"))
	refused("cannot be nullable")(dataexport.CollectionOf[nullableKey]("c"))
	refused("there twice")(dataexport.CollectionOf[twice]("c"))
	refused("cannot be of kind float")(dataexport.CollectionOf[floatKey]("c"))
	refused("must be 1 to 1")(dataexport.CollectionOf[gap]("c"))
	refused("the same role")(dataexport.CollectionOf[twoBodies]("c"))
	refused("cannot be a column")(dataexport.CollectionOf[pointers]("c"))
	refused("cannot be nullable")(dataexport.CollectionOf[nullableTenant]("c"))
	refused("must be structs")(dataexport.CollectionOf[int]("c"))
	refused("no columns")(dataexport.CollectionOf[struct{}]("c"))

	embedded, err := dataexport.CollectionOf[embeddedTime]("c")
	require.NoError(t, err)
	assert.Equal(t, []dataexport.Column{{Name: "Time", Kind: dataexport.KindTime}}, embedded.Columns)
	for _, err := range dataexport.RowsOf(func(yield func(*embeddedTime, error) bool) { yield(nil, nil) }) {
		assert.ErrorIs(t, err, dataexport.ErrBadRow)
	}

	for _, err := range dataexport.RowsOf(func(func(*mapping, error) bool) {}) {
		assert.ErrorIs(t, err, dataexport.ErrInvalid)
	}
}

func TestRowsOfDoesNotAllocateForARecord(t *testing.T) {
	run := func(n int) float64 {
		record := everything{Tags: []string{"a"}}
		return testing.AllocsPerRun(10, func() {
			for _, err := range dataexport.RowsOf(func(yield func(*everything, error) bool) {
				for range n {
					if !yield(&record, nil) {
						return
					}
				}
			}) {
				if err != nil {
					t.Fatal(err)
				}
			}
		})
	}
	assert.Equal(t, run(1), run(1000))
}

func TestInfoValidate(t *testing.T) {
	column := []dataexport.Column{{Name: "id", Kind: dataexport.KindString}}
	list := dataexport.Collection{Name: "list", Columns: column}
	single := dataexport.Collection{Name: "one", Columns: column, Single: true}
	object := dataexport.Layout{Object: true, CountsKey: "counts", Head: []dataexport.HeadField{{Name: "format", Value: "v1"}}}
	tests := map[string]dataexport.Info{
		"name must be":                             {Name: "a/b", Collections: []dataexport.Collection{list}},
		"no collections":                           {Name: "a"},
		`no filter "color"`:                        {Name: "a", Filters: []string{"color"}, Collections: []dataexport.Collection{list}},
		"a bare list holds":                        {Name: "a", Collections: []dataexport.Collection{single}},
		"set Layout.Object":                        {Name: "a", Collections: []dataexport.Collection{list, single}},
		`member "list" is there twice`:             {Name: "a", Layout: object, Collections: []dataexport.Collection{list, list}},
		`member "format" is there twice`:           {Name: "a", Layout: object, Collections: []dataexport.Collection{{Name: "format", Columns: column}}},
		`member "counts" is there twice`:           {Name: "a", Layout: object, Collections: []dataexport.Collection{{Name: "counts", Columns: column}}},
		`collection "": it has no name`:            {Name: "a", Collections: []dataexport.Collection{{Columns: column}}},
		`column "x" has no kind that a column can`: {Name: "a", Collections: []dataexport.Collection{{Name: "c", Columns: []dataexport.Column{{Name: "x"}}}}},
	}
	for want, info := range tests {
		t.Run(want, func(t *testing.T) {
			err := info.Validate()
			require.ErrorIs(t, err, dataexport.ErrInvalid)
			assert.ErrorContains(t, err, want)
		})
	}
	valid := dataexport.Info{Name: "a", Layout: object, Collections: []dataexport.Collection{single, list}}
	assert.NoError(t, valid.Validate())
}

func TestNewDatasetIsADatasetOfOneCollection(t *testing.T) {
	type invoice struct {
		Number string `export:"number,id,key"`
	}
	invoices, err := dataexport.NewDataset("invoices", func(_ context.Context, q dataexport.Query) iter.Seq2[*invoice, error] {
		return func(yield func(*invoice, error) bool) {
			_ = yield(&invoice{q.Scope.WorkspaceID + "-1"}, nil) && yield(&invoice{q.Scope.WorkspaceID + "-2"}, nil)
		}
	}, dataexport.DatasetOptions{})
	require.NoError(t, err)
	f := newFixture(t, invoices, nil)
	job, err := f.Runner().RunJob(t.Context(), f.create(t).ID)
	require.NoError(t, err)
	assert.Equal(t, "acme-1\nacme-2\n2 in all\n", f.read(t, job.ID))
}
