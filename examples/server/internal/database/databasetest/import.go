package databasetest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dataexport/dataexport"
	"github.com/dataexport/dataexport/examples/server/internal/database"
	"github.com/dataexport/dataexport/memory"
)

var importTests = map[string]func(*testing.T, *Subject){
	"Sample":                        testSample,
	"ImportFiles":                   testImportFiles,
	"ImportRefuses":                 testImportRefuses,
	"ImportOnlyIntoAnEmptyDatabase": testImportOnlyIntoAnEmptyDatabase,
	"ImportIsCancelled":             testImportIsCancelled,
	"ImportMemoryIsFlat":            testImportMemoryIsFlat,
	"ImportsAtTheSameTime":          testImportsAtTheSameTime,
	"NUL":                           testNUL,
	"Settings":                      testSettings,
}

func testSample(t *testing.T, s *Subject) {
	require.NoError(t, database.ImportMemories(t.Context(), s, "", Quiet()))
	all := Sample(t)
	assert.Equal(t, len(all), s.count(t, "memories"))
	for _, workspace := range []string{"demo", "acme-support", "studio-nord"} {
		q := dataexport.Query{Scope: dataexport.Scope{WorkspaceID: workspace}}
		want := read(t, memory.Slice(all), q)
		assert.NotEmpty(t, want)
		assert.Equal(t, want, read(t, s.Memories(database.DefaultPageSize), q))
	}
}

func testImportFiles(t *testing.T, s *Subject) {
	long := strings.Replace(Line("long"), `"c"`, `"`+strings.Repeat("x", memory.MaxLineBytes-len(Line("long")))+`"`, 1)
	for name, content := range map[string][]byte{
		"plain":                     []byte(Lines(3)),
		"plain, no last line feed":  []byte(strings.TrimSpace(Lines(3))),
		"a blank line at the end":   []byte(Lines(3) + "\n"),
		"gzip":                      Gzip(t, Lines(3)),
		"gzip of several members":   append(Gzip(t, Line("a")), Gzip(t, Line("b")+Line("c"))...),
		"with the longest line":     []byte(long + Line("a") + Line("b")),
		"with the longest, in gzip": Gzip(t, Line("a")+long+Line("b")),
	} {
		t.Run(name, func(t *testing.T) {
			s.empty(t)
			require.NoError(t, database.ImportMemories(t.Context(), s, File(t, "memories", content), Quiet()))
			assert.Equal(t, 3, s.count(t, "memories"))
		})
	}
}

func testImportRefuses(t *testing.T, s *Subject) {
	zipped := Gzip(t, Lines(4_000))
	for name, test := range map[string]struct {
		content []byte
		problem string
	}{
		"bad line":           {[]byte(Lines(2) + "{}\n" + Line("a")), "line 3: id is missing"},
		"bad line in gzip":   {Gzip(t, Lines(2)+"{}\n"), "line 3: id is missing"},
		"last line cut":      {[]byte(Lines(2) + Line("a")[:30]), "line 3: "},
		"blank line":         {[]byte(Line("a") + "\n" + Line("b")), "line 2: the line is blank"},
		"same id twice":      {[]byte(Lines(5) + Line("3")), "line 6: "},
		"gzip cut":           {zipped[:len(zipped)/2], "unexpected EOF"},
		"gzip damaged":       {append(zipped[:len(zipped)-8:len(zipped)-8], make([]byte, 8)...), "gzip: invalid checksum"},
		"gzip header damage": {[]byte("\x1f\x8b" + strings.Repeat("?", 20)), "gzip: invalid header"},
	} {
		t.Run(name, func(t *testing.T) {
			s.empty(t)
			path := File(t, "memories", test.content)
			require.ErrorContains(t, database.ImportMemories(t.Context(), s, path, Quiet()), test.problem)
			assert.Zero(t, s.count(t, "memories"), "nothing is imported")
			require.NoError(t, database.ImportMemories(t.Context(), s, "", Quiet()), "the database is as good as new")
			assert.NotZero(t, s.count(t, "memories"))
		})
	}
}

func testImportOnlyIntoAnEmptyDatabase(t *testing.T, s *Subject) {
	missing := filepath.Join(t.TempDir(), "missing.jsonl")
	require.ErrorIs(t, database.ImportMemories(t.Context(), s, missing, Quiet()), os.ErrNotExist)

	require.NoError(t, database.ImportMemories(t.Context(), s, File(t, "none", nil), Quiet()))
	assert.Zero(t, s.count(t, "memories"), "a file without lines is no sample")

	require.NoError(t, database.ImportMemories(t.Context(), s, File(t, "two", []byte(Lines(2))), Quiet()))
	require.Equal(t, 2, s.count(t, "memories"))

	var log bytes.Buffer
	require.NoError(t, database.ImportMemories(t.Context(), s, missing, slog.New(slog.NewTextHandler(&log, nil))))
	assert.Contains(t, log.String(), "-memories is ignored")
	log.Reset()
	require.NoError(t, database.ImportMemories(t.Context(), s, "", slog.New(slog.NewTextHandler(&log, nil))))
	assert.Empty(t, log.String())
	assert.Equal(t, 2, s.count(t, "memories"))
}

func testImportIsCancelled(t *testing.T, s *Subject) {
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	err := importEndless(ctx, t, s, func(number int) {
		if number == 1000 {
			cancel()
		}
	})
	require.ErrorIs(t, err, context.Canceled)
	assert.Zero(t, s.count(t, "memories"))
	require.Eventually(t, func() bool { return s.InUse() == 0 }, 10*time.Second, time.Millisecond)
}

// testImportMemoryIsFlat imports ten times as many memories as were there when it began to measure.
func testImportMemoryIsFlat(t *testing.T, s *Subject) {
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var early, late uint64
	err := importEndless(ctx, t, s, func(number int) {
		switch {
		case number <= 1000:
			early = max(early, heap())
		case number <= 10_000:
			late = max(late, heap())
		default:
			cancel()
		}
	})
	require.ErrorIs(t, err, context.Canceled)
	assert.Less(t, late, early+1<<20)
}

// importEndless imports until ctx is done.
func importEndless(ctx context.Context, t *testing.T, s *Subject, look func(number int)) error {
	t.Helper()
	return s.Fill(t.Context(), func(tx database.Filling) error {
		_, err := tx.InsertMemories(ctx, database.ReadMemories(ctx, &endlessLines{look: look}))
		return err
	})
}

// testNUL imports texts with NUL characters. A database that cannot hold them says where they are.
func testNUL(t *testing.T, s *Subject) {
	for field, test := range map[string]struct{ old, with string }{
		"id":           {`"id":"a"`, `"id":"a\u0000"`},
		"workspace_id": {`"workspace_id":"w"`, `"workspace_id":"\u0000w"`},
		"content":      {`"content":"c"`, `"content":"c\u0000c"`},
		"user_id":      {`"content"`, `"user_id":"\u0000","content"`},
		"agent_id":     {`"content"`, `"agent_id":"\u0000","content"`},
		"session_id":   {`"content"`, `"session_id":"\u0000","content"`},
		"priority":     {`"content"`, `"priority":"\u0000","content"`},
		"status":       {`"content"`, `"status":"\u0000","content"`},
		"categories":   {`"content"`, `"categories":["a","\u0000"],"content"`},
		"metadata":     {`"content"`, `"metadata":{"\u0000":"\u0000"},"content"`}, // the characters of the escape
	} {
		t.Run(field, func(t *testing.T) {
			s.empty(t)
			text := Lines(2) + strings.Replace(Line("a"), test.old, test.with, 1) + Line("b")
			require.Contains(t, text, `\u0000`)
			err := database.ImportMemories(t.Context(), s, File(t, "memories", []byte(text)), Quiet())
			if s.HoldsNUL || field == "metadata" {
				require.NoError(t, err)
				assert.Equal(t, 4, s.count(t, "memories"))
				return
			}
			require.ErrorContains(t, err, "line 3: "+field+" has a NUL character (U+0000)")
			assert.Zero(t, s.count(t, "memories"))
		})
	}
}

// testImportsAtTheSameTime imports with several servers at once. One does, and the others find it done.
func testImportsAtTheSameTime(t *testing.T, s *Subject) {
	path := File(t, "memories", []byte(Lines(3_000)))
	const servers = 3
	var importing sync.WaitGroup
	errs, logs := make([]error, servers), make([]bytes.Buffer, servers)
	for i := range servers {
		importing.Go(func() {
			errs[i] = errors.Join(s.Prepare(t.Context()),
				database.ImportMemories(t.Context(), s, path, slog.New(slog.NewTextHandler(&logs[i], nil))))
		})
	}
	importing.Wait()
	imported, ignored := 0, 0
	for i := range servers {
		require.NoError(t, errs[i])
		imported += strings.Count(logs[i].String(), "memories are imported")
		ignored += strings.Count(logs[i].String(), "-memories is ignored")
	}
	assert.Equal(t, []int{1, servers - 1}, []int{imported, ignored})
	assert.Equal(t, 3_000, s.count(t, "memories"))
}

func testSettings(t *testing.T, s *Subject) {
	for _, value := range []string{"first", "second"} {
		kept, err := s.Setting(t.Context(), "a key", value)
		require.NoError(t, err)
		assert.Equal(t, "first", kept)
	}
	kept, err := s.Setting(t.Context(), "another", "third")
	require.NoError(t, err)
	assert.Equal(t, "third", kept)
	assert.NoError(t, s.Ping(t.Context()))
}

// endlessLines reads as more and more memories, and calls look from time to time.
type endlessLines struct {
	number int
	rest   []byte
	look   func(number int)
}

func (e *endlessLines) Read(b []byte) (int, error) {
	if len(e.rest) == 0 {
		if e.number++; e.number%250 == 0 {
			e.look(e.number)
		}
		e.rest = []byte(Line(fmt.Sprint(e.number)))
	}
	n := copy(b, e.rest)
	e.rest = e.rest[n:]
	return n, nil
}
