package main

import (
	"bytes"
	"errors"
	"log"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// binary is the program that the tests run, built once.
var binary string

func TestMain(m *testing.M) { os.Exit(buildAndRun(m)) }

func buildAndRun(m *testing.M) int {
	dir, err := os.MkdirTemp("", "dataexport-verify")
	if err != nil {
		log.Print(err)
		return 1
	}
	defer os.RemoveAll(dir)
	binary = filepath.Join(dir, "verify.exe")
	if out, err := exec.Command("go", "build", "-o", binary, ".").CombinedOutput(); err != nil {
		log.Printf("go build: %s\n%s", err, out)
		return 1
	}
	return m.Run()
}

// verifyFile runs the program and returns its exit status and what it prints.
func verifyFile(t *testing.T, args ...string) (status int, report, problem string) {
	t.Helper()
	cmd := exec.Command(binary, args...)
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	err := cmd.Run()
	var exit *exec.ExitError
	if !errors.As(err, &exit) {
		require.NoError(t, err)
	}
	return cmd.ProcessState.ExitCode(), stdout.String(), stderr.String()
}

const goodFile = "../server/testdata/account.json"

func TestGoodArchive(t *testing.T) {
	status, report, problem := verifyFile(t, goodFile)
	assert.Zero(t, status)
	assert.Empty(t, problem)
	assert.Equal(t, `file         ../server/testdata/account.json
format       "3ngram.account-export.v1"
exported at  2023-11-07T05:31:56Z

records found:
    1 account
    2 commitments
    1 edges
    2 facts
    1 llmUsage
    2 memories
    8 memoryEvents
    2 proposals
    1 scopes
    2 subscriptions
    2 userBudgets

no faults
`, report)
}

func TestFaultsHaveTheirPlace(t *testing.T) {
	good, err := os.ReadFile(goodFile)
	require.NoError(t, err)
	text := strings.Replace(string(good), `"inputTokens": 4503599627370495`, `"inputTokens": 1.5`, 1)
	text = strings.Replace(text, `"counts": {`, `"counts": {"letters": 1,`, 1)
	text = strings.Replace(text, `"toId": "00000000-0000-4000-8000-0000000000a2"`, `"toId": "00000000-0000-4000-8000-0000000000ff"`, 1)
	name := filepath.Join(t.TempDir(), "bad.json")
	require.NoError(t, os.WriteFile(name, []byte(text), 0o600))
	status, report, problem := verifyFile(t, name)
	assert.Equal(t, 1, status)
	assert.Contains(t, report, "\nfaults: 3\n")
	assert.Contains(t, report, "llmUsage[0].inputTokens: ")
	assert.Contains(t, report, "edges[0].toId: ")
	assert.Contains(t, report, "letters")
	assert.Contains(t, problem, "has faults: 3")
	assert.Equal(t, 1, strings.Count(problem, "\n"))
}

func TestManyFaults(t *testing.T) {
	var text strings.Builder
	text.WriteString(`{"format": "3ngram.account-export.v1\u001b[2J", "memories": [`)
	text.WriteString(strings.TrimSuffix(strings.Repeat(`{},`, 200), ",") + "]}")
	name := filepath.Join(t.TempDir(), "many.json")
	require.NoError(t, os.WriteFile(name, []byte(text.String()), 0o600))
	status, report, _ := verifyFile(t, name)
	assert.Equal(t, 1, status)
	assert.Regexp(t, `\n  and \d+ more\n$`, report)
	assert.Contains(t, report, "exported at  not found")
	assert.NotContains(t, report, "\x1b", "nothing in an archive may control the terminal")
	assert.Contains(t, report, "  200 memories\n")
}

func TestWhatCannotBeRead(t *testing.T) {
	for _, args := range [][]string{{}, {"a", "b"}, {"/no/such/file"}, {t.TempDir()}} {
		status, report, problem := verifyFile(t, args...)
		assert.Equal(t, 1, status, args)
		assert.Empty(t, report)
		assert.Contains(t, problem, "verify: ")
	}
	empty := filepath.Join(t.TempDir(), "empty")
	require.NoError(t, os.WriteFile(empty, nil, 0o600))
	status, report, _ := verifyFile(t, empty)
	assert.Equal(t, 1, status)
	assert.Contains(t, report, "faults: 1")
}

func TestUsage(t *testing.T) {
	status, report, _ := verifyFile(t, "-help")
	assert.Zero(t, status)
	assert.Equal(t, usage, report)
}
