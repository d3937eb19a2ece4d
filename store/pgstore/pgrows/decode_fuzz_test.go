package pgrows

import (
	"math/big"
	"slices"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5/pgtype"

	"github.com/dataexport/dataexport"
)

// What pgrows reads as a numeric is the number that pgx reads, with as many digits behind the point as the value says.
func FuzzNumeric(f *testing.F) {
	types := pgtype.NewMap()
	for _, text := range []string{"0", "0.00", "1", "-1.5", "10000", "0.0001", "123456789.000123", "-0.00000000000001", "1000000000000000000000000000000", "99999999999999999999.99"} {
		var n pgtype.Numeric
		if err := n.Scan(text); err != nil {
			f.Fatal(err)
		}
		raw, err := types.Encode(pgtype.NumericOID, pgtype.BinaryFormatCode, n, nil)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(raw)
	}
	f.Add([]byte{0, 2, 0, 3, 0, 0, 0, 0, 0, 1, 0, 2}) // groups that are left out before the point
	f.Add([]byte{0, 1, 0xff, 0xfe, 0x40, 0, 0, 9, 0, 1})
	f.Fuzz(func(t *testing.T, raw []byte) {
		text, err := appendNumeric(nil, raw)
		if err != nil {
			return
		}
		if weight := int16(uint16(raw[2])<<8 | uint16(raw[3])); weight < -200 || weight > 200 || len(raw) > 1000 {
			return // pgx takes long for those; TestValues has some
		}
		var n pgtype.Numeric
		if err := types.Scan(pgtype.NumericOID, pgtype.BinaryFormatCode, raw, &n); err != nil {
			t.Fatalf("%s, and pgx refuses it: %v", text, err)
		}
		scale := int(raw[6])<<8 | int(raw[7])
		got := strings.TrimPrefix(string(text), "-")
		if want := written(n, scale); got != want {
			t.Fatalf("%s, and pgx reads %s", text, want)
		}
		if sign := n.Int.Sign(); sign > 0 && text[0] == '-' || sign < 0 && text[0] != '-' {
			t.Fatalf("%s has not the sign %d", text, sign)
		}
	})
}

// written writes the amount of a number with that many digits behind the point; PostgreSQL keeps no more of them.
func written(n pgtype.Numeric, scale int) string {
	digits := new(big.Int).Abs(n.Int).String()
	behind := int(-n.Exp)
	if behind < 0 {
		digits, behind = digits+strings.Repeat("0", -behind), 0
	}
	if missing := behind + 1 - len(digits); missing > 0 {
		digits = strings.Repeat("0", missing) + digits
	}
	whole, fraction := digits[:len(digits)-behind], digits[len(digits)-behind:]
	if whole = strings.TrimLeft(whole, "0"); whole == "" {
		whole = "0"
	}
	if scale == 0 {
		return whole
	}
	return whole + "." + (fraction + strings.Repeat("0", scale))[:scale]
}

// What pgrows reads as a list is the list that pgx reads; what pgx writes is read again.
func FuzzTexts(f *testing.F) {
	types := pgtype.NewMap()
	encode := func(list []string) []byte {
		raw, err := types.Encode(pgtype.TextArrayOID, pgtype.BinaryFormatCode, list, nil)
		if err != nil {
			f.Fatal(err)
		}
		return raw
	}
	for _, list := range [][]string{{}, {"a"}, {"", "é", "a,b\x00"}, {strings.Repeat("x", 300)}} {
		f.Add(encode(list), strings.Join(list, "|"))
	}
	f.Add([]byte{0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 25, 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 1}, "a|b")
	f.Fuzz(func(t *testing.T, raw []byte, joined string) {
		if got, err := appendTexts(nil, raw); err == nil {
			var want []string
			if err := types.Scan(pgtype.TextArrayOID, pgtype.BinaryFormatCode, raw, &want); err != nil {
				t.Fatalf("%q, and pgx refuses it: %v", got, err)
			}
			if !slices.Equal(got, want) {
				t.Fatalf("%q, and pgx reads %q", got, want)
			}
		}
		list := strings.Split(joined, "|")
		got, err := appendTexts(nil, encode(list))
		if err != nil || !slices.Equal(got, list) {
			t.Fatalf("%q %v, not %q", got, err, list)
		}
	})
}

// No bytes make decoding panic, or give a value of another kind than the column's.
func FuzzDecode(f *testing.F) {
	for _, raw := range []string{"", "\x01", "2026-01-15T10:30:00Z", "\x01{}", "12345678", "1234", "12", "0123456789abcdef"} {
		f.Add([]byte(raw))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		for kind, forms := range conversions {
			for form, as := range forms {
				r := newReader([]dataexport.Column{{Name: "v", Kind: kind}})
				r.fields = []field{{name: "v", as: as}}
				err := r.decode([][]byte{raw})
				if err == nil && r.row[0].Kind() != kind && raw != nil {
					t.Fatalf("%s of form %d is %s", kind, form, r.row[0].Kind())
				}
			}
		}
	})
}
