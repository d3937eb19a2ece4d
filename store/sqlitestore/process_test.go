package sqlitestore_test

import (
	"bufio"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dataexport/dataexport"
	"github.com/dataexport/dataexport/store/sqlitestore"
)

// The environment of a test binary that is run again as a second process: what it does, and on which database.
const (
	roleVariable = "SQLITESTORE_TEST_ROLE"
	pathVariable = "SQLITESTORE_TEST_PATH"
)

const racedKeys = 30

func TestMain(m *testing.M) {
	role := os.Getenv(roleVariable)
	if role == "" {
		os.Exit(m.Run())
	}
	if err := play(role, os.Getenv(pathVariable)); err != nil {
		fmt.Fprintln(os.Stderr, role+":", err)
		os.Exit(1)
	}
}

// play is the main function of a second process. It waits for a line on its standard input, so that all begin together,
// and prints a line for all that it has done.
func play(role, path string) error {
	db, err := sql.Open("sqlite", path)
	if err != nil {
		return err
	}
	defer db.Close() // the process ends
	fmt.Println("open")
	if _, err := bufio.NewReader(os.Stdin).ReadString('\n'); err != nil {
		return err
	}
	report := func(format string, args ...any) { fmt.Printf(format+"\n", args...) }
	ctx := context.Background()
	switch role {
	case "migrate":
		return sqlitestore.Migrate(ctx, db)
	case "claim":
		return claimAll(ctx, sqlitestore.New(db), report)
	case "create":
		return createKeys(ctx, sqlitestore.New(db), report)
	case "write":
		return writeForever(ctx, sqlitestore.New(db), report)
	}
	return fmt.Errorf("there is no such role")
}

func claimAll(ctx context.Context, store *sqlitestore.Store, report func(string, ...any)) error {
	for {
		j, err := store.Claim(ctx, dataexport.ClaimOptions{Lease: time.Hour})
		if errors.Is(err, dataexport.ErrNoJob) {
			return nil
		}
		if err != nil {
			return err
		}
		report("%s", j.ID)
	}
}

func keyed(i int) dataexport.NewJob {
	return dataexport.NewJob{
		ID:             uuid.Must(uuid.NewV7()).String(),
		Scope:          dataexport.Scope{WorkspaceID: "w"},
		Dataset:        "memories",
		Format:         "json",
		Fingerprint:    "same",
		IdempotencyKey: fmt.Sprint("key ", i),
	}
}

func createKeys(ctx context.Context, store *sqlitestore.Store, report func(string, ...any)) error {
	for i := range racedKeys {
		j, replayed, err := store.Create(ctx, keyed(i))
		if err != nil {
			return err
		}
		report("%d %s %t", i, j.ID, replayed)
	}
	return nil
}

// writeForever makes every kind of change and reports a job when its last one has returned.
func writeForever(ctx context.Context, store *sqlitestore.Store, report func(string, ...any)) error {
	for i := 0; ; i++ {
		n := keyed(i)
		n.IdempotencyKey = n.ID // which no process before has used
		j, _, err := store.Create(ctx, n)
		if err != nil {
			return err
		}
		j, err = store.Claim(ctx, dataexport.ClaimOptions{ID: j.ID, Lease: time.Hour})
		if err != nil {
			return err
		}
		j.Status, j.BlobKey = dataexport.StatusReady, j.ID
		if j, err = store.Update(ctx, j, time.Hour); err != nil {
			return err
		}
		if i%3 == 0 {
			if _, err := store.Delete(ctx, j.Scope, j.ID); err != nil {
				return err
			}
		} else {
			report("%s", j.ID)
		}
	}
}

// A process is the test binary, run again.
type process struct {
	command *exec.Cmd
	input   io.WriteCloser
	output  *bufio.Scanner
	errors  strings.Builder
}

// start runs the test binary again and returns when it has opened its database.
func start(t *testing.T, role, path string) *process {
	t.Helper()
	p := &process{command: exec.CommandContext(t.Context(), os.Args[0])}
	p.command.Env = append(os.Environ(), roleVariable+"="+role, pathVariable+"="+path)
	p.command.Stderr = &p.errors
	var err error
	p.input, err = p.command.StdinPipe()
	require.NoError(t, err)
	output, err := p.command.StdoutPipe()
	require.NoError(t, err)
	p.output = bufio.NewScanner(output)
	require.NoError(t, p.command.Start())
	require.True(t, p.output.Scan(), "the process ended at once: %s", &p.errors)
	return p
}

func (p *process) begin(t *testing.T) {
	t.Helper()
	_, err := io.WriteString(p.input, "begin\n")
	require.NoError(t, err)
}

// end returns what the process has printed.
func (p *process) end(t *testing.T) (lines []string) {
	t.Helper()
	for p.output.Scan() {
		lines = append(lines, p.output.Text())
	}
	require.NoError(t, p.command.Wait(), "%s", &p.errors)
	return lines
}

// race does the same work at once in two processes and twice in this one, and returns what all have reported.
func race(
	t *testing.T, role, path string, work func(context.Context, *sqlitestore.Store, func(string, ...any)) error,
) (lines []string) {
	t.Helper()
	processes := []*process{start(t, role, path), start(t, role, path)}
	var mu sync.Mutex
	var group sync.WaitGroup
	for range 2 {
		store := sqlitestore.New(openFile(t, path))
		group.Go(func() {
			assert.NoError(t, work(t.Context(), store, func(format string, args ...any) {
				mu.Lock()
				defer mu.Unlock()
				lines = append(lines, fmt.Sprintf(format, args...))
			}))
		})
	}
	for _, p := range processes {
		p.begin(t)
	}
	group.Wait()
	for _, p := range processes {
		lines = append(lines, p.end(t)...)
	}
	return lines
}

func TestProcessesClaimEachJobOnce(t *testing.T) {
	db, path := openFresh(t)
	store := sqlitestore.New(db)
	const jobs = 120
	want := make([]string, jobs)
	for i := range want {
		j, _, err := store.Create(t.Context(), newJob(t, fmt.Sprint("w", i%7)))
		require.NoError(t, err)
		want[i] = j.ID
	}
	require.ElementsMatch(t, want, race(t, "claim", path, claimAll))
}

func TestProcessesMakeOneJobOfAKey(t *testing.T) {
	db, path := openFresh(t)
	made := make(map[string]int)
	ids := make(map[string]string)
	for _, line := range race(t, "create", path, createKeys) {
		var key, id string
		var replayed bool
		_, err := fmt.Sscan(line, &key, &id, &replayed)
		require.NoError(t, err)
		if !replayed {
			made[key]++
		}
		if ids[key] == "" {
			ids[key] = id
		}
		require.Equal(t, ids[key], id, "key %s", key)
	}
	require.Len(t, made, racedKeys)
	for key, count := range made {
		require.Equal(t, 1, count, "key %s", key)
	}
	_, total, err := sqlitestore.New(db).List(t.Context(), dataexport.Scope{WorkspaceID: "w"}, dataexport.ListQuery{Limit: 1})
	require.NoError(t, err)
	require.Equal(t, racedKeys, total)
}

func TestProcessesMigrateAtOnce(t *testing.T) {
	path := t.TempDir() + "/exports.db"
	var processes []*process
	for range 4 {
		processes = append(processes, start(t, "migrate", path))
	}
	for _, p := range processes {
		p.begin(t)
	}
	for _, p := range processes {
		p.end(t)
	}
	db := openFile(t, path)
	var versions int
	require.NoError(t, db.QueryRow("SELECT count(*) FROM dataexport_migrations").Scan(&versions))
	require.Equal(t, 1, versions)
	_, _, err := sqlitestore.New(db).Create(t.Context(), newJob(t, "w"))
	require.NoError(t, err)
}

// A process is killed in the middle of its writes, again and again. What it had reported is there, the database is whole,
// and what it was at is as one of its steps has left it.
func TestKilledProcess(t *testing.T) {
	db, path := openFresh(t)
	store := sqlitestore.New(db)
	reported := make(map[string]bool)
	for round := range 4 {
		p := start(t, "write", path)
		p.begin(t)
		for range 5 + 7*round {
			require.True(t, p.output.Scan(), "%s", &p.errors)
			reported[p.output.Text()] = true
		}
		require.NoError(t, p.command.Process.Kill())
		for p.output.Scan() { // what it had printed before it died
			reported[p.output.Text()] = true
		}
		require.Error(t, p.command.Wait())

		var integrity string
		require.NoError(t, db.QueryRow("PRAGMA integrity_check").Scan(&integrity))
		require.Equal(t, "ok", integrity)
		checkAfterKill(t, store, reported)
	}
	checkAfterKill(t, sqlitestore.New(openFile(t, path)), reported)
	_, _, err := store.Create(t.Context(), newJob(t, "w"))
	require.NoError(t, err)
}

// checkAfterKill checks that all reported jobs are there and at most one other, which it takes on to its end.
func checkAfterKill(t *testing.T, store *sqlitestore.Store, reported map[string]bool) {
	t.Helper()
	page, total, err := store.List(t.Context(), dataexport.Scope{WorkspaceID: "w"}, dataexport.ListQuery{Limit: 10_000})
	require.NoError(t, err)
	require.Len(t, page, total)
	versions := map[dataexport.Status]int64{
		dataexport.StatusPending: 1, dataexport.StatusProcessing: 2, dataexport.StatusReady: 3,
	}
	found := 0
	for _, j := range page {
		require.Equal(t, versions[j.Status], j.Version, "job %+v", j)
		if reported[j.ID] {
			require.Equal(t, dataexport.StatusReady, j.Status)
			found++
			continue
		}
		_, err := store.Delete(t.Context(), j.Scope, j.ID)
		require.NoError(t, err)
	}
	require.Equal(t, len(reported), found)
	require.LessOrEqual(t, total, found+1)
}
