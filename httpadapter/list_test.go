package httpadapter_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

type page struct {
	Data     []struct{ ID, Status, Format string }
	Total    int
	Page     int64
	PageSize int64 `json:"page_size"`
}

func (f *fixture) list(query string) page {
	f.t.Helper()
	w := f.do(http.MethodGet, "/exports"+query)
	require.Equal(f.t, http.StatusOK, w.Code, w.Body.String())
	require.Contains(f.t, w.Body.String(), `"data":[`)
	return decode[page](f.t, w)
}

func (p page) ids() []string {
	ids := []string{}
	for _, job := range p.Data {
		ids = append(ids, job.ID)
	}
	return ids
}

func TestListPages(t *testing.T) {
	f := newFixture(t, func(f *fixture) { f.config.Limits.ActiveJobs = -1 })
	var newest []string
	for range 25 {
		newest = slices.Insert(newest, 0, f.create(""))
	}
	f.create("", "X-Api-Key", keyOther)
	tests := []struct {
		query    string
		page     int64
		pageSize int64
		want     []string
	}{
		{"", 1, 20, newest[:20]},
		{"?page=2", 2, 20, newest[20:]},
		{"?page_size=10", 1, 10, newest[:10]},
		{"?page=3&page_size=10", 3, 10, newest[20:]},
		{"?page=25&page_size=1", 25, 1, newest[24:]},
		{"?page_size=100", 1, 100, newest},
		{"?page=3", 3, 20, []string{}},
		{"?page=1000000000", 1000000000, 20, []string{}},
		{"?page=9223372036854775807&page_size=100", 9223372036854775807, 100, []string{}},
		{"?page=92233720368547759&page_size=100", 92233720368547759, 100, []string{}},
	}
	for _, test := range tests {
		t.Run(test.query, func(t *testing.T) {
			got := f.list(test.query)
			require.Equal(t, test.want, got.ids())
			require.Equal(t, 25, got.Total)
			require.Equal(t, test.page, got.Page)
			require.Equal(t, test.pageSize, got.PageSize)
		})
	}
}

func TestListFilters(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t)
		expired := f.ready("?format=csv")
		time.Sleep(72 * time.Hour)
		pending := f.create("")
		processing := f.processing("?format=csv")
		ready := f.ready("?format=markdown")
		failed := f.failed()
		tests := map[string][]string{
			"?status=PENDING":               {pending},
			"?status=PROCESSING":            {processing},
			"?status=READY":                 {ready},
			"?status=FAILED":                {failed},
			"?status=EXPIRED":               {expired},
			"?format=csv":                   {processing, expired},
			"?format=csv&status=EXPIRED":    {expired},
			"?format=markdown&status=READY": {ready},
			"?format=markdown&page=2":       {},
			"?status=READY&format=json":     {},
		}
		for query, want := range tests {
			got := f.list(query)
			require.Equal(t, want, got.ids(), query)
			if !strings.Contains(query, "page=2") {
				require.Equal(t, len(want), got.Total, query)
			}
		}
		require.Equal(t, 1, f.list("?format=markdown&page=2").Total)
		require.Equal(t, []string{failed, ready, processing, pending, expired}, f.list("").ids())
	})
}

func TestListRefuses(t *testing.T) {
	f := newFixture(t)
	tests := map[string][]string{
		"?page=0": {"page"}, "?page=-1": {"page"}, "?page=1.5": {"page"}, "?page=1e3": {"page"}, "?page=one": {"page"},
		"?page=": {"page"}, "?page=1&page=1": {"page"}, "?page=%2B1": {"page"}, "?page=+1": {"page"}, "?page=0x1": {"page"},
		"?page=1_000": {"page"}, "?page=9223372036854775808": {"page"}, "?page=99999999999999999999": {"page"}, "?page=%D9%A1": {"page"},
		"?page_size=0": {"page_size"}, "?page_size=101": {"page_size"}, "?page_size=-5": {"page_size"}, "?page_size=all": {"page_size"},
		"?page_size=": {"page_size"}, "?page_size=5&page_size=6": {"page_size"},
		"?status=ready": {"status"}, "?status=DONE": {"status"}, "?status=": {"status"}, "?status=READY&status=FAILED": {"status"},
		"?format=JSON": {"format"}, "?format=xml": {"format"}, "?format=": {"format"}, "?format=csv&format=json": {"format"},
		"?user_id=a": {"user_id"}, "?limit=5": {"limit"}, "?pagesize=5": {"pagesize"},
		"?page=0&page_size=0&status=x&format=y&z": {"z", "page", "page_size", "status", "format"},
	}
	for query, fields := range tests {
		t.Run(query, func(t *testing.T) {
			p := requireProblem(t, f.do(http.MethodGet, "/exports"+query), 400, "VALIDATION_ERROR")
			require.Equal(t, fields, p.fields())
		})
	}
}
