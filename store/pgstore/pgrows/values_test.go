package pgrows

import (
	"math"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dataexport/dataexport"
)

const types = `
	CREATE TYPE mood AS ENUM ('sad', 'happy');
	CREATE DOMAIN label AS text CHECK (value <> '');
	CREATE DOMAIN short_label AS label;
	CREATE DOMAIN amount AS numeric(12, 2);
	CREATE DOMAIN labels AS text[];
	CREATE TYPE pair AS (a int, b int);`

// Each value is read by pgrows and, independently, as PostgreSQL prints it or as pgx scans it.
func TestValues(t *testing.T) {
	pool := newPool(t)
	execute(t, pool, types)
	citext := createCitext(t, pool)
	scan := func(t *testing.T, expression string, target any) {
		require.NoError(t, pool.QueryRow(t.Context(), "SELECT "+expression).Scan(target), expression)
	}
	// printed is what PostgreSQL prints.
	printed := func(t *testing.T, expression string) (s string) {
		scan(t, "("+expression+")::text", &s)
		return s
	}
	check := map[dataexport.Kind]func(t *testing.T, expression string, v dataexport.Value){
		dataexport.KindString: func(t *testing.T, e string, v dataexport.Value) {
			var want string
			scan(t, "format('%s', "+e+")", &want) // a cast to text would take blanks from the end of char(n)
			assert.Equal(t, want, v.Text())
		},
		dataexport.KindInt: func(t *testing.T, e string, v dataexport.Value) {
			assert.Equal(t, printed(t, e), strconv.FormatInt(v.Int(), 10))
		},
		dataexport.KindFloat: func(t *testing.T, e string, v dataexport.Value) {
			want, err := strconv.ParseFloat(printed(t, e), 64)
			require.NoError(t, err)
			if math.IsNaN(want) {
				assert.True(t, math.IsNaN(v.Float()))
				return
			}
			assert.Equal(t, math.Float64bits(want), math.Float64bits(v.Float()), "%v %v", want, v.Float())
		},
		dataexport.KindBool: func(t *testing.T, e string, v dataexport.Value) {
			var want bool
			scan(t, e, &want)
			assert.Equal(t, want, v.Bool())
		},
		dataexport.KindTime: func(t *testing.T, e string, v dataexport.Value) {
			var want time.Time
			scan(t, "("+e+")::timestamptz", &want)
			assert.Equal(t, want.UTC(), v.Time())
		},
		dataexport.KindJSON: func(t *testing.T, e string, v dataexport.Value) {
			assert.Equal(t, printed(t, e), v.Text())
			assert.False(t, v.Trusted())
		},
		dataexport.KindStrings: func(t *testing.T, e string, v dataexport.Value) {
			var want []string
			scan(t, "coalesce((SELECT array_agg(format('%s', x)) FROM unnest("+e+") x), '{}')", &want)
			assert.Equal(t, want, v.Strings()[:len(v.Strings()):len(v.Strings())])
		},
		dataexport.KindUUID: func(t *testing.T, e string, v dataexport.Value) {
			var want [16]byte
			scan(t, e, &want)
			assert.Equal(t, want, *v.UUID())
		},
		dataexport.KindDecimal: func(t *testing.T, e string, v dataexport.Value) {
			assert.Equal(t, printed(t, e), v.Text())
		},
	}
	for kind, expressions := range map[dataexport.Kind][]string{
		dataexport.KindString: {
			"''::text", "'a'", "'é😀, \"x\"\n'::varchar(20)", "'ab '::char(5)", "'n'::name", "repeat('xyz', 700000)", "'happy'::mood",
			"'d'::label", "'d'::short_label", "'6ba7b810-9dad-11d1-80b4-00c04fd430c8'::uuid", "'00000000-0000-0000-0000-000000000000'::uuid",
		},
		dataexport.KindInt: {
			"0::smallint", "(-32768)::smallint", "32767::smallint", "(-2147483648)::integer", "2147483647::integer",
			"(-9223372036854775808)::bigint", "9223372036854775807::bigint", "4294967295::oid",
		},
		dataexport.KindFloat: {
			"0.1::real", "3.4028235e38::real", "1e-45::real", "'-0'::real", "16777217::real", "1e10::real", "123456.79::real",
			"0.1::float8", "1.7976931348623157e308::float8", "5e-324::float8", "'-0'::float8", "'NaN'::float8", "'NaN'::real",
			"'Infinity'::real", "'-Infinity'::float8",
		},
		dataexport.KindBool: {"true", "false"},
		dataexport.KindTime: {
			"'2026-01-15T10:30:00.123456Z'::timestamptz", "'1969-12-31T23:59:59.999999Z'::timestamptz", "'1999-12-31T23:59:59.000001Z'::timestamptz",
			"'4713-01-01 00:00:00+00 BC'::timestamptz", "'294276-12-31 23:59:59.999999+00'::timestamptz", "'2000-01-01 00:00:00+00'::timestamptz",
			"'0001-01-01'::date", "'9999-12-31'::date", "'4714-11-24 BC'::date", "'294276-12-31'::date",
			"'2026-01-15T10:30:00.5+02:00'::text", "'2026-01-15T10:30:00Z'::varchar",
		},
		dataexport.KindJSON: {
			`'{"b": [1, 2.50, "x, y: z"], "a": null}'::jsonb`, `'null'::jsonb`, `'""'::jsonb`, `'{ "b" :1,  "a":2 }'::json`, `'{"a":1}'::text`, "'[1'::text",
			"to_jsonb(repeat('😀', 100000))",
		},
		dataexport.KindStrings: {
			"'{}'::text[]", "'{a}'::text[]", "'{a,\"\",\"NULL\",é😀}'::varchar[]", "'[5:6]={a,b}'::text[]", "'{x,y}'::char(3)[]", "'{n}'::name[]",
			"'{sad,happy}'::mood[]", "'{a,b}'::label[]", "'{a,b}'::labels", "(SELECT array_agg(g::text) FROM generate_series(1, 100000) g)",
		},
		dataexport.KindUUID: {"'6ba7b810-9dad-11d1-80b4-00c04fd430c8'::uuid", "'ffffffff-ffff-ffff-ffff-ffffffffffff'::uuid"},
		dataexport.KindDecimal: {
			"0::numeric", "0.00::numeric", "1::numeric", "-1::numeric", "10000::numeric", "99999999::numeric", "0.0001::numeric", "0.00001::numeric",
			"-0.000000001::numeric", "1.10::numeric", "12345.678900::numeric", "1e20::numeric", "1e-20::numeric", "100000000.00000001::numeric",
			"19.9::amount", "10::numeric ^ 1000", "1 / 3::numeric", "repeat('9', 131072)::numeric", "('0.' || repeat('1', 16383))::numeric",
			"('-' || repeat('12345678', 16384) || '.' || repeat('09', 8000))::numeric", "(-32768)::smallint", "5::integer", "(-9223372036854775808)::bigint",
		},
	} {
		for _, e := range expressions {
			t.Run(kind.String()+" "+e[:min(len(e), 60)], func(t *testing.T) {
				v, err := queryValue(t.Context(), pool, kind, e)
				require.NoError(t, err)
				require.Equal(t, kind, v.Kind())
				check[kind](t, e, v)
			})
		}
	}
	if citext {
		v, err := queryValue(t.Context(), pool, dataexport.KindString, "'Ab'::citext")
		require.NoError(t, err)
		assert.Equal(t, "Ab", v.Text())
		v, err = queryValue(t.Context(), pool, dataexport.KindStrings, "'{Ab}'::citext[]")
		require.NoError(t, err)
		assert.Equal(t, []string{"Ab"}, v.Strings())
	}
}

func createCitext(t *testing.T, pool *pgxpool.Pool) bool {
	if _, err := pool.Exec(t.Context(), "CREATE EXTENSION citext"); err != nil {
		t.Log("without citext:", err)
		return false
	}
	return true
}

// A timestamp without a zone is taken as UTC, whatever the zone of the session.
func TestTimestampIsUTC(t *testing.T) {
	pool := newPool(t, func(c *pgxpool.Config) { c.ConnConfig.RuntimeParams["timezone"] = "Asia/Tokyo" })
	for _, e := range []string{"'2026-01-15 10:30:00.25'::timestamp", "'2026-01-15 19:30:00.25'::timestamptz", "'2026-01-15T10:30:00.250Z'::text"} {
		v, err := queryValue(t.Context(), pool, dataexport.KindTime, e)
		require.NoError(t, err)
		assert.Equal(t, time.Date(2026, 1, 15, 10, 30, 0, 250e6, time.UTC), v.Time(), e)
	}
	v, err := queryValue(t.Context(), pool, dataexport.KindTime, "'2026-01-15'::date")
	require.NoError(t, err)
	assert.Equal(t, time.Date(2026, 1, 15, 0, 0, 0, 0, time.UTC), v.Time())
}

func TestNullsOfAllKinds(t *testing.T) {
	pool := newPool(t)
	execute(t, pool, types)
	for kind, typeName := range castTo {
		v, err := queryValue(t.Context(), pool, kind, "NULL::"+typeName)
		require.NoError(t, err)
		assert.True(t, v.IsNull(), typeName)
	}
}

func TestValuesThatExportsDoNotHave(t *testing.T) {
	pool := newPool(t)
	for _, test := range []struct {
		kind                dataexport.Kind
		expression, message string
	}{
		{dataexport.KindTime, "'infinity'::timestamptz", "infinity"},
		{dataexport.KindTime, "'-infinity'::timestamp", "infinity"},
		{dataexport.KindTime, "'infinity'::date", "infinity"},
		{dataexport.KindTime, "'-infinity'::date", "infinity"},
		{dataexport.KindTime, "'2026-01-15 10:30:00'::text", "RFC 3339"},
		{dataexport.KindTime, "''::text", "RFC 3339"},
		{dataexport.KindDecimal, "'NaN'::numeric", "NaN or infinity"},
		{dataexport.KindDecimal, "'Infinity'::numeric", "NaN or infinity"},
		{dataexport.KindDecimal, "'-Infinity'::numeric", "NaN or infinity"},
		{dataexport.KindStrings, "ARRAY['a', NULL]", "array_remove"},
		{dataexport.KindStrings, "ARRAY[['a'], ['b']]", "2 dimensions"},
	} {
		_, err := queryValue(t.Context(), pool, test.kind, test.expression)
		require.ErrorIs(t, err, dataexport.ErrBadRow, test.expression)
		assert.ErrorContains(t, err, `column "v"`, test.expression)
		assert.ErrorContains(t, err, test.message, test.expression)
	}
}

// Each type that pgrows knows, and some that it does not, is tried as each kind: either there is a conversion, or the error
// names column, type and kind, and says what to do.
func TestTypesThatDoNotFit(t *testing.T) {
	pool := newPool(t)
	execute(t, pool, types)
	fits := map[string]string{ // the kinds of a value of each type
		"''::text": "string time json", "''::varchar": "string time json", "''::name": "string time json", "''::char(1)": "string time json",
		"'sad'::mood": "string time json", "'a'::label": "string time json", "1::smallint": "int decimal", "1::integer": "int decimal",
		"1::bigint": "int decimal", "1::oid": "int decimal", "1::real": "float", "1::float8": "float", "true": "bool", "now()": "time",
		"now()::timestamp": "time", "now()::date": "time", "'1'::json": "json", "'1'::jsonb": "json", "'{}'::text[]": "strings",
		"'{}'::mood[]": "strings", "gen_random_uuid()": "uuid string", "1.5": "decimal", "1::amount": "decimal",
		"''::bytea": "", "'1'::money": "", "now()::time": "", "'1 day'::interval": "", "'{1}'::int[]": "", "'{}'::uuid[]": "", "ROW(1, 2)::pair": "",
		"'(1,2)'::point": "", "'127.0.0.1'::inet": "", "'[1,2)'::int4range": "", "B'1'": "", "'a'::\"char\"": "", "'{}'::pair[]": "", "ROW(1)": "",
	}
	for expression, kinds := range fits {
		for kind, cast := range castTo {
			columns := []dataexport.Column{{Name: "v", Kind: kind, Nullable: true}}
			var err error
			for _, err = range Query(t.Context(), pool, columns, "SELECT "+expression+" AS v WHERE false") {
				break // there is no row, but perhaps an error
			}
			if containsWord(kinds, kind.String()) {
				require.NoError(t, err, "%s as %s", expression, kind)
				continue
			}
			require.ErrorIs(t, err, dataexport.ErrInvalid, "%s as %s", expression, kind)
			assert.ErrorContains(t, err, `column "v" is of the type `)
			assert.ErrorContains(t, err, "cannot be read as "+kind.String()+"; cast it to "+cast)
		}
	}
	_, err := queryValue(t.Context(), pool, dataexport.KindString, "'1'::money")
	assert.ErrorContains(t, err, `column "v" is of the type money, which cannot be read as string; cast it to text`)
}

func containsWord(list, word string) bool {
	for w := range strings.FieldsSeq(list) {
		if w == word {
			return true
		}
	}
	return false
}

func TestColumnsMustBeThoseOfTheCollection(t *testing.T) {
	pool := newPool(t)
	columns := []dataexport.Column{{Name: "a", Kind: dataexport.KindInt}, {Name: "b", Kind: dataexport.KindString}, {Name: "c", Kind: dataexport.KindBool}}
	fault := func(sql string) error {
		for _, err := range Query(t.Context(), pool, columns, sql) {
			return err
		}
		return nil
	}
	require.NoError(t, fault("SELECT 1 AS a, 'x' AS b, true AS c"))
	err := fault("SELECT 1 AS a, 2 AS \"B\", 3 AS c")
	require.ErrorIs(t, err, dataexport.ErrInvalid)
	assert.ErrorContains(t, err, `column 2 of the query is "B", and that of the collection is "b"; use AS`)
	assert.ErrorContains(t, err, `column "c" is of the type integer, which cannot be read as bool; cast it to boolean`, "all faults at once")
	err = fault("SELECT 1 AS a")
	require.ErrorIs(t, err, dataexport.ErrInvalid)
	assert.ErrorContains(t, err, "1 columns, and the collection has 3")
	assert.ErrorContains(t, fault("SELECT nothing"), "nothing")
}

// Texts and integers are asked for as text, which is the cheapest for PostgreSQL, and everything else in binary format, also types that
// only look like a text: nobody knows how an extension prints its own.
func TestFormats(t *testing.T) {
	pool := newPool(t)
	execute(t, pool, types)
	for expression, want := range map[string]struct {
		kind   dataexport.Kind
		format int16
	}{
		"'x'::text":            {dataexport.KindString, pgtype.TextFormatCode},
		"'x'::varchar(3)":      {dataexport.KindString, pgtype.TextFormatCode},
		"'x'::char(3)":         {dataexport.KindString, pgtype.TextFormatCode},
		"'x'::name":            {dataexport.KindString, pgtype.TextFormatCode},
		"'x'::short_label":     {dataexport.KindString, pgtype.TextFormatCode},
		"'sad'::mood":          {dataexport.KindString, pgtype.BinaryFormatCode},
		"'{x}'::text[]":        {dataexport.KindStrings, pgtype.BinaryFormatCode},
		"'1'::json":            {dataexport.KindJSON, pgtype.TextFormatCode},
		"'1'::jsonb":           {dataexport.KindJSON, pgtype.TextFormatCode},
		"'2026-01-02'::date":   {dataexport.KindTime, pgtype.BinaryFormatCode},
		"now()":                {dataexport.KindTime, pgtype.BinaryFormatCode},
		"gen_random_uuid()":    {dataexport.KindUUID, pgtype.BinaryFormatCode},
		"1":                    {dataexport.KindInt, pgtype.TextFormatCode},
		"1::bigint":            {dataexport.KindDecimal, pgtype.TextFormatCode},
		"1::smallint":          {dataexport.KindInt, pgtype.TextFormatCode},
		"1.5::float8":          {dataexport.KindFloat, pgtype.BinaryFormatCode},
		"true":                 {dataexport.KindBool, pgtype.BinaryFormatCode},
		"'1.5'::numeric(12,2)": {dataexport.KindDecimal, pgtype.BinaryFormatCode},
	} {
		r := newReader([]dataexport.Column{{Name: "v", Kind: want.kind}})
		require.NoError(t, r.query(t.Context(), pool, "SELECT "+expression+" AS v", nil, func(dataexport.Row, error) bool { return true }), expression)
		assert.Equal(t, pgx.QueryResultFormats{want.format}, r.formats(), expression)
	}
}

// Results are in the formats that they must be in, whatever way of running queries the host has chosen.
func TestAllModes(t *testing.T) {
	for _, mode := range []pgx.QueryExecMode{
		pgx.QueryExecModeCacheStatement, pgx.QueryExecModeCacheDescribe, pgx.QueryExecModeDescribeExec, pgx.QueryExecModeExec, pgx.QueryExecModeSimpleProtocol,
	} {
		pool := newPool(t, func(c *pgxpool.Config) { c.ConnConfig.DefaultQueryExecMode = mode })
		execute(t, pool, types)
		for range 2 {
			columns := []dataexport.Column{{Name: "n", Kind: dataexport.KindInt}, {Name: "m", Kind: dataexport.KindString}}
			n := 0
			for row, err := range Query(t.Context(), pool, columns, "SELECT g AS n, 'sad'::mood AS m FROM generate_series(1, @n::int) g WHERE g > @after", pgx.NamedArgs{"n": 10, "after": 3}) {
				require.NoError(t, err, mode)
				n++
				assert.Equal(t, int64(3+n), row[0].Int())
				assert.Equal(t, "sad", row[1].Text())
			}
			assert.Equal(t, 7, n, mode)
		}
	}
}
