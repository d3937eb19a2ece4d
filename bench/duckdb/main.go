// Command duckdb exports records with DuckDB's COPY, for bench to measure it. It is a module of its own, since DuckDB is a large
// library in C++ that not every machine can build.
//
//	duckdb load memories.duckdb memories.csv    makes a database of a CSV file
//	duckdb copy memories.duckdb out.csv csv     writes the records of a database in a format, csv or json
package main

import (
	"database/sql"
	"errors"
	"fmt"
	"os"
	"strings"

	_ "github.com/duckdb/duckdb-go/v2" // the driver "duckdb"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(arguments []string) error {
	switch {
	case len(arguments) == 3 && arguments[0] == "load":
		return execute(arguments[1], fmt.Sprintf(load, quote(arguments[2])))
	case len(arguments) == 4 && arguments[0] == "copy" && arguments[3] == "csv":
		return execute(arguments[1], fmt.Sprintf(`COPY (%s) TO %s (FORMAT csv, HEADER)`, selection, quote(arguments[2])))
	case len(arguments) == 4 && arguments[0] == "copy" && arguments[3] == "json":
		return execute(arguments[1], fmt.Sprintf(`COPY (%s) TO %s (FORMAT json, ARRAY true)`, selection, quote(arguments[2])))
	}
	return errors.New("usage: duckdb load DATABASE CSV, or duckdb copy DATABASE FILE csv|json")
}

const load = `CREATE TABLE memories AS SELECT id, workspace_id, content, user_id, agent_id, session_id::UUID AS session_id, priority, status,
	categories::JSON::VARCHAR[] AS categories, metadata::JSON AS metadata, access_count::BIGINT AS access_count,
	last_accessed_at::TIMESTAMPTZ AS last_accessed_at, created_at::TIMESTAMPTZ AS created_at, updated_at::TIMESTAMPTZ AS updated_at
	FROM read_csv(%s, header = true, all_varchar = true, delim = ',', quote = '"', escape = '"', new_line = '\r\n')`

const selection = `SELECT * FROM memories WHERE workspace_id = 'ws_7f3a9c21' ORDER BY created_at, id`

func quote(text string) string { return "'" + strings.ReplaceAll(text, "'", "''") + "'" }

func execute(database, statement string) (err error) {
	db, err := sql.Open("duckdb", database)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	_, err = db.Exec(statement)
	return err
}
