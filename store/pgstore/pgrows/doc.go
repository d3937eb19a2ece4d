// Package pgrows makes rows of dataexport from data that a host keeps in PostgreSQL, for any of its own tables. It takes
// values from the bytes that pgx has read from the connection, in PostgreSQL's binary format, or as text where that is the same: there is no struct in
// between, and nothing is allocated for a value or a row.
//
// There are three ways to use it, from the most ready-made to the plainest:
//
//   - Pages reads one table in pages by its key, each a short statement, so that an export that takes an hour holds no
//     snapshot of the database for an hour. It is for datasets such as memories, whose records an export may show in the
//     state in which it found them.
//   - Snapshot reads several tables in one repeatable-read transaction, so that all of them are of the same moment. It is
//     for archives, whose records refer to each other.
//   - Query makes rows of any query.
//
// Pages and Snapshot have a method Open, which is what memory.RowDataset, archive.Archive.Dataset and Dataset take.
//
// # Types
//
// The types of a result are checked once for each query, before it runs, against the columns of the collection. This is
// what becomes what:
//
//	string    text, varchar, char, name, citext, enums; uuid, as text
//	int       smallint, integer, bigint, oid
//	float     real, double precision
//	bool      boolean
//	time      timestamptz; timestamp, taken as UTC; date, as its midnight in UTC; text types that hold RFC 3339
//	json      jsonb, json; text types that hold JSON
//	strings   one-dimensional arrays of the text types
//	uuid      uuid
//	decimal   numeric, with all of its digits; smallint, integer, bigint
//
// A domain is taken as the type that it is based on. Any other type must be cast in the query, mostly to text. NULL is
// null. What an export has no form for is an error that names the column: the infinities of a time, NaN and the infinities
// of a numeric, an array that has NULLs inside or several dimensions.
//
// # Speed
//
// A result is read while it comes in; neither PostgreSQL nor pgx keeps a whole one. Most of the time of an export is then
// PostgreSQL's own. See the benchmarks, which measure against psql's \copy.
//
// Snapshot can read each table over several connections, which see the same snapshot (Snapshot.Connections). The key is cut
// into consecutive pieces of one or two MiB, which are read at the same time and passed on in order. It is meant for large
// exports of a server that has cores to spare: the export is then bound by its own goroutine that renders, no longer by one
// process of PostgreSQL. It does not pay where the export and PostgreSQL keep all cores busy already, since it costs
// PostgreSQL an additional pass over the index, nor for tables of less than a thousand records, which are read over one
// connection anyway. It needs what Pages needs: an index in the order of the key.
// Without one, PostgreSQL would look through the whole table for each piece. It takes about three MiB for each connection.
package pgrows
