package pgrows

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"
)

// A form is how the values of a type are written by PostgreSQL, in the format in which they are asked for.
type form uint8

const (
	formUnknown   form = iota
	formText           // the bytes of the text
	formTexts          // an array of text
	formInteger        // decimal digits, behind a minus sign if it is negative
	formFloat32        // IEEE 754 in network byte order
	formFloat64        //
	formBool           // one byte, 0 or 1
	formTimestamp      // microseconds since 2000-01-01 as 64 bits
	formDate           // days since 2000-01-01 as 32 bits
	formJSON           // the text
	formUUID           // sixteen bytes
	formNumeric        // see numeric.go
)

// A pgType is a type as far as reading it goes.
type pgType struct {
	name        string
	form        form
	byCollation bool // PostgreSQL orders its values as text, by a collation
	// inText has values asked for in text format. The bytes of a text are the same in both formats, and an integer is as easily
	// read in either, but PostgreSQL makes a buffer of a kilobyte for each value in binary format, which costs it a tenth of the
	// time of an export.
	inText bool
}

// format returns the code of the format in which values are asked for.
func (t pgType) format() int16 {
	if t.inText {
		return pgtype.TextFormatCode
	}
	return pgtype.BinaryFormatCode
}

// builtin are the types that every PostgreSQL has under the same number.
var builtin = map[uint32]pgType{
	pgtype.TextOID:         {name: "text", form: formText, byCollation: true, inText: true},
	pgtype.VarcharOID:      {name: "character varying", form: formText, byCollation: true, inText: true},
	pgtype.BPCharOID:       {name: "character", form: formText, byCollation: true, inText: true},
	pgtype.NameOID:         {name: "name", form: formText, byCollation: true, inText: true},
	pgtype.TextArrayOID:    {name: "text[]", form: formTexts},
	pgtype.VarcharArrayOID: {name: "character varying[]", form: formTexts},
	pgtype.BPCharArrayOID:  {name: "character[]", form: formTexts},
	pgtype.NameArrayOID:    {name: "name[]", form: formTexts},
	pgtype.Int2OID:         {name: "smallint", form: formInteger, inText: true},
	pgtype.Int4OID:         {name: "integer", form: formInteger, inText: true},
	pgtype.Int8OID:         {name: "bigint", form: formInteger, inText: true},
	pgtype.OIDOID:          {name: "oid", form: formInteger, inText: true},
	pgtype.Float4OID:       {name: "real", form: formFloat32},
	pgtype.Float8OID:       {name: "double precision", form: formFloat64},
	pgtype.BoolOID:         {name: "boolean", form: formBool},
	pgtype.TimestamptzOID:  {name: "timestamp with time zone", form: formTimestamp},
	pgtype.TimestampOID:    {name: "timestamp without time zone", form: formTimestamp},
	pgtype.DateOID:         {name: "date", form: formDate},
	pgtype.JSONOID:         {name: "json", form: formJSON, inText: true},
	pgtype.JSONBOID:        {name: "jsonb", form: formJSON, inText: true},
	pgtype.UUIDOID:         {name: "uuid", form: formUUID},
	pgtype.NumericOID:      {name: "numeric", form: formNumeric},
}

// textSenders are PostgreSQL's functions that write a value as the bytes of its text. Types of extensions, such as citext,
// use them too.
var textSenders = map[string]bool{"textsend": true, "varcharsend": true, "bpcharsend": true, "namesend": true, "enum_send": true}

// resolve returns what a type is. Those that a database has beyond the built-in ones are looked up in its catalogue, and
// domains lead to the type that they are based on.
func resolve(ctx context.Context, conn *pgx.Conn, oid uint32) (pgType, error) {
	if t, ok := builtin[oid]; ok {
		return t, nil
	}
	const sql = `SELECT format_type(t.oid, NULL), p.prosrc, t.typbasetype, CASE WHEN t.typcategory = 'A' THEN t.typelem ELSE 0 END
		FROM pg_catalog.pg_type t LEFT JOIN pg_catalog.pg_proc p ON p.oid = t.typsend WHERE t.oid = $1`
	var name string
	var send *string
	var base, element uint32
	err := conn.QueryRow(ctx, sql, oid).Scan(&name, &send, &base, &element)
	switch {
	case errors.Is(err, pgx.ErrNoRows):
		return pgType{name: fmt.Sprintf("number %d", oid)}, nil
	case err != nil:
		return pgType{}, fmt.Errorf("looking up a type: %w", err)
	case base != 0:
		t, err := resolve(ctx, conn, base)
		t.name = name
		return t, err
	case element != 0:
		t, err := resolve(ctx, conn, element)
		if t.form == formText {
			return pgType{name: name, form: formTexts}, err
		}
		return pgType{name: name}, err
	case send != nil && textSenders[*send]:
		return pgType{name: name, form: formText}, nil // an enum has an order of its own, and citext folds case
	}
	return pgType{name: name}, nil
}
