package pgrows

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/dataexport/dataexport"
)

// A conversion says how the bytes of a value become a Value.
type conversion uint8

const (
	asText conversion = iota
	asTimestamp
	asDate
	asTimeText
	asInteger
	asFloat32
	asFloat64
	asBool
	asJSON
	asStrings
	asUUID
	asUUIDText
	asNumeric
	asDigits
)

// conversions are the ways from a form on the wire to a kind.
var conversions = map[dataexport.Kind]map[form]conversion{
	dataexport.KindString:  {formText: asText, formUUID: asUUIDText},
	dataexport.KindInt:     {formInteger: asInteger},
	dataexport.KindFloat:   {formFloat32: asFloat32, formFloat64: asFloat64},
	dataexport.KindBool:    {formBool: asBool},
	dataexport.KindTime:    {formTimestamp: asTimestamp, formDate: asDate, formText: asTimeText},
	dataexport.KindJSON:    {formJSON: asJSON, formText: asJSON},
	dataexport.KindStrings: {formTexts: asStrings},
	dataexport.KindUUID:    {formUUID: asUUID},
	dataexport.KindDecimal: {formNumeric: asNumeric, formInteger: asDigits},
}

// castTo says to which type of PostgreSQL a column of a kind can be cast.
var castTo = map[dataexport.Kind]string{
	dataexport.KindString:  "text",
	dataexport.KindInt:     "bigint",
	dataexport.KindFloat:   "double precision",
	dataexport.KindBool:    "boolean",
	dataexport.KindTime:    "timestamptz",
	dataexport.KindJSON:    "jsonb",
	dataexport.KindStrings: "text[]",
	dataexport.KindUUID:    "uuid",
	dataexport.KindDecimal: "numeric",
}

// plan returns how each column of a result is read. Its error names every column that cannot be.
func plan(ctx context.Context, conn *pgx.Conn, columns []dataexport.Column, described []pgconn.FieldDescription) ([]field, error) {
	if len(described) != len(columns) {
		return nil, fmt.Errorf("%w: pgrows: the query results in %d columns, and the collection has %d", dataexport.ErrInvalid, len(described), len(columns))
	}
	fields := make([]field, len(columns))
	var faults []error
	for i, column := range columns {
		if name := described[i].Name; name != column.Name {
			faults = append(faults, fmt.Errorf("column %d of the query is %q, and that of the collection is %q; use AS where names differ", i+1, name, column.Name))
			continue
		}
		t, err := resolve(ctx, conn, described[i].DataTypeOID)
		if err != nil {
			return nil, err
		}
		as, ok := conversions[column.Kind][t.form]
		if !ok {
			faults = append(faults, fmt.Errorf("column %q is of the type %s, which cannot be read as %s; cast it to %s", column.Name, t.name, column.Kind, castTo[column.Kind]))
			continue
		}
		fields[i] = field{name: column.Name, oid: described[i].DataTypeOID, format: t.format(), as: as, byCollation: t.byCollation}
	}
	if len(faults) > 0 {
		return nil, fmt.Errorf("%w: pgrows: %w", dataexport.ErrInvalid, errors.Join(faults...))
	}
	return fields, nil
}
