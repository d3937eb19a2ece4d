package memory

import (
	"errors"
	"io"
	"slices"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dataexport/dataexport"
)

func TestReadJSONLines(t *testing.T) {
	for _, text := range []string{
		object("") + "\n" + object(`"status":"x"`) + "\n",
		object("") + "\n" + object(`"status":"x"`),
		object("") + "\r\n" + object(`"status":"x"`) + "\r\n",
		object("") + "\n" + object(`"status":"x"`) + "\n\n",
		object("") + "\n" + object(`"status":"x"`) + "\n \t\r\n",
	} {
		var records []*Record
		for r, err := range ReadJSONLines(iotest.OneByteReader(strings.NewReader(text))) {
			require.NoError(t, err)
			records = append(records, r)
		}
		require.Len(t, records, 2)
		assert.Nil(t, records[0].Status)
		assert.Equal(t, "x", *records[1].Status)
	}
	for _, err := range ReadJSONLines(strings.NewReader("")) {
		t.Error("no line has no record", err)
	}
}

func TestReadJSONLinesErrors(t *testing.T) {
	broken := errors.New("the disk is gone")
	good := object("") + "\n"
	for _, test := range []struct {
		name    string
		reader  io.Reader
		records int
		message string
	}{
		{"bad line", strings.NewReader(good + good + "{}\n" + good), 2, "line 3: id is missing"},
		{"blank line first", strings.NewReader("\n" + good), 0, "line 1: the line is blank"},
		{"blank line in the middle", strings.NewReader(good + " \n" + good), 1, "line 2: the line is blank"},
		{"two blank lines at the end", strings.NewReader(good + "\n\n"), 1, "line 2: the line is blank"},
		{"two objects on a line", strings.NewReader(object("") + object("") + "\n"), 0, "line 1: byte 80: there is something after"},
		{"an object on two lines", strings.NewReader("{\n}"), 0, "line 1: the line ends"},
		{"reader fails", io.MultiReader(strings.NewReader(good), iotest.ErrReader(broken)), 1, "line 2: reading it: the disk is gone"},
		{"reader fails in a line", io.MultiReader(strings.NewReader(good+object("")), iotest.ErrReader(broken)), 1, "line 2: reading it: the disk is gone"},
		{"reader fails in a long line", io.MultiReader(longLines(1<<20, ""), iotest.ErrReader(broken)), 1, "line 2: reading it: the disk is gone"},
		{"reader fails after a blank line", io.MultiReader(strings.NewReader(good+"\n"), iotest.ErrReader(broken)), 1, "line 3: reading it: the disk is gone"},
		{"too long", longLines(MaxLineBytes+1, "\n"), 1, "line 2: the line is longer than 16 MiB"},
		{"much too long", longLines(3*MaxLineBytes, "\n"), 1, "line 2: the line is longer than 16 MiB"},
		{"too long at the end", longLines(MaxLineBytes+1, ""), 1, "line 2: the line is longer than 16 MiB"},
	} {
		t.Run(test.name, func(t *testing.T) {
			records, failures := 0, 0
			for r, err := range ReadJSONLines(test.reader) {
				if err == nil {
					records++
					continue
				}
				failures++
				assert.Nil(t, r)
				assert.ErrorContains(t, err, test.message)
				reading := strings.HasPrefix(test.name, "reader fails")
				assert.Equal(t, !reading, errors.Is(err, dataexport.ErrInvalid))
				assert.Equal(t, reading, errors.Is(err, broken))
			}
			assert.Equal(t, test.records, records)
			assert.Equal(t, 1, failures, "an error is the end")
		})
	}
}

// longLines reads as a short record and then one whose line has that many bytes, its end not counted.
func longLines(length int, end string) io.Reader {
	fill := strings.Repeat("x", length-len(object(`"status":""`)))
	return io.MultiReader(strings.NewReader(object("")+"\n"), strings.NewReader(object(`"status":"`+fill+`"`)+end))
}

func TestReadJSONLinesLongest(t *testing.T) {
	for _, end := range []string{"", "\n", "\r\n"} {
		records := 0
		for _, err := range ReadJSONLines(longLines(MaxLineBytes, end)) {
			require.NoError(t, err)
			records++
		}
		assert.Equal(t, 2, records)
	}
}

func TestReadJSONLinesReadsNoFurtherThanAsked(t *testing.T) {
	reader := strings.NewReader(strings.Repeat(object("")+"\n", 100_000))
	for _, err := range ReadJSONLines(reader) {
		require.NoError(t, err)
		break
	}
	assert.NotZero(t, reader.Len())
}

// FuzzReadJSONLines compares ReadJSONLines with splitting the text at its line feeds.
func FuzzReadJSONLines(f *testing.F) {
	f.Add(object("") + "\n" + object("") + "\r\n\n")
	f.Add("\n\n")
	f.Add(object("") + "\n\n" + object(""))
	f.Fuzz(func(t *testing.T, text string) {
		lines := strings.Split(text, "\n")
		if last := len(lines) - 1; lines[last] == "" {
			lines = lines[:last] // the end of the last line, not a line
		}
		if last := len(lines) - 1; last >= 0 && strings.Trim(lines[last], " \t\r") == "" {
			lines = lines[:last]
		}
		var want []Record
		bad := slices.IndexFunc(lines, func(line string) bool {
			r, err := ParseRecord([]byte(line))
			want = append(want, r)
			return err != nil
		})
		if bad >= 0 {
			want = want[:bad]
		}
		var got []Record
		var failure *ParseError
		for r, err := range ReadJSONLines(strings.NewReader(text)) {
			if err != nil {
				require.ErrorAs(t, err, &failure)
				continue
			}
			got = append(got, *r)
		}
		require.Len(t, got, len(want))
		for i := range want {
			require.Equal(t, want[i], got[i])
		}
		if bad >= 0 {
			require.NotNil(t, failure)
			require.Equal(t, bad+1, failure.Line)
		} else {
			require.Nil(t, failure)
		}
	})
}
