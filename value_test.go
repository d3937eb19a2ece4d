package dataexport

import (
	"math"
	"reflect"
	"testing"
	"time"
	"unsafe"

	"github.com/stretchr/testify/assert"
)

func TestValuesGiveBackWhatTheyWereMadeOf(t *testing.T) {
	id := [16]byte{1, 2, 15: 16}
	at := time.Date(2026, 1, 15, 11, 30, 0, 123456789, time.FixedZone("", 3600))
	assert.Equal(t, "text", StringValue("text").Text())
	assert.Equal(t, "", StringValue("").Text())
	assert.Equal(t, "bytes", BytesValue([]byte("bytes")).Text())
	assert.Equal(t, "", BytesValue(nil).Text())
	assert.Equal(t, int64(math.MinInt64), IntValue(math.MinInt64).Int())
	assert.Equal(t, -0.5, FloatValue(-0.5).Float())
	assert.True(t, math.IsNaN(FloatValue(math.NaN()).Float()))
	assert.True(t, BoolValue(true).Bool())
	assert.False(t, BoolValue(false).Bool())
	assert.Equal(t, at.UTC(), TimeValue(at).Time())
	assert.Equal(t, at.UTC(), UnixValue(at.Unix(), 123456789).Time())
	assert.Equal(t, time.Time{}, TimeValue(time.Time{}).Time())
	assert.Equal(t, `{"a":1}`, JSONValue([]byte(`{"a":1}`)).Text())
	assert.False(t, JSONValue([]byte(`{}`)).Trusted())
	assert.True(t, TrustedJSONValue([]byte(`{}`)).Trusted())
	assert.Equal(t, []string{"a", ""}, StringsValue([]string{"a", ""}).Strings())
	assert.Empty(t, StringsValue(nil).Strings())
	assert.Equal(t, KindStrings, StringsValue(nil).Kind(), "an empty list is not null")
	assert.Equal(t, id, *UUIDValue(&id).UUID())
	assert.Equal(t, "19.90", DecimalValue("19.90").Text())
	assert.True(t, Value{}.IsNull())
	assert.False(t, StringValue("").IsNull())
}

func TestAValueOfAnotherKindPanicsAndIsNotMisread(t *testing.T) {
	values := map[Kind]Value{
		KindNull: {}, KindString: StringValue("x"), KindInt: IntValue(1), KindFloat: FloatValue(1), KindBool: BoolValue(true),
		KindTime: UnixValue(1, 1), KindJSON: JSONValue([]byte("1")), KindStrings: StringsValue([]string{"x"}),
		KindUUID: UUIDValue(new([16]byte)), KindDecimal: DecimalValue("1"),
	}
	readers := []struct {
		kinds []Kind
		read  func(Value)
	}{
		{[]Kind{KindString, KindJSON, KindDecimal}, func(v Value) { v.Text() }},
		{[]Kind{KindInt}, func(v Value) { v.Int() }},
		{[]Kind{KindFloat}, func(v Value) { v.Float() }},
		{[]Kind{KindBool}, func(v Value) { v.Bool() }},
		{[]Kind{KindTime}, func(v Value) { v.Time() }},
		{[]Kind{KindTime}, func(v Value) { v.Unix() }},
		{[]Kind{KindStrings}, func(v Value) { v.Strings() }},
		{[]Kind{KindUUID}, func(v Value) { v.UUID() }},
	}
	for kind, v := range values {
		assert.Equal(t, kind, v.Kind())
		for _, r := range readers {
			read := func() { r.read(v) }
			fits := false
			for _, k := range r.kinds {
				fits = fits || k == kind
			}
			if fits {
				assert.NotPanics(t, read, kind)
			} else {
				assert.Panics(t, read, kind)
			}
		}
	}
}

func TestAValueIsSmallAndDoesNotAllocate(t *testing.T) {
	assert.LessOrEqual(t, unsafe.Sizeof(Value{}), uintptr(24))
	assert.LessOrEqual(t, reflect.TypeFor[Value]().NumField(), 4, "more fields than the compiler keeps in registers")
	row := make(Row, 9)
	text, raw, list, id, at := "text", []byte("{}"), []string{"a"}, [16]byte{}, time.Now()
	assert.Zero(t, testing.AllocsPerRun(100, func() {
		row[0], row[1], row[2], row[3] = StringValue(text), IntValue(1), FloatValue(1), BoolValue(true)
		row[4], row[5], row[6], row[7] = TimeValue(at), JSONValue(raw), StringsValue(list), UUIDValue(&id)
		row[8] = DecimalValue(text)
	}))
}

func TestCloneSharesNothing(t *testing.T) {
	text, raw, list, id := []byte("text"), []byte(`{"a":1}`), []string{string([]byte("one")), ""}, [16]byte{7}
	row := Row{
		BytesValue(text), TrustedJSONValue(raw), StringsValue(list), UUIDValue(&id), IntValue(5), {}, UnixValue(3, 4), StringValue(""),
	}
	clone := row.Clone()
	clear(text)
	clear(raw)
	clear(list)
	clear(id[:])
	clear(row)
	assert.Equal(t, "text", clone[0].Text())
	assert.Equal(t, `{"a":1}`, clone[1].Text())
	assert.True(t, clone[1].Trusted())
	assert.Equal(t, []string{"one", ""}, clone[2].Strings())
	assert.Equal(t, [16]byte{7}, *clone[3].UUID())
	assert.Equal(t, int64(5), clone[4].Int())
	assert.True(t, clone[5].IsNull())
	assert.Equal(t, time.Unix(3, 4).UTC(), clone[6].Time())
	assert.Equal(t, "", clone[7].Text())
}
