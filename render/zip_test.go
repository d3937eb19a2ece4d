package render

import (
	"archive/zip"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/csv"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/text"

	"github.com/dataexport/dataexport"
	"github.com/dataexport/dataexport/memory"
	"github.com/dataexport/dataexport/render/rendertest"
)

func TestZipConformance(t *testing.T) {
	rendertest.Run(t, Zip(), rendertest.Options{Count: countZip})
}

// countZip reads a zip with archive/zip and encoding/csv, and holds the manifest against what it finds.
func countZip(document []byte, info dataexport.Info) ([]int64, error) {
	names, contents, err := unzip(document)
	if err != nil {
		return nil, err
	}
	var manifest zipManifestDocument
	if err := json.Unmarshal(contents["manifest.json"], &manifest); err != nil {
		return nil, err
	}
	if len(manifest.Files)+1 != len(names) || names[len(names)-1] != "manifest.json" {
		return nil, fmt.Errorf("the manifest has the files %v, and the zip %q", manifest.Files, names)
	}
	var counts []int64
	for i, file := range manifest.Files {
		content := contents[file.Name]
		sum := sha256.Sum256(content)
		if file.Name != names[i] || file.Size != int64(len(content)) || file.SHA256 != hex.EncodeToString(sum[:]) {
			return nil, fmt.Errorf("file %d is %q of %d bytes, and the manifest says %+v", i, names[i], len(content), file)
		}
		if i == len(info.Collections) {
			break
		}
		rows, err := csv.NewReader(bytes.NewReader(content)).ReadAll()
		if err != nil {
			return nil, err
		}
		n := int64(len(rows)) - 1
		if file.Name != info.Collections[i].Name+".csv" || file.Collection != info.Collections[i].Name || file.Records == nil || *file.Records != n {
			return nil, fmt.Errorf("%s has %d records, and the manifest says %+v", file.Name, n, file)
		}
		counts = append(counts, n)
	}
	return counts, nil
}

type zipManifestDocument struct {
	Format     string          `json:"format"`
	ExportedAt string          `json:"exportedAt"`
	Schema     json.RawMessage `json:"schema"`
	Files      []struct {
		Name       string `json:"name"`
		Collection string `json:"collection"`
		Records    *int64 `json:"records"`
		Size       int64  `json:"size"`
		SHA256     string `json:"sha256"`
	} `json:"files"`
}

// unzip returns the names of the files in their order and what is in them. archive/zip checks the CRC of each.
func unzip(document []byte) (names []string, contents map[string][]byte, err error) {
	r, err := zip.NewReader(bytes.NewReader(document), int64(len(document)))
	if err != nil {
		return nil, nil, err
	}
	contents = make(map[string][]byte)
	for _, file := range r.File {
		content, err := file.Open()
		if err != nil {
			return nil, nil, err
		}
		if contents[file.Name], err = io.ReadAll(content); err != nil {
			return nil, nil, fmt.Errorf("%s: %w", file.Name, err)
		}
		names = append(names, file.Name)
	}
	return names, contents, nil
}

func TestZipFiles(t *testing.T) {
	document := render(t, Zip(), account(), accountRows()...)
	names, contents, err := unzip(document)
	require.NoError(t, err)
	assert.Equal(t, []string{
		"account.csv", "notes.csv", "nothing.csv", "tags.csv", "overview.md", "manifest.json",
	}, names)
	assert.Equal(t, "id,e-mail\r\n7,a@example.com\r\n", string(contents["account.csv"]))
	assert.Equal(t, "id\r\n", string(contents["nothing.csv"]))
	requireGolden(t, "testdata/zip/overview.md", string(contents["overview.md"]))
	requireGolden(t, "testdata/zip/manifest.json", string(contents["manifest.json"]))

	r, err := zip.NewReader(bytes.NewReader(document), int64(len(document)))
	require.NoError(t, err)
	for _, file := range r.File {
		assert.True(t, file.Modified.Equal(documentTime), file.Name)
		assert.Equal(t, zip.Deflate, file.Method, file.Name)
		assert.Equal(t, "-rw-------", file.Mode().String(), file.Name)
	}
}

// The manifest keeps the head in front and in its order, which a map would not show.
func TestZipManifestBeginsWithTheHead(t *testing.T) {
	_, contents, err := unzip(render(t, Zip(), account(), accountRows()...))
	require.NoError(t, err)
	decoder := json.NewDecoder(bytes.NewReader(contents["manifest.json"]))
	var members []string
	_, err = decoder.Token()
	require.NoError(t, err)
	for decoder.More() {
		name, err := decoder.Token()
		require.NoError(t, err)
		members = append(members, name.(string))
		var skipped json.RawMessage
		require.NoError(t, decoder.Decode(&skipped))
	}
	assert.Equal(t, []string{"format", "exportedAt", "schema", "files"}, members)
}

// A table is to the byte what CSV writes of the same rows, so that ReadCSV tells null from an empty text.
func TestZipTablesAreThoseOfCSV(t *testing.T) {
	list := everyKind()
	archived := list
	archived.Layout = dataexport.Layout{Object: true}
	archived.Collections = append(slices.Clone(list.Collections), texts().Collections...)
	hostile := textRows(hostileTexts())
	hostile = append(hostile, dataexport.Row{dataexport.IntValue(int64(len(hostile))), {}})
	_, contents, err := unzip(render(t, Zip(), archived, everyKindRows(), hostile))
	require.NoError(t, err)
	assert.Equal(t, string(render(t, CSV(), list, everyKindRows())), string(contents["kinds.csv"]))
	assert.Equal(t, string(render(t, CSV(), texts(), hostile)), string(contents["texts.csv"]))

	type record struct {
		ID   int64   `csv:"id"`
		Text *string `csv:"text"`
	}
	var last, first *string
	n := 0
	for r, err := range ReadCSV[record](bytes.NewReader(contents["texts.csv"]), CSVReadOptions{}) {
		require.NoError(t, err)
		if n == 0 {
			first = r.Text
		}
		last = r.Text
		n++
	}
	assert.Equal(t, len(hostile), n)
	assert.Nil(t, last)
	require.NotNil(t, first)
	assert.Empty(t, *first)
}

// What the account holds cannot break out of its bullet, whatever it is.
func TestZipOverviewIsSafe(t *testing.T) {
	for _, hostile := range append(hostileTexts(), "# x", "- x", "a\n\n# b", "<b>", "![x](y)", "www.example.com", "| a |", "**", "`") {
		info := account()
		info.Layout.Head[0].Value = hostile
		rows := accountRows()
		rows[0][0][1] = dataexport.StringValue(hostile)
		_, contents, err := unzip(render(t, Zip(), info, rows...))
		require.NoError(t, err)
		for name, parser := range markdownParsers {
			require.NoError(t, judgeOverview(&markdownJudge{parser: parser, source: contents["overview.md"]}, hostile), "%s: %q", name, hostile)
		}
	}
}

func judgeOverview(j *markdownJudge, value string) error {
	root := j.parser.Parser().Parse(text.NewReader(j.source))
	if err := j.nothingElse(root); err != nil {
		return err
	}
	j.next = root.FirstChild()
	for _, step := range []func() error{
		func() error { return j.heading(1, "Export of account") },
		func() error { return j.bullets("format: "+value, "exportedAt: 2026-01-15T10:30:00.000Z") },
		func() error { return j.block(ast.KindParagraph, "All records.") },
		func() error { return j.heading(2, "account") },
		func() error { return j.bullets("id: 7", "e-mail: "+value) },
		func() error { return j.heading(2, "Files") },
		func() error {
			return j.bullets("account: 1 record in account.csv", "notes: 3 records in notes.csv", "nothing: 0 records in nothing.csv",
				"tags: 1 record in tags.csv")
		},
		func() error {
			return j.block(ast.KindParagraph, "The tables are CSV files. manifest.json describes their columns and has the size and the SHA-256 of every other file.")
		},
	} {
		if err := step(); err != nil {
			return err
		}
	}
	if j.next != nil {
		return fmt.Errorf("at the end is %s", j.describe())
	}
	return nil
}

func (j *markdownJudge) bullets(want ...string) error {
	items, err := j.list()
	if err != nil {
		return err
	}
	var got []string
	for _, item := range items {
		got = append(got, j.textOf(item))
	}
	for i := range want {
		want[i] = plain(want[i])
	}
	if !slices.Equal(got, want) {
		return fmt.Errorf("the bullets are %q and must be %q", got, want)
	}
	return nil
}

func TestZipRefusesWhatItCannotWrite(t *testing.T) {
	change := func(f func(*dataexport.Info)) dataexport.Info {
		info := account()
		f(&info)
		return info
	}
	for want, info := range map[string]dataexport.Info{
		"zip holds an archive of several tables, and memories is one list of records; choose another format": memory.Info(),
		`"a/b" of account is no file name`:                change(func(i *dataexport.Info) { i.Collections[1].Name = "a/b" }),
		`".." of account is no file name`:                 change(func(i *dataexport.Info) { i.Collections[1].Name = ".." }),
		`"nötes" of account is no file name`:              change(func(i *dataexport.Info) { i.Collections[1].Name = "nötes" }),
		`"` + strings.Repeat("n", 65) + `" of account is`: change(func(i *dataexport.Info) { i.Collections[1].Name = strings.Repeat("n", 65) }),
		`those of "notes" and "Notes" of account apart`:   change(func(i *dataexport.Info) { i.Collections[2].Name = "Notes" }),
		`has a member "files" of its own`:                 change(func(i *dataexport.Info) { i.Layout.Head[0].Name = "files" }),
		`has a member "schema" of its own`:                change(func(i *dataexport.Info) { i.Layout.Head[1].Name = "schema" }),
	} {
		require.ErrorContains(t, Zip().Check(info), want)
		_, err := Zip().Open(t.Context(), io.Discard, &dataexport.Doc{Info: info, Time: documentTime})
		require.ErrorIs(t, err, dataexport.ErrInvalid)
	}
	assert.NoError(t, Zip().Check(account()))
}

func TestZipErrors(t *testing.T) {
	_, err := Zip().Open(t.Context(), io.Discard, &dataexport.Doc{Info: account(), Time: time.Unix(1<<60, 0)})
	require.ErrorIs(t, err, dataexport.ErrInvalid)

	broken := errors.New("the disk is full")
	rows := accountRows()
	for limit := range 40 { // each of the pieces that a small zip is written in
		left := limit * 100
		w := writerFunc(func(p []byte) (int, error) {
			if left -= len(p); left < 0 {
				return 0, broken
			}
			return len(p), nil
		})
		err := renderTo(w, account(), rows)
		if left < 0 {
			require.ErrorIs(t, err, broken)
		} else {
			require.NoError(t, err)
		}
	}
}

func renderTo(w io.Writer, info dataexport.Info, collections [][]dataexport.Row) error {
	encoder, err := Zip().Open(context.Background(), w, &dataexport.Doc{Info: info, Time: documentTime})
	if err != nil {
		return err
	}
	defer func() { _ = encoder.Close() }()
	for i := range info.Collections {
		if err := encoder.Begin(&info.Collections[i]); err != nil {
			return err
		}
		for _, row := range collections[i] {
			if err := encoder.Row(row); err != nil {
				return err
			}
		}
	}
	return encoder.Finish(dataexport.Summary{})
}

// Times that the header of an entry cannot hold are left out of it, and the manifest has them all the same.
func TestZipTimes(t *testing.T) {
	for _, c := range []struct {
		time   time.Time
		stored bool
	}{
		{time.Date(1979, 12, 31, 23, 59, 59, 0, time.UTC), false},
		{time.Date(1980, 1, 1, 0, 0, 0, 0, time.FixedZone("", 3600)), false},
		{time.Date(1980, 1, 1, 0, 0, 0, 0, time.UTC), true},
		{time.Date(2026, 1, 15, 11, 30, 0, 0, time.FixedZone("", 3600)), true},
		{time.Date(2038, 1, 1, 0, 0, 0, 0, time.UTC), false},
		{time.Time{}, false},
	} {
		var out bytes.Buffer
		info := account()
		info.Collections = info.Collections[1:2]
		encoder, err := Zip().Open(t.Context(), &out, &dataexport.Doc{Info: info, Time: c.time})
		require.NoError(t, err)
		require.NoError(t, encoder.Begin(&info.Collections[0]))
		require.NoError(t, encoder.Finish(dataexport.Summary{}))
		require.NoError(t, encoder.Close())
		r, err := zip.NewReader(bytes.NewReader(out.Bytes()), int64(out.Len()))
		require.NoError(t, err)
		assert.Equal(t, c.stored, r.File[0].Modified.Equal(c.time), c.time)
		_, contents, err := unzip(out.Bytes())
		require.NoError(t, err)
		var manifest zipManifestDocument
		require.NoError(t, json.Unmarshal(contents["manifest.json"], &manifest))
		assert.Equal(t, c.time.UTC().Format("2006-01-02T15:04:05.000Z"), manifest.ExportedAt)
	}
}

// A table allocates as little as CSV does, compression included.
func TestZipNoAllocationForARecord(t *testing.T) {
	info := everyKind()
	info.Layout = dataexport.Layout{Object: true}
	encoder, err := Zip().Open(t.Context(), io.Discard, &dataexport.Doc{Info: info, Time: documentTime})
	require.NoError(t, err)
	require.NoError(t, encoder.Begin(&info.Collections[0]))
	all := everyKindRows()
	for range 2000 { // until the buffers have their size
		for _, row := range all {
			require.NoError(t, encoder.Row(row))
		}
	}
	assert.Zero(t, testing.AllocsPerRun(2000, func() {
		for _, row := range all {
			_ = encoder.Row(row)
		}
	}))
}
