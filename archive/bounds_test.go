package archive_test

import (
	"archive/zip"
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dataexport/dataexport"
	"github.com/dataexport/dataexport/archive"
)

func TestNestingHasAnEnd(t *testing.T) {
	a := journal(t, archive.Limits{})
	nested := func(depth int) string { return strings.Repeat("[", depth) + strings.Repeat("]", depth) }
	in := func(from, to string) string { return strings.Replace(journalJSON, from, to, 1) }

	report := verify(t, a, in(`"data":null`, `"data":`+nested(10_000)))
	assert.True(t, report.OK(), "as deep as the renderers write: %v", report.Faults)

	for name, test := range map[string]struct{ document, place string }{
		"a field":           {in(`"data":null`, `"data":`+nested(10_001)), "archive: entries[1].data: no JSON at byte "},
		"no end":            {in(`"data":null`, `"data":`+strings.Repeat(`{"a":[`, 1<<20)), "archive: entries[1].data: no JSON at byte "},
		"an unknown member": {in(journalTime, journalTime+`,"x":`+strings.Repeat("[", 1<<20)), "archive: x: no JSON at byte "},
		"a list":            {in(`"labels":[`, `"labels":[`+strings.Repeat("[", 1<<20)), "archive: labels[0]: no JSON at byte "},
		"the document":      {strings.Repeat("[", 1<<20), "archive: no JSON at byte 0: "},
		"the counts":        {in(`{"labels":2`, `{"labels":`+strings.Repeat("[", 1<<20)), "archive: counts: no JSON at byte "},
	} {
		t.Run(name, func(t *testing.T) {
			report := verify(t, a, test.document)
			last := report.Faults[len(report.Faults)-1]
			assert.Truef(t, strings.HasPrefix(last.Error(), test.place), "%s", last)
			if name != "the document" {
				assert.Contains(t, last.Problem, "a value is nested deeper than 10000 levels")
			}
			_, err := read(a, test.document)
			assert.ErrorIs(t, err, dataexport.ErrInvalid)
		})
	}
}

// A record that is too large is one fault; those behind it are looked at.
func TestALargeRecord(t *testing.T) {
	const limit = 16 << 20
	a := journal(t, archive.Limits{})
	in := func(from, to string) string { return strings.Replace(journalJSON, from, to, 1) }
	large := strings.Repeat("x", limit)

	report := verify(t, a, in(`"text":"one"`, `"text":"`+large[:limit-1000]+`"`))
	assert.True(t, report.OK(), "%d", len(report.Faults))
	tooLarge := fmt.Sprintf("the record is larger than %d bytes", limit)
	requireFaults(t, a, in(`"text":"one"`, `"text":"`+large+`"`), []archive.Fault{
		{Collection: "entries", Record: 0, Field: "text", Problem: tooLarge},
	})
	requireFaults(t, a, in(label2, `"`+large+`"`), []archive.Fault{
		{Collection: "labels", Record: 1, Problem: fmt.Sprintf("the value is larger than %d bytes", limit)},
		{Collection: "labels", Record: 0, Field: "next", Value: "work", Problem: "no record of labels has this id"},
	})
	requireFaults(t, a, in(`"journal.v1"`, `"`+large+`"`), []archive.Fault{
		{Record: -1, Field: "format", Problem: fmt.Sprintf("the value is larger than %d bytes", limit)},
	})
	report = verify(t, a, in(`"text":`, `"`+large+`":`))
	require.Len(t, report.Faults, 1)
	assert.Contains(t, report.Faults[0].Problem, "the name of a member is longer than 65536 bytes")

	files := unzip(t, journalZip(t))
	changeFile(t, files, "entries.csv", replace(",one,", ","+large+large+","))
	report = verify(t, a, zipOf(t, files)) // It is a bomb as well.
	require.NotEmpty(t, report.Faults)
	assert.Equal(t, 0, report.Faults[0].Record)
	assert.Contains(t, report.Faults[0].Problem, "larger than 16777216 bytes")
}

// A row of many cells, none of which is too large, is too large all the same.
func TestALargeRow(t *testing.T) {
	cell := "," + strings.Repeat("x", 8<<20)
	for name, place := range map[string]int{"\r\n": 0, "name": -1} {
		files := unzip(t, journalZip(t))
		changeFile(t, files, "labels.csv", func(s string) string {
			if name == "name" {
				return strings.Replace(s, "next", "next"+cell+cell+cell, 1)
			}
			return strings.Replace(s, "work\r\n", "work"+cell+cell+cell+"\r\n", 1)
		})
		report := verify(t, journal(t, archive.Limits{}), zipOf(t, files))
		require.NotEmpty(t, report.Faults)
		assert.Equal(t, place, report.Faults[0].Record)
	}
}

func TestABombEndsEarly(t *testing.T) {
	files := unzip(t, journalZip(t))
	zeros := strings.Repeat("\x00", 80<<20)
	bomb := slices.Clone(files)
	changeFile(t, bomb, "overview.md", func(string) string { return zeros })
	requireFaults(t, journal(t, archive.Limits{}), zipOf(t, bomb), []archive.Fault{
		{Record: -1, Field: "overview.md", Problem: "the file is more than 1000 times larger than what it is compressed to"},
	})
	requireFaults(t, journal(t, archive.Limits{Unpacked: 1 << 20}), zipOf(t, bomb), []archive.Fault{
		{Record: -1, Field: "files", Problem: "the files are larger than 1048576 bytes in all, the limit of the definition"},
	})

	// The manifest is silent about it.
	files[3].content = zeros
	report := verify(t, journal(t, archive.Limits{}), zipOf(t, files))
	require.Len(t, report.Faults, 1)
	assert.Contains(t, report.Faults[0].Problem, "bytes that it may have")

	// A manifest is a bomb as well.
	manifest := slices.Clone(files)
	manifest[4].content = "{" + strings.Repeat(" ", 17<<20)
	report = verify(t, journal(t, archive.Limits{}), zipOf(t, manifest))
	require.Len(t, report.Faults, 1)
	assert.Equal(t, "the file is larger than the 16777216 bytes that it may have", report.Faults[0].Problem)
}

func TestLimits(t *testing.T) {
	requireFaultsOfVerify := func(limits archive.Limits, document, problem string) {
		t.Helper()
		report := verify(t, journal(t, limits), document)
		require.NotEmpty(t, report.Faults)
		assert.Contains(t, report.Faults[0].Problem, problem)
	}
	requireFaultsOfVerify(archive.Limits{Records: 3}, journalJSON, "there are more than 3 records in all")
	requireFaultsOfVerify(archive.Limits{Records: 3}, journalZip(t), "there are more than 3 records in all")
	requireFaultsOfVerify(archive.Limits{Unpacked: 300}, journalZip(t), "larger than 300 bytes in all")
	exact := journal(t, archive.Limits{Records: 4})
	report := verify(t, exact, journalJSON)
	assert.True(t, report.OK(), report.Faults)

	var size int64
	files := unzip(t, journalZip(t))
	for _, f := range files {
		size += int64(len(f.content))
	}
	report = verify(t, journal(t, archive.Limits{Unpacked: size}), journalZip(t))
	assert.True(t, report.OK(), report.Faults)
	requireFaultsOfVerify(archive.Limits{Unpacked: size - 1}, journalZip(t), "limit of the definition")
}

func TestALargeDirectory(t *testing.T) {
	var out bytes.Buffer
	w := zip.NewWriter(&out)
	for i := range 1000 {
		_, err := w.Create(fmt.Sprintf("%d%s", i, strings.Repeat("x", 2000)))
		require.NoError(t, err)
	}
	require.NoError(t, w.Close())
	requireFaults(t, journal(t, archive.Limits{}), out.String(), []archive.Fault{
		{Record: -1, Problem: "the directory of the zip is larger than 1048576 bytes"},
	})
}

func TestAReportHoldsAThousandFaults(t *testing.T) {
	document := strings.Replace(journalJSON, "\"labels\":[\n", `"labels":[`+strings.Repeat("1,", 1500), 1)
	report := verify(t, journal(t, archive.Limits{}), document)
	assert.Len(t, report.Faults, 1000)
	assert.EqualValues(t, 1500+1-1000, report.More, "and the count")
	assert.False(t, report.OK())
}

// A failingReader fails once so many reads have been made.
type failingReader struct {
	io.ReaderAt
	left int
}

var errMedium = errors.New("the disk is gone")

func (r *failingReader) ReadAt(p []byte, offset int64) (int, error) {
	if r.left--; r.left < 0 {
		return 0, errMedium
	}
	return r.ReaderAt.ReadAt(p, offset)
}

func TestAFaultOfTheMediumIsNoneOfTheArchive(t *testing.T) {
	a := journal(t, archive.Limits{})
	for name, document := range map[string]string{"json": journalJSON, "zip": journalZip(t)} {
		for reads := 0; ; reads++ {
			r := &failingReader{ReaderAt: strings.NewReader(document), left: reads}
			_, err := a.Verify(r, int64(len(document)))
			if err == nil {
				require.GreaterOrEqual(t, r.left, 0)
				require.Greater(t, reads, 1)
				break
			}
			require.ErrorIs(t, err, errMedium, "%s after %d reads", name, reads)
			r.left = reads
			_, err = a.Read(r, int64(len(document)), func(archive.Record) error { return nil })
			require.ErrorIs(t, err, errMedium, "%s after %d reads", name, reads)
			var fault *archive.Fault
			require.False(t, errors.As(err, &fault))
		}
	}
}

func TestAnErrorOfVisitEndsTheReading(t *testing.T) {
	a := journal(t, archive.Limits{})
	enough := errors.New("enough")
	for name, document := range map[string]string{"json": journalJSON, "zip": journalZip(t)} {
		var got []string
		_, err := a.Read(strings.NewReader(document), int64(len(document)), func(r archive.Record) error {
			got = append(got, fmt.Sprintf("%s[%d]", r.Collection, r.Index))
			if len(got) == 3 {
				return enough
			}
			return nil
		})
		assert.Equal(t, enough, err, name)
		assert.Equal(t, []string{"owner[0]", "labels[0]", "labels[1]"}, got, name)
	}
}

func TestAnArchiveIsReadByManyAtOnce(t *testing.T) {
	a := journal(t, archive.Limits{})
	documents := []string{journalJSON, journalZip(t)}
	var group sync.WaitGroup
	for i := range 8 {
		group.Go(func() {
			r := strings.NewReader(documents[i%2])
			report, err := a.Verify(r, r.Size())
			assert.NoError(t, err)
			assert.True(t, report.OK())
			_, err = read(a, documents[i%2])
			assert.NoError(t, err)
		})
	}
	group.Wait()
}
