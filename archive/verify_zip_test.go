package archive_test

import (
	"archive/zip"
	"bytes"
	"compress/flate"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"hash/crc32"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dataexport/dataexport/archive"
)

// changeFile changes a file of a zip, and the manifest with it, so that the change itself is all there is to find.
func changeFile(t *testing.T, files []zipped, name string, change func(string) string) {
	t.Helper()
	i := slices.IndexFunc(files, func(f zipped) bool { return f.name == name })
	require.GreaterOrEqual(t, i, 0)
	before := files[i].content
	after := change(before)
	require.NotEqual(t, before, after)
	files[i].content = after
	if name == "manifest.json" {
		return
	}
	changeFile(t, files, "manifest.json", func(manifest string) string {
		// The size and the hash are on the lines behind the name.
		head, rest, _ := strings.Cut(manifest, strconv.Quote(name))
		rest = strings.Replace(rest, sizeOf(before), sizeOf(after), 1)
		return head + strconv.Quote(name) + strings.Replace(rest, sumOf(before), sumOf(after), 1)
	})
}

func sumOf(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:])
}

func replace(from, to string) func(string) string {
	return func(s string) string { return strings.Replace(s, from, to, 1) }
}

func TestEveryFaultOfAZipHasItsPlace(t *testing.T) {
	const id1, id2 = "00000000-0000-0000-0000-000000000001", "00000000-0000-0000-0000-000000000002"
	fault := func(collection string, record int, field, value, problem string) archive.Fault {
		return archive.Fault{Collection: collection, Record: record, Field: field, Value: value, Problem: problem}
	}
	original := unzip(t, journalZip(t))
	require.Len(t, original, 5)
	overview := original[3].content
	tests := map[string]struct {
		file   string
		change func(string) string
		want   []archive.Fault
	}{
		"a count that differs": {"manifest.json", replace(`"records": 2`, `"records": 3`), []archive.Fault{
			fault("labels", -1, "records", "3", "the count differs from the number of records, 2"),
		}},
		"a bad hash": {"manifest.json", replace(sumOf(overview), strings.Repeat("0", 64)), []archive.Fault{
			fault("", -1, "overview.md", sumOf(overview), "the SHA-256 of the file is not that of the manifest"),
		}},
		"a size too small": {"manifest.json", replace(fmt.Sprintf(`"size": %d`, len(overview)), fmt.Sprintf(`"size": %d`, len(overview)-1)), []archive.Fault{
			fault("", -1, "overview.md", "", fmt.Sprintf("the file is larger than the %d bytes that it may have", len(overview)-1)),
		}},
		"a size too large": {"manifest.json", replace(fmt.Sprintf(`"size": %d`, len(overview)), fmt.Sprintf(`"size": %d`, len(overview)+1)), []archive.Fault{
			fault("", -1, "overview.md", "", fmt.Sprintf("the file has %d bytes, and the manifest says %d", len(overview), len(overview)+1)),
		}},
		"no hash":                  {"manifest.json", replace(sumOf(overview), "x"), []archive.Fault{fault("", -1, "overview.md", "x", "in the manifest: not a SHA-256 in hex"), notListed("", "overview.md")}},
		"another format":           {"manifest.json", replace("journal.v1", "journal.v2"), []archive.Fault{fault("", -1, "format", "journal.v2", "the format is unknown; this archive is journal.v1")}},
		"a bad time of the export": {"manifest.json", replace("2026-01-15T10:30:00.000Z", "now"), []archive.Fault{fault("", -1, "exportedAt", "now", badTime)}},
		"a missing member":         {"manifest.json", replace(`"exportedAt": "2026-01-15T10:30:00.000Z",`, ""), []archive.Fault{fault("", -1, "exportedAt", "", "in the manifest: the member is missing")}},
		"a member twice":           {"manifest.json", replace(`"exportedAt"`, `"format":"journal.v1","exportedAt"`), []archive.Fault{fault("", -1, "format", "", "in the manifest: the member is there twice")}},
		"an unknown member":        {"manifest.json", replace(`"exportedAt"`, `"x":[],"exportedAt"`), []archive.Fault{fault("", -1, "x", "", "in the manifest: the member is unknown")}},
		"a schema that is none":    {"manifest.json", replace(`"schema": {`, `"schema": 1, "x": {`), []archive.Fault{fault("", -1, "schema", "1", "a number, where an object must be"), fault("", -1, "x", "", "in the manifest: the member is unknown")}},
		"a file with a path":       {"manifest.json", replace(`"overview.md"`, `"../overview.md"`), []archive.Fault{fault("", -1, "../overview.md", "../overview.md", "in the manifest: the file is unknown"), notListed("", "overview.md")}},
		"a file twice":             {"manifest.json", replace(`"overview.md"`, `"owner.csv","collection":"owner","records":1`), []archive.Fault{fault("", -1, "owner.csv", "", "in the manifest: the file is there twice"), notListed("", "overview.md")}},
		"a file without records":   {"manifest.json", replace(`"records": 2,`, ``), []archive.Fault{fault("", -1, "labels.csv", "", "in the manifest: the member records is missing"), notListed("labels", "labels.csv")}},
		"records without a table":  {"manifest.json", replace(`"overview.md",`, `"overview.md","records":1,`), []archive.Fault{fault("", -1, "overview.md", "", "in the manifest: the file is no table, and has a collection or records"), notListed("", "overview.md")}},
		"another collection":       {"manifest.json", replace(`"collection": "labels"`, `"collection": "entries"`), []archive.Fault{fault("", -1, "labels.csv", "entries", "in the manifest: the collection is not that of the file"), notListed("labels", "labels.csv")}},
		"two owners":               {"manifest.json", replace(`"records": 1`, `"records": 2`), []archive.Fault{fault("", -1, "owner.csv", "2", "in the manifest: the number of records must be 1"), notListed("owner", "owner.csv")}},
		"a member of a file twice": {"manifest.json", replace(`"records": 1`, `"records": 1, "records": 1`), []archive.Fault{fault("", -1, "owner.csv", "1", "in the manifest: the member records is there twice"), notListed("owner", "owner.csv")}},
		"an unknown member of it":  {"manifest.json", replace(`"records": 1`, `"records": 1, "x": 1`), []archive.Fault{fault("", -1, "owner.csv", "1", "in the manifest: a file has an unknown member"), notListed("owner", "owner.csv")}},
		"records that are text":    {"manifest.json", replace(`"records": 1`, `"records": "1"`), []archive.Fault{fault("", -1, "owner.csv", `"1"`, "in the manifest: records: not a number from 0"), notListed("owner", "owner.csv")}},
		"a name that is a number":  {"manifest.json", replace(`"name": "owner.csv"`, `"name": 1`), []archive.Fault{fault("", -1, "files", `1`, "in the manifest: name: a number, where a string must be"), notListed("owner", "owner.csv")}},
		"files that are no list":   {"manifest.json", replace(`"files": [`, `"files": 1, "x": [`), []archive.Fault{fault("", -1, "files", `1`, "a number, where an array must be"), fault("", -1, "x", "", "in the manifest: the member is unknown"), notListed("owner", "owner.csv"), notListed("labels", "labels.csv"), notListed("entries", "entries.csv"), notListed("", "overview.md")}},
		"a file that is no object": {"manifest.json", replace(`"files": [`, `"files": [1,`), []archive.Fault{fault("", -1, "files", `1`, "a number, where an object must be")}},
		"a manifest cut off":       {"manifest.json", func(s string) string { return s[:10] }, []archive.Fault{fault("", -1, "manifest.json", "", "no JSON at byte 10: the document ends inside a value; the rest of it is missing")}},
		"more than the limit":      {"manifest.json", replace(fmt.Sprintf(`"size": %d`, len(overview)), fmt.Sprintf(`"size": %d`, int64(16<<30))), []archive.Fault{fault("", -1, "files", "", "the files are larger than 17179869184 bytes in all, the limit of the definition")}},

		"a duplicate id": {"entries.csv", replace("\r\n"+id2, "\r\n"+id1), []archive.Fault{
			fault("entries", 1, "id", id1, "record 0 has the same id"),
			fault("labels", 0, "entryId", id2, "no record of entries has this id"),
			fault("labels", 1, "entryId", id2, "no record of entries has this id"),
		}},
		"a reference that points to nothing": {"labels.csv", replace("work\r\n", "school\r\n"), []archive.Fault{fault("labels", 0, "next", "school", "no record of labels has this id")}},
		"an unknown column":                  {"labels.csv", func(s string) string { return strings.ReplaceAll(s, "\r\n", ",x\r\n") }, []archive.Fault{fault("labels", -1, "x", "", "the column is unknown")}},
		"a missing column":                   {"labels.csv", replace("next", "Next"), []archive.Fault{fault("labels", -1, "Next", "", "the column is unknown"), fault("labels", -1, "next", "", "the column is missing")}},
		"a column twice":                     {"labels.csv", replace("next", "name"), []archive.Fault{fault("labels", -1, "name", "", "the column is there twice"), fault("labels", -1, "next", "", "the column is missing")}},
		"null":                               {"entries.csv", replace(",one,", ",,"), []archive.Fault{fault("entries", 0, "text", "", "null, where a string must be")}},
		"a bad time":                         {"entries.csv", replace("10:30:00.123", "24:00:00.123"), []archive.Fault{fault("entries", 1, "at", "2026-01-15T24:00:00.123Z", badTime)}},
		"a bad number":                       {"entries.csv", replace(",-128,", ",+128,"), []archive.Fault{fault("entries", 0, "size", "+128", "not a number")}},
		"a bad float":                        {"entries.csv", replace(",0.5,", ",NaN,"), []archive.Fault{fault("entries", 0, "rate", "NaN", "not a number")}},
		"a bad bool":                         {"entries.csv", replace(",true", ",TRUE"), []archive.Fault{fault("entries", 0, "done", "TRUE", "neither true nor false")}},
		"a bad list":                         {"entries.csv", replace(",[],", ",a,"), []archive.Fault{fault("entries", 1, "tags", "a", `invalid JSON at byte 0: "a" stands where a value is expected`)}},
		"a list of another kind":             {"entries.csv", replace(",[],", ",{},"), []archive.Fault{fault("entries", 1, "tags", "{}", `an object, where a list of text must be`)}},
		"text that is not UTF-8":             {"entries.csv", replace(",one,", ",\xff,"), []archive.Fault{fault("entries", 0, "text", "\xff", "not valid UTF-8")}},
		"no header":                          {"labels.csv", func(string) string { return "" }, []archive.Fault{fault("labels", -1, "", "", "csv: line 1, column 0: the file has no header row")}},
		"a row cut off":                      {"labels.csv", func(s string) string { return s[:len(s)-4] }, []archive.Fault{fault("labels", 1, "", "", "csv: line 3, column 40: the file ends within a row; the rest of it is missing")}},
		"line feeds":                         {"labels.csv", replace("\r\nwork", "\nwork"), []archive.Fault{fault("labels", 0, "", "", "csv: line 2, column 47: a line ends with LF alone, and must end with CR LF")}},
		"an owner too many":                  {"owner.csv", func(s string) string { _, row, _ := strings.Cut(s, "\r\n"); return s + row }, []archive.Fault{fault("owner", -1, "", "", "there are 2 records, and there must be one")}},
	}
	a := journal(t, archive.Limits{})
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			files := slices.Clone(original)
			changeFile(t, files, test.file, test.change)
			requireFaults(t, a, zipOf(t, files), test.want)
		})
	}
}

func notListed(collection, name string) archive.Fault {
	return archive.Fault{Collection: collection, Record: -1, Field: name, Problem: "the file is not in the manifest"}
}

func TestFilesThatDoNotBelongIntoAZip(t *testing.T) {
	const path = "the name of the file is a path, and may lead out of the folder"
	original := unzip(t, journalZip(t))
	fault := func(field, problem string) []archive.Fault {
		return []archive.Fault{{Record: -1, Field: field, Problem: problem}}
	}
	without := func(name string) []zipped {
		return slices.DeleteFunc(slices.Clone(original), func(f zipped) bool { return f.name == name })
	}
	many := slices.Clone(original)
	for i := range 60 {
		many = append(many, zipped{fmt.Sprintf("%d.csv", i), ""})
	}
	a := journal(t, archive.Limits{})
	for name, test := range map[string]struct {
		files []zipped
		want  []archive.Fault
	}{
		"a path that climbs out":      {append(original[:5:5], zipped{"../../etc/passwd", "x"}), fault("../../etc/passwd", path)},
		"one with backslashes":        {append(original[:5:5], zipped{`..\x.csv`, "x"}), fault(`..\x.csv`, path)},
		"an absolute path":            {append(original[:5:5], zipped{"/overview.md", "x"}), fault("/overview.md", path)},
		"a folder":                    {append(original[:5:5], zipped{"entries.csv/", ""}), fault("entries.csv/", path)},
		"an unknown file":             {append(original[:5:5], zipped{"readme.txt", "x"}), fault("readme.txt", "the file is unknown")},
		"a name in other letters":     {append(original[:5:5], zipped{"Entries.csv", "x"}), fault("Entries.csv", "the file is unknown")},
		"a file twice":                {append(original[:5:5], original[1]), fault("labels.csv", "the file is there twice")},
		"too many":                    {many, fault("", "the zip has 65 files, more than 64")},
		"no manifest":                 {without("manifest.json"), fault("manifest.json", "the file is missing; the zip may be cut off")},
		"no overview":                 {without("overview.md"), fault("overview.md", "the file is missing")},
		"a missing table":             {without("labels.csv"), []archive.Fault{{Collection: "labels", Record: -1, Problem: "the collection is missing"}}},
		"nothing but an empty folder": {[]zipped{{"x/", ""}}, append(fault("x/", path), fault("manifest.json", "the file is missing; the zip may be cut off")...)},
	} {
		t.Run(name, func(t *testing.T) { requireFaults(t, a, zipOf(t, test.files), test.want) })
	}
	reversed := slices.Clone(original)
	slices.Reverse(reversed)
	report := verify(t, a, zipOf(t, reversed))
	assert.True(t, report.OK(), "the order of the files is free: %v", report.Faults)
}

// zipWith makes a zip of files as they are, with a header that the test may change for one of them.
func zipWith(t *testing.T, files []zipped, name string, change func(*zip.FileHeader)) string {
	t.Helper()
	var out bytes.Buffer
	w := zip.NewWriter(&out)
	for _, f := range files {
		var packed bytes.Buffer
		pack, err := flate.NewWriter(&packed, flate.BestCompression)
		require.NoError(t, err)
		_, err = pack.Write([]byte(f.content))
		require.NoError(t, err)
		require.NoError(t, pack.Close())
		header := &zip.FileHeader{
			Name: f.name, Method: zip.Deflate, CRC32: crc32.ChecksumIEEE([]byte(f.content)),
			UncompressedSize64: uint64(len(f.content)), CompressedSize64: uint64(packed.Len()),
		}
		if f.name == name {
			change(header)
		}
		to, err := w.CreateRaw(header)
		require.NoError(t, err)
		_, err = to.Write(packed.Bytes())
		require.NoError(t, err)
	}
	require.NoError(t, w.Close())
	return out.String()
}

func TestZipsWhoseHeadersAreWrong(t *testing.T) {
	files := unzip(t, journalZip(t))
	a := journal(t, archive.Limits{})
	ok := zipWith(t, files, "", nil)
	okReport := verify(t, a, ok)
	require.True(t, okReport.OK(), okReport.Faults)
	for name, test := range map[string]struct {
		change func(*zip.FileHeader)
		want   string
	}{
		"encrypted":         {func(h *zip.FileHeader) { h.Flags |= 1 }, "the file is encrypted"},
		"another method":    {func(h *zip.FileHeader) { h.Method = 93 }, "the file is compressed by method 93"},
		"a wrong CRC":       {func(h *zip.FileHeader) { h.CRC32++ }, "the file is damaged: zip: checksum error"},
		"larger than said":  {func(h *zip.FileHeader) { h.UncompressedSize64-- }, "the file is damaged: "},
		"smaller than said": {func(h *zip.FileHeader) { h.UncompressedSize64++ }, "the file is damaged: "},
		"larger than all":   {func(h *zip.FileHeader) { h.CompressedSize64 = 1 << 40 }, "the file is larger than the zip"},
		"cut off":           {func(h *zip.FileHeader) { h.CompressedSize64 -= 5 }, "the file is damaged: "},
	} {
		t.Run(name, func(t *testing.T) {
			for _, file := range []string{"entries.csv", "overview.md", "manifest.json"} {
				report := verify(t, a, zipWith(t, files, file, test.change))
				require.NotEmpty(t, report.Faults)
				assert.Equal(t, file, report.Faults[0].Field)
				assert.Contains(t, report.Faults[0].Problem, test.want)
			}
		})
	}
}

// A table that does not agree with the manifest has been read all the same: what else is wrong with it is reported too.
func TestAWrongSizeHidesNoOtherFault(t *testing.T) {
	files := unzip(t, journalZip(t))
	for i := range files {
		if files[i].name == "labels.csv" {
			header, _, _ := strings.Cut(files[i].content, "\r\n")
			files[i].content = header + "\r\n"
		}
	}
	report := verify(t, journal(t, archive.Limits{}), zipOf(t, files))
	var problems []string
	for _, f := range report.Faults {
		problems = append(problems, f.Error())
	}
	all := strings.Join(problems, "\n")
	assert.Contains(t, all, "and the manifest says")
	assert.Contains(t, all, "the count differs from the number of records")
}

// The name of a collection in a fault may come from the archive.
func TestAFaultIsOneLineWhateverTheArchiveHolds(t *testing.T) {
	f := archive.Fault{Collection: "x\x1b[2J\nno faults\n", Record: -1, Problem: "unknown"}
	assert.NotContains(t, f.Error(), "\n")
	assert.NotContains(t, f.Error(), "\x1b")
}
