package dataexport

import (
	"fmt"
	"math"
	"time"
	"unsafe"
)

// A Kind is the type of a Value and of the Column it stands in.
type Kind uint8

// The kinds of values. KindNull is the kind of the zero Value only; no column has it.
const (
	KindNull    Kind = iota
	KindString       // text
	KindInt          // a signed integer of 64 bits
	KindFloat        // a finite floating-point number of 64 bits
	KindBool         // true or false
	KindTime         // an instant with nanoseconds
	KindJSON         // one JSON text (RFC 8259)
	KindStrings      // a list of text
	KindUUID         // a UUID (RFC 9562)
	KindDecimal      // a decimal number of any precision, such as an amount of money, written as text
)

// String returns the name of the kind, for example "string".
func (k Kind) String() string {
	if int(k) < len(kindNames) {
		return kindNames[k]
	}
	return fmt.Sprintf("Kind(%d)", uint8(k))
}

var kindNames = [...]string{"null", "string", "int", "float", "bool", "time", "json", "strings", "uuid", "decimal"}

// A Value is one cell of a Row: null, or of one Kind. The zero Value is null.
//
// A Value of a string, JSON, list, UUID or decimal points at memory that its maker owns; see Row for how long that is
// valid. A Value is 24 bytes, and neither making nor reading one allocates.
type Value struct {
	// Four fields at most: the compiler keeps such a struct in registers, and would make a larger one in memory and copy it.
	pointer unsafe.Pointer // the first byte of a text, the first string of a list, the bytes of a UUID
	bits    uint64         // a length, an int64, the bits of a float64, a bool, or seconds since 1970
	extra   uint32         // of a time: its nanoseconds; of JSON: trusted or 0
	kind    Kind
}

// trusted is the extra of JSON that is valid and compact by the word of its maker.
const trusted = 1

// StringValue returns a text. Bytes that are not UTF-8 are allowed; each renderer says what becomes of them.
func StringValue(s string) Value {
	return Value{kind: KindString, pointer: unsafe.Pointer(unsafe.StringData(s)), bits: uint64(len(s))}
}

// BytesValue returns a text whose bytes are b, without copying them: what a driver has in its buffer.
func BytesValue(b []byte) Value { return bytesValue(KindString, b) }

func bytesValue(kind Kind, b []byte) Value {
	return Value{kind: kind, pointer: unsafe.Pointer(unsafe.SliceData(b)), bits: uint64(len(b))}
}

// IntValue returns an integer.
func IntValue(i int64) Value { return Value{kind: KindInt, bits: uint64(i)} }

// FloatValue returns a floating-point number. NaN and the infinities have no place in an export; the engine refuses the
// row that has one.
func FloatValue(f float64) Value { return Value{kind: KindFloat, bits: math.Float64bits(f)} }

// BoolValue returns true or false.
func BoolValue(b bool) Value {
	v := Value{kind: KindBool}
	if b {
		v.bits = 1
	}
	return v
}

// TimeValue returns an instant. Exports write it in UTC, whatever its location.
func TimeValue(t time.Time) Value {
	return Value{kind: KindTime, bits: uint64(t.Unix()), extra: uint32(t.Nanosecond())}
}

// UnixValue returns the instant that is seconds and nanoseconds after 1970-01-01T00:00:00Z. Nanoseconds are 0 to 999,999,999.
func UnixValue(seconds int64, nanoseconds uint32) Value {
	return Value{kind: KindTime, bits: uint64(seconds), extra: nanoseconds}
}

// JSONValue returns a JSON text. Renderers validate and compact it while they write it.
func JSONValue(raw []byte) Value { return bytesValue(KindJSON, raw) }

// TrustedJSONValue returns a JSON text that its maker knows to be valid, compact and UTF-8, such as what a database has
// checked already. It is copied as it is.
func TrustedJSONValue(raw []byte) Value {
	v := bytesValue(KindJSON, raw)
	v.extra = trusted
	return v
}

// StringsValue returns a list of text, which may be empty.
func StringsValue(list []string) Value {
	return Value{kind: KindStrings, pointer: unsafe.Pointer(unsafe.SliceData(list)), bits: uint64(len(list))}
}

// UUIDValue returns the UUID whose sixteen bytes id points at, without copying them.
func UUIDValue(id *[16]byte) Value { return Value{kind: KindUUID, pointer: unsafe.Pointer(id)} }

// DecimalValue returns a decimal number written as text, for example "19.90" or "-3e7".
func DecimalValue(digits string) Value {
	v := StringValue(digits)
	v.kind = KindDecimal
	return v
}

// Kind returns the kind of the value, KindNull if it is null.
func (v Value) Kind() Kind { return v.kind }

// IsNull reports whether the value is null.
func (v Value) IsNull() bool { return v.kind == KindNull }

// textKinds has a bit for each kind that Text reads. Tested so, Text is small enough to be inlined.
const textKinds = 1<<KindString | 1<<KindJSON | 1<<KindDecimal

// Text returns the text of a string, JSON or decimal value, and panics for any other kind.
func (v Value) Text() string {
	if textKinds>>(v.kind&15)&1 == 0 {
		v.mismatch("Text")
	}
	return unsafe.String((*byte)(v.pointer), int(v.bits))
}

// Int returns the integer, and panics for any other kind.
func (v Value) Int() int64 {
	if v.kind != KindInt {
		v.mismatch("Int")
	}
	return int64(v.bits)
}

// Float returns the floating-point number, and panics for any other kind.
func (v Value) Float() float64 {
	if v.kind != KindFloat {
		v.mismatch("Float")
	}
	return math.Float64frombits(v.bits)
}

// Bool returns the truth value, and panics for any other kind.
func (v Value) Bool() bool {
	if v.kind != KindBool {
		v.mismatch("Bool")
	}
	return v.bits != 0
}

// Time returns the instant in UTC, and panics for any other kind.
func (v Value) Time() time.Time {
	seconds, nanoseconds := v.Unix()
	return time.Unix(seconds, int64(nanoseconds)).UTC()
}

// Unix returns the instant as seconds and nanoseconds since 1970-01-01T00:00:00Z, and panics for any other kind.
func (v Value) Unix() (seconds int64, nanoseconds uint32) {
	if v.kind != KindTime {
		v.mismatch("Unix")
	}
	return int64(v.bits), v.extra
}

// Strings returns the list, and panics for any other kind.
func (v Value) Strings() []string {
	if v.kind != KindStrings {
		v.mismatch("Strings")
	}
	return unsafe.Slice((*string)(v.pointer), int(v.bits))
}

// UUID returns the sixteen bytes, and panics for any other kind.
func (v Value) UUID() *[16]byte {
	if v.kind != KindUUID {
		v.mismatch("UUID")
	}
	return (*[16]byte)(v.pointer)
}

// Trusted reports whether the value was made by TrustedJSONValue.
func (v Value) Trusted() bool { return v.kind == KindJSON && v.extra == trusted }

func (v Value) mismatch(method string) {
	panic("dataexport: Value." + method + " of a value of kind " + v.kind.String())
}
