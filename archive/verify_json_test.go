package archive_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dataexport/dataexport"
	"github.com/dataexport/dataexport/archive"
	"github.com/dataexport/dataexport/render"
)

func TestAJournalComesBack(t *testing.T) {
	a := journal(t, archive.Limits{})
	for name, document := range map[string]string{"json": journalJSON, "zip": journalZip(t)} {
		t.Run(name, func(t *testing.T) {
			report := verify(t, a, document)
			assert.True(t, report.OK(), report.Faults)
			assert.Equal(t, map[string]int64{"owner": 1, "labels": 2, "entries": 2}, report.Records)
			assert.Equal(t, map[string]int64{"labels": 2, "entries": 2}, report.Header.Counts)
			assert.Equal(t, "journal.v1", report.Header.Format)
			c, err := read(a, document)
			require.NoError(t, err)
			assert.Equal(t, report.Header, c.header)
			assert.JSONEq(t, `{"n":12345678901234567890.10}`, string(c.entries[0].Data))
			assert.Nil(t, c.entries[1].Data)
			require.NotNil(t, c.entries[1].Note)
			assert.Equal(t, journalJSON, c.export(t, a, render.JSON()))
			assert.Equal(t, journalZip(t), c.export(t, a, render.Zip()))
		})
	}
}

// The order of members, white space, escapes and the seconds of a time are free.
func TestADocumentMayBeWrittenInAnotherWay(t *testing.T) {
	a := journal(t, archive.Limits{})
	document := " { " + journalCounts + `, "entries" : [ ` + entry2 + " ,\r\n\t" + entry1 + ` ] , "o\u0077ner" : ` + ownerJSON +
		"," + journalFormat + `,"labels":[` + label2 + "," + label1 + `],"exportedAt":"2026-01-15T10:30Z" } ` + "\n"
	document = strings.Replace(document, `"2026-01-15T10:30:00.000Z","text":"one"`, `"2026-01-15T10:30Z", "text" : "\u006Fn\u0065"`, 1)
	document = strings.Replace(document, `{"n":12345678901234567890.10}`, ` { "n" : 12345678901234567890.10 } `, 1)
	report := verify(t, a, document)
	require.True(t, report.OK(), report.Faults)
	c, err := read(a, document)
	require.NoError(t, err)
	assert.Equal(t, journalJSON, c.export(t, a, render.JSON()))
}

func TestEveryFaultOfADocumentHasItsPlace(t *testing.T) {
	const id1, id2 = "00000000-0000-0000-0000-000000000001", "00000000-0000-0000-0000-000000000002"
	fault := func(collection string, record int, field, value, problem string) archive.Fault {
		return archive.Fault{Collection: collection, Record: record, Field: field, Value: value, Problem: problem}
	}
	const missing = "00000000-0000-0000-0000-0000000000ff"
	tests := map[string]struct {
		from, to string
		want     []archive.Fault
	}{
		"a count that differs": {`"entries":2`, `"entries":3`, []archive.Fault{
			fault("entries", -1, "counts", "3", "the count differs from the number of records, 2"),
		}},
		"a count that is missing": {`{"labels":2,`, `{`, []archive.Fault{fault("labels", -1, "counts", "", "the count is missing")}},
		"a count that is unknown": {`{"labels":2,`, `{"labels":2,"owner":1,`, []archive.Fault{fault("owner", -1, "counts", "1", "there is no such list to count")}},
		"a count that is there twice": {`{"labels":2,`, `{"labels":2,"labels":2,`, []archive.Fault{
			fault("labels", -1, "counts", "2", "the count is there twice"),
		}},
		"a count that is no number": {`{"labels":2,`, `{"labels":-2,`, []archive.Fault{fault("labels", -1, "counts", "-2", "not a number of records")}},
		"counts that are no object": {journalCounts, `"counts":4`, []archive.Fault{fault("", -1, "counts", "4", "a number, where an object must be")}},
		"no counts":                 {",\n" + journalCounts, "", []archive.Fault{fault("", -1, "counts", "", "the member is missing")}},

		"a duplicate id": {`{"id":"` + id2, `{"id":"` + id1, []archive.Fault{
			fault("entries", 1, "id", id1, "record 0 has the same id"),
			fault("labels", 0, "entryId", id2, "no record of entries has this id"),
			fault("labels", 1, "entryId", id2, "no record of entries has this id"),
		}},
		"a duplicate id of text": {`"name":"work"`, `"name":"home"`, []archive.Fault{
			fault("labels", 1, "name", "home", "record 0 has the same id"),
			fault("labels", 0, "next", "work", "no record of labels has this id"),
		}},
		"a reference that points to nothing": {`"parentId":"` + id1, `"parentId":"` + missing, []archive.Fault{
			fault("entries", 1, "parentId", missing, "no record of entries has this id"),
		}},
		"a reference by text that points to nothing": {`"next":"work"`, `"next":"school"`, []archive.Fault{
			fault("labels", 0, "next", "school", "no record of labels has this id"),
		}},

		"another format": {`journal.v1`, `journal.v2`, []archive.Fault{
			fault("", -1, "format", "journal.v2", "the format is unknown; this archive is journal.v1"),
		}},
		"no format":                 {journalFormat + ",\n", "", []archive.Fault{fault("", -1, "format", "", "the member is missing")}},
		"a format that is no text":  {`"journal.v1"`, `1`, []archive.Fault{fault("", -1, "format", "1", "a number, where a string must be")}},
		"no time of the export":     {journalTime + ",\n", "", []archive.Fault{fault("", -1, "exportedAt", "", "the member is missing")}},
		"a bad time of the export":  {journalTime, `"exportedAt":"today"`, []archive.Fault{fault("", -1, "exportedAt", "today", badTime)}},
		"a member twice":            {journalTime, journalTime + "," + journalTime, []archive.Fault{fault("", -1, "exportedAt", "", "the member is there twice")}},
		"an unknown member":         {journalTime, journalTime + `,"friends":[{"a":[1,"]"]}]`, []archive.Fault{fault("", -1, "friends", "", "the member is unknown")}},
		"a name in other letters":   {`"owner":`, `"Owner":`, []archive.Fault{fault("", -1, "Owner", "", "the member is unknown"), fault("owner", -1, "", "", "the collection is missing")}},
		"an account that is a list": {`"owner":` + ownerJSON, `"owner":[` + ownerJSON + `]`, []archive.Fault{fault("owner", 0, "", `[`+ownerJSON+`]`, "an array, where an object must be")}},
		"a list that is none":       {"\"labels\":[\n" + label1 + ",\n" + label2 + "\n]", `"labels":{}`, []archive.Fault{fault("labels", -1, "", "{}", "an object, where an array must be")}},
		"a record that is none": {label2, `"work"`, []archive.Fault{
			fault("labels", 1, "", `"work"`, "a string, where an object must be"), fault("labels", 0, "next", "work", "no record of labels has this id"),
		}},
		"a missing collection": {"\"labels\":[\n" + label1 + ",\n" + label2 + "\n],", "", []archive.Fault{
			fault("labels", -1, "", "", "the collection is missing"),
		}},

		"a missing field":           {`"text":"one",`, ``, []archive.Fault{fault("entries", 0, "text", "", "the field is missing")}},
		"an unknown field":          {`"text":"one",`, `"text":"one","Text":"two",`, []archive.Fault{fault("entries", 0, "Text", "two", "the field is unknown")}},
		"a field twice":             {`"text":"one",`, `"text":"one","text":"two",`, []archive.Fault{fault("entries", 0, "text", "two", "the field is there twice")}},
		"a field in other letters":  {`"text":"one",`, `"TEXT":"one",`, []archive.Fault{fault("entries", 0, "TEXT", "one", "the field is unknown"), fault("entries", 0, "text", "", "the field is missing")}},
		"null":                      {`"text":"one"`, `"text":null`, []archive.Fault{fault("entries", 0, "text", "null", "null, where a string must be")}},
		"a list that is null":       {`"tags":[]`, `"tags":null`, []archive.Fault{fault("entries", 1, "tags", "null", "null, where a list of text must be")}},
		"a number for text":         {`"text":"one"`, `"text":1`, []archive.Fault{fault("entries", 0, "text", "1", "a number, where a string must be")}},
		"half of a surrogate":       {`"text":"one"`, `"text":"\ud800"`, []archive.Fault{fault("entries", 0, "text", `"\ud800"`, "the text holds half of a surrogate pair, which is no character")}},
		"half and something":        {`"text":"one"`, `"text":"\ud800\u0041"`, []archive.Fault{fault("entries", 0, "text", `"\ud800\u0041"`, "the text holds half of a surrogate pair, which is no character")}},
		"text for a number":         {`"size":0`, `"size":"0"`, []archive.Fault{fault("entries", 1, "size", "0", "a string, where a number must be")}},
		"a fraction":                {`"size":0`, `"size":0.0`, []archive.Fault{fault("entries", 1, "size", "0.0", "not an integer that fits 64 bits, without fraction and exponent")}},
		"a number too large":        {`"size":0`, `"size":128`, []archive.Fault{fault("entries", 1, "size", "128", "the number does not fit a int8")}},
		"a number beyond 64 bits":   {`"size":0`, `"size":9223372036854775808`, []archive.Fault{fault("entries", 1, "size", "9223372036854775808", "not an integer that fits 64 bits, without fraction and exponent")}},
		"a float too large":         {`"rate":0.5`, `"rate":1e400`, []archive.Fault{fault("entries", 0, "rate", "1e400", "the number is too large for a float of 64 bits")}},
		"a bool":                    {`"done":true`, `"done":1`, []archive.Fault{fault("entries", 0, "done", "1", "a number, where true or false must be")}},
		"a bool in quotes":          {`"done":true`, `"done":"true"`, []archive.Fault{fault("entries", 0, "done", "true", "a string, where true or false must be")}},
		"a bad time":                {`"2026-01-15T10:30:00.123Z"`, `"2026-02-29T10:30:00.123Z"`, []archive.Fault{fault("entries", 1, "at", "2026-02-29T10:30:00.123Z", badTime)}},
		"a time that is a number":   {`"2026-01-15T10:30:00.123Z"`, `1768473000`, []archive.Fault{fault("entries", 1, "at", "1768473000", "a number, where a string must be")}},
		"a bad UUID":                {`"parentId":"` + id1 + `"`, `"parentId":"{` + id1 + `}"`, []archive.Fault{fault("entries", 1, "parentId", "{"+id1+"}", "not a UUID of 36 characters")}},
		"a bad id":                  {`"id":"00000000-0000-0000-0000-000000000009"`, `"id":"9"`, []archive.Fault{fault("owner", 0, "id", "9", "not a UUID of 36 characters")}},
		"a bad decimal":             {`"-3e7"`, `"3,50"`, []archive.Fault{fault("entries", 1, "price", "3,50", "not a decimal number such as 19.90")}},
		"a decimal that is a float": {`"-3e7"`, `3.5`, []archive.Fault{fault("entries", 1, "price", "3.5", "a number, where a string must be")}},
		"a list that is text":       {`"tags":[]`, `"tags":"a"`, []archive.Fault{fault("entries", 1, "tags", "a", "a string, where a list of text must be")}},
		"a list of others":          {`"tags":[]`, `"tags":["a",[1]]`, []archive.Fault{fault("entries", 1, "tags", `["a",[1]]`, "an array in the list, where a string must be")}},
		"a long value": {`"-3e7"`, `"` + strings.Repeat("é", 60) + `"`, []archive.Fault{
			fault("entries", 1, "price", strings.Repeat("é", 40)+"…", "not a decimal number such as 19.90"),
		}},
		"several": {label2, `{"name":1,"entryId":"x"}`, []archive.Fault{
			fault("labels", 1, "name", "1", "a number, where a string must be"),
			fault("labels", 1, "entryId", "x", "not a UUID of 36 characters"),
			fault("labels", 1, "next", "", "the field is missing"),
			fault("labels", 0, "next", "work", "no record of labels has this id"),
		}},
	}
	a := journal(t, archive.Limits{})
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			require.Equal(t, 1, strings.Count(journalJSON, test.from))
			requireFaults(t, a, strings.Replace(journalJSON, test.from, test.to, 1), test.want)
		})
	}
}

const badTime = "not a time such as 2026-01-15T10:30:00Z, on a day that exists and in UTC"

// isOfVerify says of faults whether they are of those that Read leaves to Verify.
func isOfVerify(f archive.Fault) bool {
	return strings.Contains(f.Problem, "has the same id") || strings.Contains(f.Problem, "has this id")
}

// requireFaults verifies and reads a document: Verify reports all faults, and Read stops at the first.
func requireFaults(t *testing.T, a *archive.Archive, document string, want []archive.Fault) {
	t.Helper()
	report := verify(t, a, document)
	require.Equal(t, want, report.Faults)
	require.False(t, report.OK())
	_, err := read(a, document)
	for _, f := range want {
		if !isOfVerify(f) {
			require.ErrorIs(t, err, dataexport.ErrInvalid)
			var fault *archive.Fault
			require.ErrorAs(t, err, &fault)
			require.Equal(t, f, *fault)
			return
		}
	}
	require.NoError(t, err)
}

// Where a document is no JSON any more, it is not looked at any further.
func TestADocumentThatIsNoJSON(t *testing.T) {
	for name, test := range map[string]struct {
		from, to, place string
	}{
		"a word":             {`"done":true`, `"done":yes`, "archive: entries[0].done: no JSON at byte 551: "},
		"a word cut short":   {`"done":true`, `"done":tru`, "archive: entries[0].done: no JSON"},
		"nothing":            {`"done":true`, `"done":`, "archive: entries[0].done: no JSON"},
		"a zero too many":    {`"size":0`, `"size":00`, "archive: entries[1].size: no JSON"},
		"a bad escape":       {`"text":"one"`, `"text":"\x"`, "archive: entries[0].text: no JSON"},
		"a control":          {`"text":"one"`, "\"text\":\"\n\"", "archive: entries[0].text: no JSON"},
		"not UTF-8":          {`"text":"one"`, "\"text\":\"\xff\"", "archive: entries[0].text: no JSON"},
		"a wrong bracket":    {`"tags":[]`, `"tags":[}`, "archive: entries[1].tags: no JSON"},
		"a comma too many":   {`"done":true}`, `"done":true,}`, "archive: entries[0]"},
		"an element missing": {label2, ``, "archive: labels[1]: no JSON"},
		"no colon":           {`"size":0`, `"size",0`, "archive: entries[1]"},
		"a name without":     {`"size":0`, `size:0`, "archive: entries[1]"},
		"a bad name":         {`"size":0`, `"\ud800":0`, "archive: entries[1]"},
		"a name that breaks": {`"size":0`, "\"\x01\":0", "archive: entries[1]"},
		"more behind":        {"\n}\n", "\n}\nx", "archive: no JSON at byte"},
		"another document":   {"\n}\n", "\n}{}", "archive: no JSON at byte"},
		"a bad head":         {`"journal.v1"`, `'journal.v1'`, "archive: format: no JSON"},
		"a bad count":        {`"labels":2`, `"labels":02`, "archive: counts: no JSON"},
	} {
		t.Run(name, func(t *testing.T) {
			require.Equal(t, 1, strings.Count(journalJSON, test.from))
			report := verify(t, journal(t, archive.Limits{}), strings.Replace(journalJSON, test.from, test.to, 1))
			require.Len(t, report.Faults, 1)
			assert.True(t, strings.HasPrefix(report.Faults[0].Error(), test.place), report.Faults[0].Error())
		})
	}
}

func TestWhatIsNoArchive(t *testing.T) {
	a := journal(t, archive.Limits{})
	for document, want := range map[string]string{
		"":             "it is empty: there is neither a JSON document nor a zip",
		" ":            "no JSON at byte 1: the document ends where '{' is expected; the rest of it is missing",
		"[]":           `no JSON at byte 0: '[' stands where '{' is expected`,
		"null":         `no JSON at byte 0: 'n' stands where '{' is expected`,
		"\uFEFF{}":     `no JSON at byte 0: 'ï' stands where '{' is expected`,
		"id,name\r\n":  `no JSON at byte 0: 'i' stands where '{' is expected`,
		"PK\x05\x06":   "the zip cannot be opened; it may be cut off: zip: not a valid zip file",
		"PK\x03\x04":   "the zip cannot be opened; it may be cut off: zip: not a valid zip file",
		"PK\x03\x04{}": "the zip cannot be opened; it may be cut off: zip: not a valid zip file",
	} {
		requireFaults(t, a, document, []archive.Fault{{Record: -1, Problem: want}})
	}
	cut := verify(t, a, journalJSON[:len(journalJSON)/2])
	assert.Equal(t, map[string]int64{"owner": 1, "labels": 2, "entries": 1}, cut.Records, "as far as it could be read")
	report := verify(t, a, "{}")
	assert.Len(t, report.Faults, 6, "three collections and three members of the head")
}

// However a document is cut off, it never looks complete. What is cut off may be the last line end.
func TestTruncationAtEveryByte(t *testing.T) {
	a := journal(t, archive.Limits{})
	for name, document := range map[string]string{"json": strings.TrimSuffix(journalJSON, "\n"), "zip": journalZip(t)} {
		for end := range len(document) {
			report := verify(t, a, document[:end])
			require.Len(t, report.Faults, 1, "%s cut off at %d", name, end)
			_, err := read(a, document[:end])
			var fault *archive.Fault
			require.ErrorAs(t, err, &fault, "%s cut off at %d", name, end)
			// The size that is given may be that of the whole file.
			report, err = a.Verify(strings.NewReader(document[:end]), int64(len(document)))
			require.NoError(t, err)
			require.False(t, report.OK(), "%s cut off at %d", name, end)
		}
	}
}
