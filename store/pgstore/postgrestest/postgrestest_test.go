package postgrestest_test

import (
	"errors"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/dataexport/dataexport/store/pgstore/postgrestest"
)

// crashVariable makes the test binary start a server, print where it is, and panic.
const crashVariable = "POSTGRESTEST_CRASH"

var postgres postgrestest.Shared

func TestMain(m *testing.M) {
	if os.Getenv(crashVariable) != "" {
		crash()
	}
	os.Exit(postgres.Main(m))
}

func crash() {
	server, err := postgrestest.Start(postgrestest.Options{})
	if err != nil {
		panic(err)
	}
	os.Stdout.WriteString(server.Address() + "\n" + server.Directory() + "\n")
	panic("as a test might")
}

func connect(t *testing.T, url string) *pgx.Conn {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), url)
	require.NoError(t, err)
	t.Cleanup(func() { _ = conn.Close(t.Context()) }) // the server may be gone
	return conn
}

func TestDatabasesAreTheTestsOwn(t *testing.T) {
	first, second := connect(t, postgres.NewDatabase(t)), connect(t, postgres.NewDatabase(t))
	for _, conn := range []*pgx.Conn{first, second} {
		_, err := conn.Exec(t.Context(), "CREATE TABLE here (x int)")
		require.NoError(t, err)
	}
}

func TestDatabaseIsDropped(t *testing.T) {
	var url string
	var left *pgx.Conn
	t.Run("test", func(t *testing.T) {
		url = postgres.NewDatabase(t)
		var err error
		left, err = pgx.Connect(t.Context(), url) // never closed by its test
		require.NoError(t, err)
	})
	_, err := pgx.Connect(t.Context(), url)
	require.ErrorContains(t, err, "3D000") // invalid_catalog_name
	require.Error(t, left.Ping(t.Context()))
}

func TestRestart(t *testing.T) {
	for name, how := range map[string]postgrestest.Shutdown{"fast": postgrestest.Fast, "immediate": postgrestest.Immediate} {
		t.Run(name, func(t *testing.T) {
			server := postgrestest.Run(t, postgrestest.Options{Durable: true, Settings: []string{"max_connections=17"}})
			address := server.Address()
			conn := connect(t, server.URL("postgres"))
			_, err := conn.Exec(t.Context(), "CREATE TABLE kept AS SELECT 7 AS x")
			require.NoError(t, err)

			require.NoError(t, server.Restart(how))
			require.Equal(t, address, server.Address())
			require.Error(t, conn.Ping(t.Context()))
			var kept, connections, fsync string
			require.NoError(t, connect(t, server.URL("postgres")).QueryRow(t.Context(),
				"SELECT x::text, current_setting('max_connections'), current_setting('fsync') FROM kept",
			).Scan(&kept, &connections, &fsync))
			require.Equal(t, []string{"7", "17", "on"}, []string{kept, connections, fsync})
		})
	}
}

func TestHaltAndResume(t *testing.T) {
	server := postgrestest.Run(t, postgrestest.Options{})
	require.NoError(t, server.Halt(postgrestest.Fast))
	_, err := net.Dial("tcp", server.Address())
	require.Error(t, err)
	require.NoError(t, server.Halt(postgrestest.Fast))
	require.NoError(t, server.Resume())
	connect(t, server.URL("postgres"))
	require.ErrorContains(t, server.Resume(), "running already")
}

func TestSocket(t *testing.T) {
	server := postgrestest.Run(t, postgrestest.Options{})
	_, port, err := net.SplitHostPort(server.Address())
	require.NoError(t, err)
	connect(t, "postgres://postgres@/postgres?host="+server.Directory()+"&port="+port)
	info, err := os.Stat(server.Directory())
	require.NoError(t, err)
	require.Equal(t, os.FileMode(0o700), info.Mode().Perm())
}

func TestStopRemovesEverything(t *testing.T) {
	server := postgrestest.Run(t, postgrestest.Options{})
	require.NoError(t, server.Stop())
	require.NoDirExists(t, server.Directory())
	_, err := net.Dial("tcp", server.Address())
	require.Error(t, err)
	require.NoError(t, server.Stop())
}

func TestWrongSettingIsReported(t *testing.T) {
	server, err := postgrestest.Start(postgrestest.Options{Settings: []string{"no_such_setting=1"}})
	if errors.Is(err, postgrestest.ErrNoPostgres) {
		t.Skip(err)
	}
	require.Nil(t, server)
	require.ErrorContains(t, err, `unrecognized configuration parameter "no_such_setting"`)
}

// A server does not outlive the process that started it, and the next start removes what it has left.
func TestCrash(t *testing.T) {
	next := postgrestest.Run(t, postgrestest.Options{}) // skips where there is no PostgreSQL
	require.NoError(t, next.Stop())

	crashing := exec.Command(os.Args[0])
	crashing.Env = append(os.Environ(), crashVariable+"=1")
	out, err := crashing.Output()
	require.Error(t, err)
	address, directory, found := strings.Cut(strings.TrimSpace(string(out)), "\n")
	require.True(t, found, "%s", out)
	require.Eventually(t, func() bool {
		conn, err := net.Dial("tcp", address)
		if err == nil {
			_ = conn.Close()
		}
		return err != nil
	}, time.Minute, 10*time.Millisecond, "the server has outlived its process")

	require.FileExists(t, filepath.Join(directory, "lock"))
	postgrestest.Run(t, postgrestest.Options{})
	require.NoDirExists(t, directory)
}
