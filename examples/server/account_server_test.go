package main

import (
	"encoding/json"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/dataexport/dataexport/examples/server/internal/database"
	"github.com/dataexport/dataexport/examples/server/internal/database/databasetest"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const accountFile = "testdata/account.json"

// accountKeys let in the owner of the account, a colleague, and somebody of the same name elsewhere.
var accountKeys = []string{"-key", "owner=w/anna", "-key", "colleague=w/ben", "-key", "stranger=x/anna"}

func startWithAccount(t *testing.T, dir, file string, more ...string) *process {
	t.Helper()
	return start(t, dir, append(append([]string{"-account", file}, accountKeys...), more...)...)
}

// stream downloads the archive of an account at once.
func (p *process) stream(key string) []byte {
	p.t.Helper()
	response, body := p.request(http.MethodGet, "/api/v1/export", key)
	require.Equal(p.t, http.StatusOK, response.StatusCode, "%s", body)
	assert.Contains(p.t, response.Header.Get("Content-Type"), "application/json")
	return body
}

var exportedAt = regexp.MustCompile(`"exportedAt":"[^"]*"`)

// untimed is an archive without the time of its making.
func untimed(t *testing.T, document []byte) string {
	t.Helper()
	require.Regexp(t, exportedAt, string(document))
	return exportedAt.ReplaceAllString(string(document), `"exportedAt":""`)
}

// meaning reads an archive without the help of the library: times are instants, and numbers keep their digits.
func meaning(t *testing.T, document []byte) any {
	t.Helper()
	decoder := json.NewDecoder(strings.NewReader(string(document)))
	decoder.UseNumber()
	var v map[string]any
	require.NoError(t, decoder.Decode(&v))
	delete(v, "exportedAt")
	return withInstants(t, v)
}

func withInstants(t *testing.T, v any) any {
	switch v := v.(type) {
	case map[string]any:
		for name, member := range v {
			v[name] = withInstants(t, member)
		}
	case []any:
		for i, element := range v {
			v[i] = withInstants(t, element)
		}
	case string:
		for _, layout := range []string{time.RFC3339Nano, "2006-01-02T15:04Z07:00"} {
			if instant, err := time.Parse(layout, v); err == nil {
				return instant.UTC()
			}
		}
	}
	return v
}

// TestAccountGoesAround imports an account, exports it all ways, and imports what was exported in fresh servers: all is
// there, and nothing changes any more.
func TestAccountGoesAround(t *testing.T) {
	original, err := os.ReadFile(accountFile)
	require.NoError(t, err)
	p := startWithAccount(t, t.TempDir(), accountFile)
	streamed := p.stream("owner")
	assert.Equal(t, meaning(t, original), meaning(t, streamed))
	for _, digits := range []string{"9007199254740993", "12345678901234567890.10", "123456789012345678901234567890", "1e400", "-0.0", "1.10"} {
		assert.Contains(t, string(streamed), digits)
	}
	var files []string
	for _, format := range []string{"json", "zip"} {
		done := p.order("dataset=account&format="+format, "owner")
		assert.Equal(t, 23, done.RecordCount)
		_, body := p.download(done.ID, "owner")
		files = append(files, databasetest.File(t, "account."+format, body))
		if format == "json" {
			assert.Equal(t, untimed(t, streamed), untimed(t, body), "both ways out are one archive")
		}
	}
	assert.Zero(t, p.order("", "owner").RecordCount, "the account stands in place of the sample")
	p.terminate()
	for _, exported := range append(files, databasetest.File(t, "streamed.json", streamed)) {
		again := startWithAccount(t, t.TempDir(), exported)
		assert.Equal(t, untimed(t, streamed), untimed(t, again.stream("owner")), "after %s", filepath.Base(exported))
		again.terminate()
	}
}

func TestAccountIsHiddenFromOthers(t *testing.T) {
	p := startWithAccount(t, t.TempDir(), accountFile)
	done := p.order("dataset=account", "owner")
	for _, key := range []string{"colleague", "stranger"} {
		for _, test := range []struct{ method, path, code string }{
			{http.MethodGet, "/api/v1/export", "ACCOUNT_NOT_FOUND"},
			{http.MethodGet, "/v1/exports/" + done.ID, "EXPORT_NOT_FOUND"},
			{http.MethodGet, "/v1/exports/" + done.ID + "/download", "EXPORT_NOT_FOUND"},
			{http.MethodDelete, "/v1/exports/" + done.ID, "EXPORT_NOT_FOUND"},
		} {
			response, body := p.request(test.method, test.path, key)
			assert.Equal(t, http.StatusNotFound, response.StatusCode, "%s %s: %s", test.method, test.path, body)
			assert.Contains(t, string(body), `"code":"`+test.code+`"`)
		}
		_, body := p.request(http.MethodGet, "/v1/exports", key)
		assert.Contains(t, string(body), `"total":0`)
	}
	response, _ := p.request(http.MethodGet, "/api/v1/export", "nobody")
	assert.Equal(t, http.StatusUnauthorized, response.StatusCode)
	p.download(done.ID, "owner")
	p.terminate()
}

// TestNothingToExport orders an account that is not there.
func TestNothingToExport(t *testing.T) {
	p := startWithAccount(t, t.TempDir(), accountFile)
	_, body := p.request(http.MethodPost, "/v1/exports?dataset=account", "colleague")
	var ordered job
	require.NoError(t, json.Unmarshal(body, &ordered))
	require.Eventually(t, func() bool {
		_, body = p.request(http.MethodGet, "/v1/exports/"+ordered.ID, "colleague")
		return strings.Contains(string(body), `"status":"FAILED"`)
	}, time.Minute, 10*time.Millisecond)
	assert.Contains(t, string(body), `"code":"NOTHING_TO_EXPORT"`)
}

func TestFormatsOfTheAccount(t *testing.T) {
	p := startWithAccount(t, t.TempDir(), accountFile)
	for _, query := range []string{
		"format=zip", "dataset=memories&format=zip", "dataset=account&format=csv", "dataset=account&format=markdown",
		"dataset=account&user_id=anna", "dataset=accounts",
	} {
		response, body := p.request(http.MethodPost, "/v1/exports?"+query, "owner")
		assert.Equal(t, http.StatusBadRequest, response.StatusCode, "%s: %s", query, body)
		assert.Contains(t, string(body), "VALIDATION_ERROR")
	}
	p.terminate()
}

func TestAccountWithMemories(t *testing.T) {
	dir := t.TempDir()
	p := startWithAccount(t, dir, accountFile, "-memories", databasetest.File(t, "memories.jsonl", []byte(databasetest.Lines(5))))
	assert.Equal(t, 5, p.order("", "owner").RecordCount)
	first := p.stream("owner")
	p.terminate()

	second := startWithAccount(t, dir, "no longer there")
	assert.Equal(t, untimed(t, first), untimed(t, second.stream("owner")))
	second.terminate()
	assert.Contains(t, second.output.String(), "-account is ignored")
}

// TestSampleStaysOut starts again without -account: the account still stands in place of the sample.
func TestSampleStaysOut(t *testing.T) {
	dir := t.TempDir()
	first := start(t, dir, "-account", accountFile)
	key := first.demoKey()
	first.stream(key)
	first.terminate()
	second := start(t, dir)
	assert.Zero(t, second.order("", key).RecordCount)
	second.stream(key)
	second.terminate()
}

func TestFaultyAccountsAreRefused(t *testing.T) {
	good, err := os.ReadFile(accountFile)
	require.NoError(t, err)
	change := func(old, with string) []byte {
		require.Contains(t, string(good), old)
		return []byte(strings.Replace(string(good), old, with, 1))
	}
	for name, test := range map[string]struct {
		content []byte
		says    []string
	}{
		"a field":     {change(`"inputTokens": 4503599627370495`, `"inputTokens": "many"`), []string{"llmUsage[0].inputTokens", "many"}},
		"a reference": {change(`"toId": "00000000-0000-4000-8000-0000000000a2"`, `"toId": "00000000-0000-4000-8000-0000000000ff"`), []string{"edges[0].toId", "0000000000ff"}},
		"twice":       {change(`"id": "00000000-0000-4000-8000-000000000008"`, `"id": "00000000-0000-4000-8000-000000000007"`), []string{"memoryEvents[7].id", "000000000007"}},
		"a count":     {change(`"memoryEvents": 8`, `"memoryEvents": 9`), []string{"memoryEvents", "counts", "9"}},
		"two faults":  {change(`"tags": []`, `"tags": null, "topics": 1`), []string{"memories[1].tags", "and 1 more"}},
		"cut off":     {good[:len(good)/2], []string{accountFileName}},
		"empty":       {nil, []string{accountFileName, "empty"}},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			says := fail(t, dir, append([]string{"-account", databasetest.File(t, accountFileName, test.content)}, accountKeys...)...)
			for _, part := range test.says {
				assert.Contains(t, says, part)
			}
			db, err := openPrepared(t.Context(), dir, 1)
			require.NoError(t, err)
			defer func() { require.NoError(t, db.Close()) }()
			assert.Zero(t, countRows(t, db, "memories"))
			for _, table := range database.AccountTables {
				assert.Zero(t, countRows(t, db, table.Name), table.Name)
			}
		})
	}
	assert.Contains(t, fail(t, t.TempDir(), "-account", "/no/such/file"), "no such file")
	assert.Contains(t, fail(t, t.TempDir(), "-account", t.TempDir()), "directory")
}

const accountFileName = "archive.json"

// TestWelcomeOfAnAccount runs the command that is printed where there is an account.
func TestWelcomeOfAnAccount(t *testing.T) {
	needTools(t, "sh", "curl")
	p := start(t, t.TempDir(), "-account", accountFile)
	command := regexp.MustCompile(`(?m)^  (curl .* -o account\.json .*)$`).FindString(p.output.String())
	require.NotEmpty(t, command, p.output.String())
	shell := exec.Command("sh", "-e", "-c", command)
	shell.Dir = t.TempDir()
	out, err := shell.CombinedOutput()
	require.NoError(t, err, "%s", out)
	downloaded, err := os.ReadFile(filepath.Join(shell.Dir, "account.json"))
	require.NoError(t, err)
	assert.Equal(t, untimed(t, p.stream(p.demoKey())), untimed(t, downloaded))
	p.terminate()
}
