package dataexport_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dataexport/dataexport"
	"github.com/dataexport/dataexport/memory"
)

func TestParseFilter(t *testing.T) {
	day := time.Date(2026, 1, 15, 0, 0, 0, 0, time.UTC)
	tests := []struct {
		query string
		want  dataexport.Filter
	}{
		{"", dataexport.Filter{}},
		{"format=csv&page=2", dataexport.Filter{}},
		{"user_id=user-123&agent_id=a&session_id=s", dataexport.Filter{UserID: "user-123", AgentID: "a", SessionID: "s"}},
		{"user_id=%E2%80%AEx%00", dataexport.Filter{UserID: "\u202ex\x00"}},
		{"user_id=+", dataexport.Filter{UserID: " "}},
		{"priority=HIGH", dataexport.Filter{Priority: dataexport.PriorityHigh}},
		{"categories=work,personal", dataexport.Filter{Categories: []string{"work", "personal"}}},
		{"categories=+work+,%09home,work", dataexport.Filter{Categories: []string{"work", "home"}}},
		{"categories=b,a&categories=a,c", dataexport.Filter{Categories: []string{"b", "a", "c"}}},
		{"categories=" + numbers(20) + "," + numbers(20), dataexport.Filter{Categories: strings.Split(numbers(20), ",")}},
		{"created_after=2026-01-15", dataexport.Filter{CreatedAfter: day}},
		{"created_after=2026-01-15T10:30:00Z", dataexport.Filter{CreatedAfter: day.Add(10*time.Hour + 30*time.Minute)}},
		{"created_after=2026-01-15T10:30:00%2B01:00", dataexport.Filter{CreatedAfter: day.Add(9*time.Hour + 30*time.Minute)}},
		{"created_after=2026-01-15T00:00:00.000000001Z", dataexport.Filter{CreatedAfter: day.Add(1)}},
		{"created_after=2026-01-15&created_before=2026-01-16", dataexport.Filter{CreatedAfter: day, CreatedBefore: day.AddDate(0, 0, 1)}},
		{"user_id=" + strings.Repeat("x", 1024), dataexport.Filter{UserID: strings.Repeat("x", 1024)}},
	}
	for _, test := range tests {
		t.Run(test.query, func(t *testing.T) {
			got, err := dataexport.ParseFilter(query(t, test.query))
			require.NoError(t, err)
			assert.Equal(t, test.want, got)
		})
	}
}

func TestParseFilterRefuses(t *testing.T) {
	tests := []struct {
		query  string
		fields []string
	}{
		{"user_id=", []string{"user_id"}},
		{"user_id=a&user_id=a", []string{"user_id"}},
		{"user_id=%ff", []string{"user_id"}},
		{"user_id=" + strings.Repeat("x", 1025), []string{"user_id"}},
		{"priority=high", []string{"priority"}},
		{"priority=HIGH,LOW", []string{"priority"}},
		{"priority=HIGH&priority=LOW", []string{"priority"}},
		{"categories=", []string{"categories"}},
		{"categories=a,,b", []string{"categories"}},
		{"categories=a,", []string{"categories"}},
		{"categories=+", []string{"categories"}},
		{"categories=a&categories=", []string{"categories"}},
		{"categories=" + numbers(21), []string{"categories"}},
		{"categories=%c3%28", []string{"categories"}},
		{"created_after=yesterday", []string{"created_after"}},
		{"created_after=2026-02-29", []string{"created_after"}},
		{"created_after=2026-1-5", []string{"created_after"}},
		{"created_after=2026-01-15T10:30:00", []string{"created_after"}},
		{"created_after=2026-01-15T25:00:00Z", []string{"created_after"}},
		{"created_after=2026-01-15T10:30:00+01:00", []string{"created_after"}}, // the + is a blank
		{"created_after=2026-01-15T1:30:00Z", []string{"created_after"}},
		{"created_after=2026-01-15T10:30:00,5Z", []string{"created_after"}},
		{"created_after=2026-01-15T10:30:00%2B24:00", []string{"created_after"}},
		{"created_after=1768473000", []string{"created_after"}},
		{"created_after=0001-01-01", []string{"created_after"}},
		{"created_after=0001-01-01T00:00:00Z", []string{"created_after"}},
		{"created_before=9999-12-31T23:59:59-01:00", []string{"created_before"}},
		{"created_after=2026-01-15&created_before=2026-01-15", []string{"created_after"}},
		{"created_after=2026-01-16&created_before=2026-01-15", []string{"created_after"}},
		{"user_id=&priority=x&categories=,&created_before=y", []string{"user_id", "created_before", "categories", "priority"}},
	}
	for _, test := range tests {
		t.Run(test.query, func(t *testing.T) {
			got, err := dataexport.ParseFilter(query(t, test.query))
			require.ErrorIs(t, err, dataexport.ErrInvalid)
			var faults *dataexport.ValidationError
			require.ErrorAs(t, err, &faults)
			var fields []string
			for _, f := range faults.Fields {
				fields = append(fields, f.Field)
				assert.NotEmpty(t, f.Message)
			}
			assert.Equal(t, test.fields, fields)
			assert.Zero(t, got)
		})
	}
}

func TestAPlusInATimeIsExplained(t *testing.T) {
	_, err := dataexport.ParseFilter(query(t, "created_after=2026-01-15T10:30:00+01:00"))
	assert.ErrorContains(t, err, "%2B")
}

// What ParseFilter accepts is valid and survives being stored, and what it does not know it does not drop.
func FuzzParseFilter(f *testing.F) {
	for _, seed := range []string{
		"user_id=u&agent_id=a&session_id=s&priority=LOW&categories=a,b&created_after=2026-01-15&created_before=2026-01-16T00:00:00.5%2B02:00",
		"categories=a&categories=b", "categories=a,,b", "created_after=2026-01-15T10:30:00+01:00", "user_id=%ff", "priority=low", "user_id=;",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, raw string) {
		values, err := url.ParseQuery(raw)
		if err != nil {
			return
		}
		filter, err := dataexport.ParseFilter(values)
		if err != nil {
			require.ErrorIs(t, err, dataexport.ErrInvalid)
			require.Zero(t, filter)
			return
		}
		require.NoError(t, filter.Validate())
		var given []string
		for _, name := range dataexport.FilterNames() {
			if values.Has(name) {
				given = append(given, name)
			}
		}
		require.Equal(t, given, filter.Names(), "a parameter that is given is a condition that is set")
		stored, err := json.Marshal(filter)
		require.NoError(t, err)
		var again dataexport.Filter
		require.NoError(t, json.Unmarshal(stored, &again))
		require.Equal(t, filter, again)
	})
}

// A job that a newer version has made, with a condition that this one does not know, must not export more than was asked for.
func TestAStoredConditionThatIsNotKnownIsNotDropped(t *testing.T) {
	var filter dataexport.Filter
	require.NoError(t, json.Unmarshal([]byte(`{"user_id":"u","language":"de"}`), &filter))
	err := filter.Validate()
	require.ErrorIs(t, err, dataexport.ErrInvalid)
	assert.ErrorContains(t, err, "language")
	_, err = dataexport.Export(t.Context(), io.Discard, memory.Slice(nil), lines{}, dataexport.Query{Scope: scope, Filter: filter})
	assert.ErrorIs(t, err, dataexport.ErrInvalid)
}

func TestMatch(t *testing.T) {
	at := time.Date(2026, 1, 15, 10, 30, 0, 0, time.UTC)
	record := dataexport.Attributes{
		UserID: "u", AgentID: "a", SessionID: "s", Priority: "HIGH", Categories: []string{"x", "y"}, CreatedAt: at,
	}
	tests := []struct {
		name   string
		filter dataexport.Filter
		want   bool
	}{
		{"none", dataexport.Filter{}, true},
		{"all", dataexport.Filter{
			UserID: "u", AgentID: "a", SessionID: "s", Priority: "HIGH", Categories: []string{"q", "y"}, CreatedAfter: at.Add(-1), CreatedBefore: at.Add(1),
		}, true},
		{"user", dataexport.Filter{UserID: "U"}, false},
		{"agent", dataexport.Filter{AgentID: "u"}, false},
		{"session", dataexport.Filter{SessionID: "u"}, false},
		{"priority", dataexport.Filter{Priority: "LOW"}, false},
		{"no category in common", dataexport.Filter{Categories: []string{"X", "z"}}, false},
		{"after is exclusive", dataexport.Filter{CreatedAfter: at}, false},
		{"before is exclusive", dataexport.Filter{CreatedBefore: at}, false},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			assert.Equal(t, test.want, test.filter.Match(&record))
		})
	}
	bare := dataexport.Attributes{CreatedAt: at}
	assert.True(t, (&dataexport.Filter{}).Match(&bare))
	assert.False(t, (&dataexport.Filter{UserID: "u"}).Match(&bare))
	assert.False(t, (&dataexport.Filter{Categories: []string{"x"}}).Match(&bare))
	assert.True(t, (&dataexport.Query{AsOf: at}).Match(&record), "AsOf is inclusive")
	assert.False(t, (&dataexport.Query{AsOf: at.Add(-1)}).Match(&record))
}

func query(t *testing.T, raw string) url.Values {
	t.Helper()
	values, err := url.ParseQuery(raw)
	require.NoError(t, err)
	return values
}

// numbers returns n names that differ.
func numbers(n int) string {
	var names []string
	for i := range n {
		names = append(names, fmt.Sprint(i))
	}
	slices.Reverse(names)
	return strings.Join(names, ",")
}
