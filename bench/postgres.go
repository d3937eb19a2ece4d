package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"

	"github.com/jackc/pgx/v5"

	"github.com/dataexport/dataexport/bench/internal/program"
	"github.com/dataexport/dataexport/bench/internal/race"
	"github.com/dataexport/dataexport/bench/internal/records"
	"github.com/dataexport/dataexport/memory"
	"github.com/dataexport/dataexport/store/pgstore/postgrestest"
)

// The sides of ours in the races from databases.
const (
	snapshot = "dataexport, one snapshot"
	pages    = "dataexport, pages by key"
	parallel = "dataexport, one snapshot, two connections"
)

// runPostgres exports a table of a PostgreSQL server of its own.
func runPostgres(ctx context.Context, b *bench) error {
	ratios := slices.Concat(postgresRatios("csv", 0), []race.Ratio{typicalRatio()}, postgresRatios("json", 0))
	psql, err := program.FindPsql()
	if err != nil {
		b.skip(fmt.Sprintf("psql is missing: %v", err), ratios...)
		return nil
	}
	server, err := postgrestest.Start(postgrestest.Options{Settings: []string{"shared_buffers=256MB"}})
	if errors.Is(err, postgrestest.ErrNoPostgres) {
		b.skip(err.Error(), ratios...)
		return nil
	}
	if err != nil {
		return err
	}
	table := &postgresTable{url: server.URL("postgres"), generator: records.NewGenerator(records.Dirty)}
	return errors.Join(b.runDatabase(ctx, table, []string{"csv", "json"}, func(format string, records int) *race.Race {
		return postgresRace(table.url, psql, b.directory, format, records)
	}), server.Stop())
}

func typicalRatio() race.Ratio {
	return race.Ratio{Name: "postgres-csv/typical", Target: 4.5, Ours: snapshot, Theirs: []string{typical}}
}

// postgresRatios returns the ratios of exports of so many records. That of two connections has a target where there are enough for
// the second one to pay.
func postgresRatios(format string, records int) []race.Ratio {
	if format == "json" {
		return []race.Ratio{{Name: "postgres-json/psql", Target: 2.5, Ours: snapshot, Theirs: []string{`psql \copy`}}}
	}
	both := race.Ratio{Name: "postgres-csv/psql (two connections)", Ours: parallel, Theirs: []string{`psql \copy`}}
	if records >= million {
		both.Target = 1.6
	}
	return []race.Ratio{{Name: "postgres-csv/psql", Target: 1.4, Ours: snapshot, Theirs: []string{`psql \copy`}}, both}
}

// typical is the program that reads everything into a slice and has gocsv write it. It needs 1.5 GB for a million records, so that it is
// given no more than typicalMost.
const (
	typical     = "database/sql, a slice and gocsv"
	typicalMost = 2_000_000
)

// selection is the query that all programs run.
const selection = `SELECT id, workspace_id, content, user_id, agent_id, session_id, priority, status, categories, metadata,` +
	` access_count, last_accessed_at, created_at, updated_at FROM memories` +
	` WHERE workspace_id = '` + records.Workspace + `' ORDER BY created_at, id`

func postgresRace(url, psql, directory, format string, records int) *race.Race {
	output := func(name string) string { return filepath.Join(directory, "postgres-"+name+"."+format) }
	copied, options := selection, `format csv, header`
	if format == "json" {
		// Plain COPY would write each backslash twice. With a quotation mark that does not occur, CSV leaves JSON as it is.
		copied, options = `SELECT row_to_json(m) FROM (`+selection+`) m`, `format csv, quote E'\x01', delimiter E'\x02'`
	}
	r := &race.Race{Title: "PostgreSQL to a file of " + format, Ratios: postgresRatios(format, records), Sides: []race.Side{
		program.Side(snapshot, program.Task{Program: "postgres", Database: url, Format: format, Output: output("snapshot")}),
		program.Side(pages, program.Task{Program: "postgres", Database: url, Format: format, Output: output("pages"), Pages: true}),
		program.Foreign(`psql \copy`, output("psql"), false, psql, "--no-psqlrc", "--quiet", "--set=ON_ERROR_STOP=1", "--dbname", url,
			"--command", fmt.Sprintf(`\copy (%s) to '%s' with (%s)`, copied, output("psql"), options)),
	}}
	if format == "csv" {
		r.Sides = append(r.Sides, program.Side(parallel, program.Task{
			Program: "postgres", Database: url, Format: format, Output: output("parallel"), Connections: 2,
		}))
	}
	if format == "json" && records == million {
		r.Sides = append(r.Sides, program.Side(withoutHash, program.Task{
			Program: "postgres", Database: url, Format: format, Output: output("unhashed"), Unhashed: true,
		}))
		r.Ratios = append(r.Ratios, hashRatio("postgres", snapshot))
	}
	if format == "csv" && records <= typicalMost {
		r.Sides = append(r.Sides, program.Side(typical, program.Task{Program: "typical", Database: url, Output: output("typical")}))
		r.Ratios = append(r.Ratios, typicalRatio())
	}
	return r
}

// A postgresTable is the table memories.
type postgresTable struct {
	url       string
	generator *records.Generator
	created   bool
}

const postgresSchema = `CREATE TABLE memories (
	workspace_id     text COLLATE "C" NOT NULL,
	id               text COLLATE "C" NOT NULL,
	content          text NOT NULL,
	user_id          text,
	agent_id         text,
	session_id       uuid,
	priority         text,
	status           text,
	categories       text[],
	metadata         jsonb,
	access_count     bigint,
	last_accessed_at timestamptz,
	created_at       timestamptz NOT NULL,
	updated_at       timestamptz,
	PRIMARY KEY (workspace_id, id)
);
CREATE INDEX memories_in_order ON memories (workspace_id, created_at, id)`

// grow adds records to the table.
func (t *postgresTable) grow(ctx context.Context, n int) (err error) {
	conn, err := pgx.Connect(ctx, t.url)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, conn.Close(ctx)) }()
	if !t.created {
		if _, err := conn.Exec(ctx, postgresSchema); err != nil {
			return err
		}
		t.created = true
	}
	columns := make([]string, 0, 14)
	for _, column := range memory.Info().Collections[0].Columns {
		columns = append(columns, column.Name)
	}
	left := n
	_, err = conn.CopyFrom(ctx, pgx.Identifier{"memories"}, columns, pgx.CopyFromFunc(func() ([]any, error) {
		if left == 0 {
			return nil, nil
		}
		left--
		r := t.generator.Next()
		return []any{
			r.ID, r.WorkspaceID, r.Content, r.UserID, r.AgentID, r.SessionID, r.Priority, r.Status,
			r.Categories, r.Metadata, r.AccessCount, r.LastAccessedAt, r.CreatedAt, r.UpdatedAt,
		}, nil
	}))
	if err != nil {
		return err
	}
	_, err = conn.Exec(ctx, "VACUUM (ANALYZE, FREEZE) memories") // else the first to read would do it
	return err
}
