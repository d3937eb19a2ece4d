package main

import (
	"bufio"
	"bytes"
	"io"
	"log"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dataexport/dataexport/store/pgstore/postgrestest"
)

// binary is the program that the tests run, built once.
var binary string

// postgresServer is a PostgreSQL server for the tests that need one.
var postgresServer postgrestest.Shared

func TestMain(m *testing.M) { os.Exit(buildAndRun(m)) }

func buildAndRun(m *testing.M) int {
	dir, err := os.MkdirTemp("", "dataexport-server")
	if err != nil {
		log.Print(err)
		return 1
	}
	defer os.RemoveAll(dir)
	binary = filepath.Join(dir, "server.exe")
	if out, err := exec.Command("go", "build", "-o", binary, ".").CombinedOutput(); err != nil {
		log.Printf("go build: %s\n%s", err, out)
		return 1
	}
	return postgresServer.Main(m)
}

// A process is a running server.
type process struct {
	t      *testing.T
	cmd    *exec.Cmd
	url    string
	output lockedBuffer // of both kinds
	closed chan struct{}

	listening chan string // gets the URL
}

// A lockedBuffer can be written and read at the same time.
type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(b)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// launch starts a server and waits for nothing. Env is added to the environment of the test.
func launch(t *testing.T, env []string, args ...string) *process {
	t.Helper()
	p := &process{t: t, cmd: exec.Command(binary, args...), closed: make(chan struct{}), listening: make(chan string, 1)}
	p.cmd.Env = append(os.Environ(), env...)
	stdout, err := p.cmd.StdoutPipe()
	require.NoError(t, err)
	p.cmd.Stderr = &p.output
	require.NoError(t, p.cmd.Start())
	t.Cleanup(func() {
		if p.cmd.ProcessState == nil {
			_ = p.cmd.Process.Kill()
			_ = p.cmd.Wait()
		}
	})
	go func() {
		defer close(p.closed)
		lines := bufio.NewScanner(io.TeeReader(stdout, &p.output))
		for lines.Scan() {
			if url, found := strings.CutPrefix(lines.Text(), "listening on "); found {
				p.listening <- url
			}
		}
	}()
	return p
}

// waitForWelcome waits until the server has everything that it needs and says where it listens.
func (p *process) waitForWelcome() *process {
	p.t.Helper()
	select {
	case p.url = <-p.listening:
	case <-p.closed:
		p.t.Fatalf("the server ended: %s", p.output.String())
	case <-time.After(time.Minute):
		p.t.Fatalf("the server does not listen: %s", p.output.String())
	}
	return p
}

// start starts a server on a free port and returns when it listens.
func start(t *testing.T, dir string, args ...string) *process {
	t.Helper()
	return launch(t, nil, append([]string{"-addr", "127.0.0.1:0", "-data", dir}, args...)...).waitForWelcome()
}

// stop sends a signal and demands that the server ends in good order.
func (p *process) stop(signal os.Signal) {
	p.t.Helper()
	require.NoError(p.t, p.cmd.Process.Signal(signal))
	<-p.closed
	assert.NoError(p.t, p.cmd.Wait(), p.output.String())
	assert.NotContains(p.t, p.output.String(), "level=ERROR")
}

func (p *process) terminate() {
	p.t.Helper()
	p.stop(syscall.SIGTERM)
}

// demoKey returns the key that the server has printed.
func (p *process) demoKey() string {
	p.t.Helper()
	_, after, found := strings.Cut(p.output.String(), "\ndemo key ")
	require.True(p.t, found, p.output.String())
	key, _, found := strings.Cut(after, ` for the workspace "demo"`)
	require.True(p.t, found, p.output.String())
	require.Regexp(p.t, "^demo_[A-Z2-7]{26}$", key)
	return key
}

// fail runs a server that must not start, and returns what it says.
func fail(t *testing.T, dir string, args ...string) string {
	t.Helper()
	cmd := exec.Command(binary, append([]string{"-addr", "127.0.0.1:0", "-data", dir}, args...)...)
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	err := cmd.Run()
	var exit *exec.ExitError
	require.ErrorAs(t, err, &exit, "args %q", args)
	assert.Equal(t, 1, exit.ExitCode(), stderr.String())
	assert.Empty(t, stdout.String())
	assert.Equal(t, 1, strings.Count(stderr.String(), "\n"), "one line: %s", stderr.String())
	return stderr.String()
}

// needTools skips a test where a program is missing that it runs, or fails it where DATAEXPORT_TEST_REQUIRED is 1.
func needTools(t *testing.T, tools ...string) {
	t.Helper()
	for _, tool := range tools {
		_, err := exec.LookPath(tool)
		switch {
		case err == nil:
		case os.Getenv("DATAEXPORT_TEST_REQUIRED") == "1":
			t.Fatalf("DATAEXPORT_TEST_REQUIRED is 1, and %s is missing: %v", tool, err)
		default:
			t.Skip(err)
		}
	}
}
