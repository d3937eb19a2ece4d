package pgrows

import (
	"context"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dataexport/dataexport"
)

func shop(db Beginner) (dataexport.Info, Snapshot) {
	customer := dataexport.Collection{Name: "customer", Single: true, Columns: []dataexport.Column{
		{Name: "id", Kind: dataexport.KindString, Role: dataexport.RoleID}, {Name: "displayName", Kind: dataexport.KindString},
	}}
	orders := dataexport.Collection{Name: "orders", Columns: []dataexport.Column{
		{Name: "id", Kind: dataexport.KindInt, Role: dataexport.RoleID, Key: 1}, {Name: "total", Kind: dataexport.KindDecimal},
	}}
	lines := dataexport.Collection{Name: "lines", Columns: []dataexport.Column{
		{Name: "orderId", Kind: dataexport.KindInt, Key: 1}, {Name: "line", Kind: dataexport.KindInt, Key: 2}, {Name: "what", Kind: dataexport.KindString},
	}}
	info := dataexport.Info{Name: "shop", Personal: true, Layout: dataexport.Layout{Object: true}, Collections: []dataexport.Collection{customer, orders, lines}}
	return info, Snapshot{DB: db, Count: true, Tables: []Table{
		{Collection: customer, From: "customers", Select: map[string]string{"displayName": "first || ' ' || last"}, Where: Conditions{Subject: "id"}.Where},
		{Collection: orders, Where: Conditions{Subject: "customer"}.Where},
		{
			Collection: lines, From: "lines JOIN orders ON orders.id = lines.order_id", Select: map[string]string{"orderId": "order_id"},
			Where: Conditions{Subject: "customer"}.Where,
		},
	}}
}

const shopTables = `
	CREATE TABLE customers (id text PRIMARY KEY, first text NOT NULL, last text NOT NULL);
	CREATE TABLE orders (id bigint PRIMARY KEY, customer text NOT NULL, total numeric NOT NULL);
	CREATE TABLE lines (order_id bigint NOT NULL, line int NOT NULL, what text NOT NULL);
	INSERT INTO customers VALUES ('ada', 'Ada', 'L.'), ('bob', 'Bob', 'M.');
	INSERT INTO orders VALUES (2, 'ada', 19.90), (1, 'ada', 5), (3, 'bob', 7);
	INSERT INTO lines VALUES (2, 2, 'b'), (2, 1, 'a'), (1, 1, 'c'), (3, 1, 'd')`

func collect(t *testing.T, s dataexport.Source, collection int) (rows []dataexport.Row) {
	t.Helper()
	for row, err := range s.Rows(t.Context(), collection) {
		require.NoError(t, err)
		rows = append(rows, row.Clone())
	}
	return rows
}

// All collections are of the moment at which the source was opened, also those that are read after a change.
func TestSnapshotIsOfOneMoment(t *testing.T) {
	pool := newPool(t)
	execute(t, pool, shopTables)
	_, snapshot := shop(pool)
	require.NoError(t, snapshot.Check(t.Context()))
	source, err := snapshot.Open(t.Context(), dataexport.Query{Scope: dataexport.Scope{Subject: "ada"}})
	require.NoError(t, err)
	execute(t, pool, "INSERT INTO orders VALUES (4, 'ada', 1)", "DELETE FROM lines", "UPDATE customers SET first = 'X'")

	n, err := source.(dataexport.Counter).Count(t.Context())
	require.NoError(t, err)
	assert.Equal(t, int64(5), n)
	customer := collect(t, source, 0)
	require.Len(t, customer, 1)
	assert.Equal(t, "Ada L.", customer[0][1].Text())
	orders := collect(t, source, 1)
	require.Len(t, orders, 2)
	assert.Equal(t, int64(1), orders[0][0].Int())
	assert.Equal(t, "19.90", orders[1][1].Text())
	lines := collect(t, source, 2)
	require.Len(t, lines, 3)
	assert.Equal(t, "c", lines[0][2].Text())
	assert.Equal(t, "a", lines[1][2].Text())
	for _, err := range source.Rows(t.Context(), 3) {
		require.ErrorIs(t, err, dataexport.ErrInvalid)
	}
	require.NoError(t, source.Close())
	requireUsable(t, pool)
}

// The transaction can only read.
func TestSnapshotIsReadOnly(t *testing.T) {
	pool := newPool(t, oneConnection)
	execute(t, pool, shopTables, "CREATE FUNCTION spoil() RETURNS text LANGUAGE sql AS 'DELETE FROM lines RETURNING what'")
	_, snapshot := shop(pool)
	snapshot.Tables[0].Select["displayName"] = "spoil()"
	source, err := snapshot.Open(t.Context(), dataexport.Query{Scope: dataexport.Scope{Subject: "ada"}})
	require.NoError(t, err)
	for _, err := range source.Rows(t.Context(), 0) {
		require.ErrorContains(t, err, "read-only transaction")
	}
	require.NoError(t, source.Close())
	requireUsable(t, pool)
}

func TestSnapshotOfNobody(t *testing.T) {
	pool := newPool(t, oneConnection)
	execute(t, pool, shopTables)
	_, snapshot := shop(pool)
	_, err := snapshot.Open(t.Context(), dataexport.Query{Scope: dataexport.Scope{Subject: "eve"}})
	require.ErrorIs(t, err, dataexport.ErrNotFound)
	requireUsable(t, pool)
	_, err = snapshot.Open(t.Context(), dataexport.Query{})
	require.ErrorIs(t, err, dataexport.ErrInvalid)
	requireUsable(t, pool)
}

func TestSnapshotCheckNamesEveryFault(t *testing.T) {
	pool := newPool(t, oneConnection)
	execute(t, pool, shopTables, "ALTER TABLE orders ALTER total TYPE money", "ALTER TABLE lines ALTER line TYPE text")
	_, snapshot := shop(pool)
	err := snapshot.Check(t.Context())
	require.ErrorIs(t, err, dataexport.ErrInvalid)
	assert.ErrorContains(t, err, `collection "orders"`)
	assert.ErrorContains(t, err, `column "total" is of the type money, which cannot be read as decimal; cast it to numeric`)
	assert.ErrorContains(t, err, `column "line" is of the type text, which cannot be read as int`)
	requireUsable(t, pool)
}

// However a source is left, Close gives the connection back.
func TestSnapshotCloses(t *testing.T) {
	pool := newPool(t, oneConnection)
	execute(t, pool, shopTables, "INSERT INTO lines SELECT 2, g, 'x' FROM generate_series(10, 200000) g")
	_, snapshot := shop(pool)
	for name, leave := range map[string]func(*testing.T, dataexport.Source){
		"at once": func(*testing.T, dataexport.Source) {},
		"in the middle": func(t *testing.T, s dataexport.Source) {
			for _, err := range s.Rows(t.Context(), 2) {
				require.NoError(t, err)
				break
			}
		},
		"cancelled": func(t *testing.T, s dataexport.Source) {
			ctx, cancel := context.WithCancel(t.Context())
			var last error
			for _, err := range s.Rows(ctx, 2) {
				cancel()
				last = err
			}
			cancel()
			require.ErrorIs(t, last, context.Canceled)
		},
	} {
		t.Run(name, func(t *testing.T) {
			source, err := snapshot.Open(t.Context(), dataexport.Query{Scope: dataexport.Scope{Subject: "ada"}})
			require.NoError(t, err)
			leave(t, source)
			require.NoError(t, source.Close())
			requireUsable(t, pool)
		})
	}
}

var _ Beginner = (*pgx.Conn)(nil)
