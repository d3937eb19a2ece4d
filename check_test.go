package dataexport

import (
	"math"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestEveryRowIsChecked(t *testing.T) {
	collection := Collection{Name: "things", Columns: []Column{
		{Name: "id", Kind: KindString, Role: RoleID, Key: 2},
		{Name: "workspace", Kind: KindString, Role: RoleTenant},
		{Name: "at", Kind: KindTime, Key: 1},
		{Name: "weight", Kind: KindFloat, Nullable: true},
	}}
	require.NoError(t, collection.Validate())
	row := func(id string, at int64) Row {
		return Row{StringValue(id), StringValue("acme"), UnixValue(at, 0), FloatValue(1)}
	}
	with := func(r Row, column int, v Value) Row {
		r[column] = v
		return r
	}
	tests := []struct {
		name string
		rows []Row
		want string // "" if all are good
	}{
		{"none", nil, ""},
		{"ascending", []Row{row("a", 1), row("b", 1), row("B", 2), row("a", 3)}, ""},
		{"null where allowed", []Row{with(row("a", 1), 3, Value{})}, ""},
		{"null where not allowed", []Row{with(row("a", 1), 2, Value{})}, "record 1: column at is null and must not be"},
		{"wrong kind", []Row{row("a", 1), with(row("b", 1), 3, IntValue(1))}, "record 2: column weight is of kind int and must be of kind float"},
		{"not a number", []Row{with(row("a", 1), 3, FloatValue(math.NaN()))}, "record 1: column weight is NaN, which is no number"},
		{"infinity", []Row{with(row("a", 1), 3, FloatValue(math.Inf(-1)))}, "record 1: column weight is -Inf, which is no number"},
		{"too short", []Row{row("a", 1)[:3]}, "record 1: it has 3 values for 4 columns"},
		{"too long", []Row{append(row("a", 1), Value{})}, "record 1: it has 5 values for 4 columns"},
		{"foreign", []Row{row("a", 1), with(row("b", 1), 1, StringValue("Acme"))}, `record 2: it is of workspace "Acme", and the export is of workspace "acme"`},
		{"twice", []Row{row("a", 1), row("a", 1)}, "record 2: it has the same key as the record before it"},
		{"descending in the first", []Row{row("a", 2), row("b", 1)}, "record 2: its key is smaller"},
		{"descending in the second", []Row{row("b", 1), row("a", 1)}, "record 2: its key is smaller"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			checker := newRowChecker(&collection, "acme")
			borrowed := make(Row, 8)
			var err error
			for _, r := range test.rows {
				clone := r.Clone()
				err = checker.check(borrowed[:copy(borrowed, clone)])
				clear(borrowed) // the row was borrowed
				if err != nil {
					break
				}
			}
			if test.want == "" {
				require.NoError(t, err)
				return
			}
			require.ErrorIs(t, err, ErrBadRow)
			assert.ErrorContains(t, err, "collection things, "+test.want)
		})
	}
}

// The checker keeps the last key by itself: what its values point at may change with the next row.
func TestTheKeyBeforeIsACopy(t *testing.T) {
	collection := Collection{Name: "c", Columns: []Column{
		{Name: "a", Kind: KindString, Key: 1}, {Name: "b", Kind: KindUUID, Key: 2}, {Name: "c", Kind: KindInt, Key: 3}, {Name: "d", Kind: KindString, Key: 4},
	}}
	require.NoError(t, collection.Validate())
	checker := newRowChecker(&collection, "")
	text, last, id := []byte("aaaa"), []byte("zz"), [16]byte{1}
	row := Row{BytesValue(text), UUIDValue(&id), IntValue(1), BytesValue(last)}
	require.NoError(t, checker.check(row))
	copy(text, "aaab")
	require.NoError(t, checker.check(row), "only the text behind the value has grown")
	id[15] = 1
	require.NoError(t, checker.check(row))
	copy(last, "zy")
	assert.ErrorIs(t, checker.check(row), ErrBadRow)
	copy(last, "zz")
	copy(text, "aaaa")
	assert.ErrorIs(t, checker.check(row), ErrBadRow)
}

func TestCheckingARowDoesNotAllocate(t *testing.T) {
	collection := Collection{Name: "c", Columns: []Column{{Name: "n", Kind: KindInt, Key: 1}, {Name: "s", Kind: KindString, Key: 2}}}
	checker := newRowChecker(&collection, "")
	row := Row{IntValue(0), StringValue("some text")}
	n := int64(0)
	assert.Zero(t, testing.AllocsPerRun(1000, func() {
		n++
		row[0] = IntValue(n)
		if err := checker.check(row); err != nil {
			t.Fatal(err)
		}
	}))
}
