package archive_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/dataexport/dataexport"
	"github.com/dataexport/dataexport/archive"
	"github.com/dataexport/dataexport/render"
)

// fuzzLimits keep an input of the fuzzer from taking long.
func fuzzLimits() archive.Limits { return archive.Limits{Unpacked: 1 << 20, Records: 10_000} }

// judge verifies a document. One that is in order is read without an error, and what was read makes an archive that is in
// order, and the same when it is made again.
func judge(t *testing.T, a *archive.Archive, document string, renderers ...dataexport.Renderer) {
	t.Helper()
	report := verify(t, a, document)
	c, err := read(a, document)
	if !report.OK() {
		for _, f := range report.Faults {
			require.NotContains(t, f.Error(), "\n")
			if !isOfVerify(f) {
				require.Error(t, err, f.Error())
			}
		}
		return
	}
	require.NoError(t, err)
	require.EqualValues(t, len(c.labels), report.Records["labels"])
	require.EqualValues(t, len(c.entries), report.Records["entries"])
	for _, renderer := range renderers {
		once := c.export(t, a, renderer)
		again := verify(t, a, once)
		require.True(t, again.OK(), again.Faults)
		second, err := read(a, once)
		require.NoError(t, err)
		require.Equal(t, once, second.export(t, a, renderer))
	}
}

func FuzzVerifyJSON(f *testing.F) {
	a := journal(f, archive.Limits{})
	f.Add(journalJSON)
	for _, change := range [][2]string{
		{`"text":"one"`, `"text":"\ud83d\ude00\u0000\\"`},
		{`"data":null`, `"data":"\ud800"`},
		{`"2026-01-15T10:30:00.123Z"`, `"2026-01-15T10:30Z"`},
		{`"rate":0.5`, `"rate":-0.0e-1`},
		{`"tags":[]`, `"tags":["\u00e9",""]`},
		{`"labels":2`, `"labels":3`},
		{`"next":"work"`, `"next":"school"`},
		{`"size":0`, `"size":[[[[`},
		{`"-3e7"`, `"+1.5E-10"`},
	} {
		f.Add(strings.Replace(journalJSON, change[0], change[1], 1))
	}
	f.Fuzz(func(t *testing.T, document string) { judge(t, a, document, render.JSON(), render.Zip()) })
}

func FuzzVerifyZip(f *testing.F) {
	a := journal(f, fuzzLimits())
	original := journalZip(f)
	f.Add([]byte(original))
	files := unzip(f, original)
	f.Add([]byte(zipOf(f, files)))
	f.Add([]byte(zipOf(f, files[1:])))
	f.Add([]byte(original[:len(original)/2]))
	f.Fuzz(func(t *testing.T, document []byte) { judge(t, a, string(document), render.JSON(), render.Zip()) })
}

// FuzzVerifyTable fuzzes what is in a zip, which FuzzVerifyZip cannot change without breaking its checksums.
func FuzzVerifyTable(f *testing.F) {
	a := journal(f, fuzzLimits())
	files := unzip(f, journalZip(f))
	f.Add(files[1].content, files[2].content, files[4].content)
	f.Add(files[1].content, strings.Replace(files[2].content, ",one,", `,"'=1,""",`, 1), files[4].content)
	f.Fuzz(func(t *testing.T, labels, entries, manifest string) {
		changed := append([]zipped{}, files...)
		changed[1].content, changed[2].content = labels, entries
		for i, before := range []zipped{1: files[1], 2: files[2]} {
			if before.content != "" {
				manifest = strings.Replace(manifest, sumOf(before.content), sumOf(changed[i].content), 1)
				manifest = strings.Replace(manifest, sizeOf(before.content), sizeOf(changed[i].content), 1)
			}
		}
		changed[4].content = manifest
		judge(t, a, zipOf(t, changed), render.JSON(), render.Zip())
	})
}

func sizeOf(content string) string { return fmt.Sprintf(`"size": %d,`, len(content)) }
