package pgrows

import (
	"context"
	"iter"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"

	"github.com/dataexport/dataexport"
	"github.com/dataexport/dataexport/memory"
	"github.com/dataexport/dataexport/render"
)

// BenchmarkExport writes a table of a million memories, or of 50,000 with -short, to a file, with its SHA-256, over one
// connection. In each round psql's \copy, which computes no digest, and ours take turns, so that what else the machine does
// weighs on all of them. The metrics are how many times as fast as psql the median of each is, and the most memory that the
// process had while pgrows exported.
//
//	go test -run - -bench Export -benchtime 5x ./pgrows
func BenchmarkExport(b *testing.B) {
	count := 1_000_000
	if testing.Short() {
		count = 50_000
	}
	pool := newPool(b)
	fill(b, pool, count)
	psql, err := exec.LookPath("psql")
	if err != nil {
		b.Skip("psql is not installed, with which this compares: ", err)
	}
	folder := b.TempDir()
	const selectAll = "SELECT * FROM memories WHERE workspace_id = 'w' ORDER BY created_at, id"
	for _, format := range []struct {
		renderer dataexport.Renderer
		copy     string
	}{
		{render.CSV(), "(" + selectAll + ") TO '" + filepath.Join(folder, "psql.csv") + "' csv header"},
		{render.JSON(), "(SELECT row_to_json(m) FROM (" + selectAll + ") m) TO '" + filepath.Join(folder, "psql.json") + "'"},
	} {
		b.Run(format.renderer.Format().Name, func(b *testing.B) {
			ours := func(d dataexport.Dataset) func() {
				return func() { exportFile(b, filepath.Join(folder, "ours"), d, format.renderer, count) }
			}
			ways := []struct {
				name string
				run  func()
			}{
				{"psql", func() {
					output, err := exec.Command(psql, "-q", "-X", "-c", `\copy `+format.copy, pool.Config().ConnString()).CombinedOutput()
					require.NoError(b, err, string(output))
				}},
				{"query", ours(memory.RowDataset(func(context.Context, dataexport.Query) (dataexport.Source, error) {
					return dataexport.SourceFunc(func(ctx context.Context, _ int) iter.Seq2[dataexport.Row, error] {
						return Query(ctx, pool, memory.Info().Collections[0].Columns, selectAll)
					}), nil
				}))},
				{"pages", ours(memory.RowDataset(memoryPages(pool, 0).Open))},
				{"scan", ours(memory.Dataset(scanMemories(pool, selectAll)))},
			}
			times := make([][]float64, len(ways))
			most := 0.0
			for b.Loop() {
				for i, way := range ways {
					resetPeak()
					start := time.Now()
					way.run()
					times[i] = append(times[i], time.Since(start).Seconds())
					if way.name == "query" || way.name == "pages" {
						most = max(most, peak())
					}
				}
			}
			for i, way := range ways {
				slices.Sort(times[i])
				if i > 0 {
					b.ReportMetric(times[0][len(times[0])/2]/times[i][len(times[i])/2], way.name+"/psql")
				}
			}
			b.ReportMetric(most, "MiB-peak")
		})
	}
}

func fill(b *testing.B, pool *pgxpool.Pool, count int) {
	execute(b, pool, memoriesTable, `INSERT INTO memories SELECT 'mem_' || lpad(g::text, 12, '0'), 'w',
		'Prefers ' || md5(g::text) || ' over ' || md5((g + 1)::text) || ', and said "so" on day ' || g % 365, CASE WHEN g % 10 > 0 THEN 'user_' || g % 1000 END,
		'agent_' || g % 7, CASE WHEN g % 3 > 0 THEN 'session_' || g % 5000 END, (ARRAY['LOW', 'MEDIUM', 'HIGH'])[1 + g % 3], 'active',
		ARRAY['preferences', 'work', 'topic-' || g % 50], jsonb_build_object('source', 'chat', 'confidence', g % 100 / 100::float8, 'turn', g % 40, 'model', 'm-' || g % 5),
		g % 1000, '2026-01-01'::timestamptz + g * interval '1001 ms', '2026-01-01'::timestamptz + g * interval '1 s',
		CASE WHEN g % 4 > 0 THEN '2026-01-01'::timestamptz + g * interval '1500 ms' END FROM generate_series(1, `+strconv.Itoa(count)+`) g`,
		"VACUUM ANALYZE memories", "CHECKPOINT")
}

func exportFile(b *testing.B, path string, d dataexport.Dataset, r dataexport.Renderer, count int) {
	file, err := os.Create(path)
	require.NoError(b, err)
	summary, err := dataexport.Export(b.Context(), file, d, r, dataexport.Query{Scope: dataexport.Scope{WorkspaceID: "w"}})
	require.NoError(b, err)
	require.NoError(b, file.Close())
	require.Equal(b, int64(count), summary.Records)
}

// scanMemories reads a query as pgx is mostly used: by Scan into a struct, here the same for all rows.
func scanMemories(pool *pgxpool.Pool, sql string) func(context.Context, dataexport.Query) iter.Seq2[*memory.Record, error] {
	return func(ctx context.Context, _ dataexport.Query) iter.Seq2[*memory.Record, error] {
		return func(yield func(*memory.Record, error) bool) {
			rows, err := pool.Query(ctx, sql)
			if err != nil {
				yield(nil, err)
				return
			}
			defer rows.Close()
			var m memory.Record
			for rows.Next() {
				if err := rows.Scan(&m.ID, &m.WorkspaceID, &m.Content, &m.UserID, &m.AgentID, &m.SessionID, &m.Priority, &m.Status, &m.Categories,
					&m.Metadata, &m.AccessCount, &m.LastAccessedAt, &m.CreatedAt, &m.UpdatedAt); !yield(&m, err) || err != nil {
					return
				}
			}
			if err := rows.Err(); err != nil {
				yield(nil, err)
			}
		}
	}
}

// resetPeak begins anew to measure what peak returns (proc(5), /proc/pid/clear_refs). Where there is no such file, peak
// is 0 or that of the whole run.
func resetPeak() { _ = os.WriteFile("/proc/self/clear_refs", []byte("5"), 0o600) }

// peak returns the most memory of the process that was resident, in MiB.
func peak() float64 {
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return 0
	}
	_, rest, _ := strings.Cut(string(status), "VmHWM:")
	kibibytes, _ := strconv.ParseFloat(strings.TrimSpace(rest[:max(0, strings.Index(rest, "kB"))]), 64)
	return kibibytes / 1024
}
