package adaptertest

import (
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
)

// The members of a job: those that are documented, and those that are there besides.
var (
	documentedMembers = []string{
		"id", "format", "status", "user_id", "agent_id", "session_id", "priority", "categories", "created_after",
		"created_before", "created_at", "updated_at",
	}
	furtherMembers = []string{
		"dataset", "started_at", "completed_at", "expires_at", "attempts", "progress", "record_count", "file_size", "sha256",
		"error",
	}
)

var (
	uuidPattern = regexp.MustCompile(`^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$`)
	timePattern = regexp.MustCompile(`^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$`)
)

// createPollDownload is what every client does.
func createPollDownload(t *testing.T, a *api) {
	a.work()
	created := a.do(http.MethodPost, "/exports?format=json&user_id=user-123").is(http.StatusAccepted)
	id := created.id()
	location, err := created.url.Parse(created.header.Get("Location"))
	if err != nil {
		t.Fatal(err)
	}
	a.equal("Location, resolved", location.String(), a.base+"/exports/"+id)
	if created.header.Get("Retry-After") == "" {
		t.Error("there is no Retry-After")
	}
	for began := time.Now(); ; {
		status := a.send(http.MethodGet, location.String()).is(http.StatusOK).object()["status"]
		if status == "READY" {
			break
		}
		if status != "PENDING" && status != "PROCESSING" || time.Since(began) > time.Minute {
			t.Fatalf("the export is %v after %s", status, time.Since(began))
		}
	}
	file := a.do(http.MethodGet, "/exports/"+id+"/download").is(http.StatusOK)
	if !strings.Contains(string(file.body), "likes tea") || strings.Contains(string(file.body), "Graz") {
		t.Errorf("the file is %s, want the one memory of user-123", file.body)
	}
}

// jobObject looks at the members of a job, wherever one is answered.
func jobObject(t *testing.T, a *api) {
	created := a.do(http.MethodPost, "/exports?format=json&user_id=user-123").is(http.StatusAccepted).has("Content-Type", "application/json").object()
	want := object{
		"format": "json", "status": "PENDING", "user_id": "user-123", "agent_id": nil, "session_id": nil, "priority": nil,
		"categories": nil, "created_after": nil, "created_before": nil, "dataset": "memories", "started_at": nil,
		"completed_at": nil, "expires_at": nil, "attempts": 0.0, "record_count": nil, "file_size": nil, "sha256": nil, "error": nil,
	}
	for name, value := range want {
		a.equal(name, created[name], value)
	}
	id := fmt.Sprint(created["id"])
	shown := a.do(http.MethodGet, "/exports/"+id).is(http.StatusOK).object()
	a.equal("GET of the job", shown, created)
	listed := a.do(http.MethodGet, "/exports").is(http.StatusOK).object()["data"].([]any)[0]
	a.equal("the job in the list", object(listed.(map[string]any)), created)

	if _, err := a.service.Runner().RunJob(t.Context(), id); err != nil {
		t.Fatal(err)
	}
	ready := a.do(http.MethodGet, "/exports/"+id).is(http.StatusOK).object()
	a.equal("status", ready["status"], "READY")
	a.equal("record_count", ready["record_count"], 1.0)
	for _, job := range []object{created, ready} {
		for _, name := range slices.Concat(documentedMembers, furtherMembers) {
			if _, ok := job[name]; !ok {
				t.Errorf("the job has no member %s", name)
			}
		}
		a.equal("number of members", len(job), len(documentedMembers)+len(furtherMembers))
		if !uuidPattern.MatchString(fmt.Sprint(job["id"])) {
			t.Errorf("id %v is no UUID", job["id"])
		}
		for _, name := range []string{"created_at", "updated_at"} {
			if !timePattern.MatchString(fmt.Sprint(job[name])) {
				t.Errorf("%s is %v, want a time in UTC with milliseconds", name, job[name])
			}
		}
	}
	for _, name := range []string{"started_at", "completed_at", "expires_at"} {
		if !timePattern.MatchString(fmt.Sprint(ready[name])) {
			t.Errorf("%s is %v, want a time in UTC with milliseconds", name, ready[name])
		}
	}
}

// create gives every documented parameter.
func create(_ *testing.T, a *api) {
	job := a.do(http.MethodPost, "/exports?format=csv&user_id=u%2F1&agent_id=a%3B1&session_id=s%20+1&priority=HIGH&categories=b,%20a&categories=b"+
		"&created_after=2026-01-15&created_before=2026-01-15T12:30:00.5%2B02:00").is(http.StatusAccepted).object()
	want := object{
		"format": "csv", "user_id": "u/1", "agent_id": "a;1", "session_id": "s  1", "priority": "HIGH", "categories": []any{"b", "a"},
		"created_after": "2026-01-15T00:00:00.000Z", "created_before": "2026-01-15T10:30:00.500Z",
	}
	for name, value := range want {
		a.equal(name, job[name], value)
	}
}

// createRefuses gives wrong parameters, which must reach the adapter as they are.
func createRefuses(_ *testing.T, a *api) {
	for query, field := range map[string]string{
		"?user=x": "user", "?format=xml": "format", "?format=": "format", "?format=csv&format=csv": "format", "?priority=low": "priority",
		"?categories=a,,b": "categories", "?user_id=%ff": "user_id", "?user_id=" + strings.Repeat("x", 1025): "user_id",
		"?created_after=2026-01-16&created_before=2026-01-15": "created_after", "?created_after=soon": "created_after",
		"?user_id=a;b": "query", "?user_id=%zz": "query",
	} {
		p := a.do(http.MethodPost, "/exports"+query).problem(http.StatusBadRequest, "VALIDATION_ERROR")
		a.equal("field at fault in "+query, p["errors"].([]any)[0].(map[string]any)["field"], field)
	}
	a.do(http.MethodPost, "/exports", body(`{"format":"csv"}`)).problem(http.StatusBadRequest, "VALIDATION_ERROR")
	p := a.do(http.MethodPost, "/exports?format=xml&user=x&priority=low").problem(http.StatusBadRequest, "VALIDATION_ERROR")
	a.equal("number of faults", len(p["errors"].([]any)), 3)
	a.equal("number of exports", a.do(http.MethodGet, "/exports").object()["total"], 0.0)
}

func idempotency(_ *testing.T, a *api) {
	k := header("Idempotency-Key", "k-1")
	first := a.do(http.MethodPost, "/exports", k).is(http.StatusAccepted).has("Idempotent-Replayed", "")
	second := a.do(http.MethodPost, "/exports", k).is(http.StatusAccepted).has("Idempotent-Replayed", "true")
	a.equal("the export of the second request", second.id(), first.id())
	a.do(http.MethodPost, "/exports?format=csv", k).problem(http.StatusUnprocessableEntity, "IDEMPOTENCY_KEY_REUSED")
	a.do(http.MethodPost, "/exports", header("Idempotency-Key", "a b")).problem(http.StatusBadRequest, "VALIDATION_ERROR")
}

func list(_ *testing.T, a *api) {
	a.equal("empty list", a.do(http.MethodGet, "/exports").is(http.StatusOK).object(),
		object{"data": []any{}, "total": 0.0, "page": 1.0, "page_size": 20.0})
	var newest []string
	for range 3 {
		newest = slices.Insert(newest, 0, a.create(""))
	}
	for query, want := range map[string][]string{
		"": newest, "?page=1&page_size=2": newest[:2], "?page=2&page_size=2": newest[2:], "?page=9": {},
		"?status=PENDING": newest, "?format=json&page_size=1": newest[:1],
	} {
		page := a.do(http.MethodGet, "/exports"+query).is(http.StatusOK).object()
		a.equal("total of the list "+query, page["total"], 3.0)
		got := []string{}
		for _, job := range page["data"].([]any) {
			got = append(got, job.(map[string]any)["id"].(string))
		}
		a.equal("list "+query, got, want)
	}
	for _, query := range []string{"?page=0", "?page=x", "?page_size=101", "?page_size=0", "?status=ready", "?format=xml", "?user_id=a"} {
		a.do(http.MethodGet, "/exports"+query).problem(http.StatusBadRequest, "VALIDATION_ERROR")
	}
}

func remove(_ *testing.T, a *api) {
	for _, id := range []string{a.ready(""), a.create("")} {
		w := a.do(http.MethodDelete, "/exports/"+id).is(http.StatusNoContent)
		a.equal("length of the body of DELETE", len(w.body), 0)
		a.do(http.MethodGet, "/exports/"+id).problem(http.StatusNotFound, "EXPORT_NOT_FOUND")
		a.do(http.MethodDelete, "/exports/"+id).problem(http.StatusNotFound, "EXPORT_NOT_FOUND")
	}
}
