package adaptertest

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"net/http"
	"regexp"
	"strconv"
	"testing"
	"time"

	"github.com/dataexport/dataexport"
)

// download looks at the file of every documented format and at its headers.
func download(t *testing.T, a *api) {
	for _, format := range []struct{ name, contentType, extension string }{
		{"json", "application/json", "json"},
		{"csv", "text/csv; charset=utf-8", "csv"},
		{"markdown", "text/markdown; charset=utf-8", "md"},
	} {
		id := a.ready("?format=" + format.name)
		job := a.do(http.MethodGet, "/exports/"+id).is(http.StatusOK).object()
		w := a.do(http.MethodGet, "/exports/"+id+"/download").is(http.StatusOK)
		sum := sha256.Sum256(w.body)
		w.has("Content-Type", format.contentType).
			has("Content-Length", strconv.Itoa(len(w.body))).
			has("ETag", `"`+hex.EncodeToString(sum[:])+`"`).
			has("Repr-Digest", "sha-256=:"+base64.StdEncoding.EncodeToString(sum[:])+":").
			has("Accept-Ranges", "bytes").
			has("Cache-Control", "private, no-store").
			has("X-Content-Type-Options", "nosniff")
		a.equal("sha256 of the job", job["sha256"], hex.EncodeToString(sum[:]))
		a.equal("file_size of the job", job["file_size"], float64(len(w.body)))
		pattern := `^attachment; filename="memories-\d{8}-\d{6}\.` + format.extension + `"$`
		if name := w.header.Get("Content-Disposition"); !regexp.MustCompile(pattern).MatchString(name) {
			t.Errorf("Content-Disposition is %q, want %s", name, pattern)
		}
		if _, err := http.ParseTime(w.header.Get("Last-Modified")); err != nil {
			t.Errorf("Last-Modified: %v", err)
		}
	}
}

// downloadParts asks for parts of a file, and for the file if it has changed.
func downloadParts(_ *testing.T, a *api) {
	path := "/exports/" + a.ready("?format=csv") + "/download"
	whole := a.do(http.MethodGet, path).is(http.StatusOK)
	size, etag := len(whole.body), whole.header.Get("ETag")
	reach := "bytes 2-9/" + strconv.Itoa(size)
	part := a.do(http.MethodGet, path, header("Range", "bytes=2-9")).is(http.StatusPartialContent).has("Content-Range", reach)
	a.equal("the part", string(part.body), string(whole.body[2:10]))
	a.do(http.MethodGet, path, header("Range", "bytes=2-9"), header("If-Range", etag)).is(http.StatusPartialContent)
	a.do(http.MethodGet, path, header("Range", "bytes=2-9"), header("If-Range", `"x"`)).is(http.StatusOK)
	a.do(http.MethodGet, path, header("If-None-Match", etag)).is(http.StatusNotModified)
	past := a.do(http.MethodGet, path, header("Range", "bytes="+strconv.Itoa(size)+"-"))
	past.problem(http.StatusRequestedRangeNotSatisfiable, "RANGE_NOT_SATISFIABLE")
	past.has("Content-Range", "bytes */"+strconv.Itoa(size)).has("ETag", "").has("Content-Disposition", "")
}

// downloadBreaksOff holds that no client takes a part of a file for the whole, whatever middleware does about panics.
func downloadBreaksOff(t *testing.T, a *api) {
	id := a.ready("")
	a.blobs.breakOff = true
	if w := a.do(http.MethodGet, "/exports/"+id+"/download"); w.broken == nil {
		t.Errorf("a file that breaks off looks whole to the client: status %d, body %q", w.status, w.body)
	}
}

// downloadRefuses asks for files that are not there.
func downloadRefuses(t *testing.T, a *api) {
	pending := a.create("")
	get := func(id string) *answer { return a.do(http.MethodGet, "/exports/"+id+"/download") }
	w := get(pending)
	w.problem(http.StatusConflict, "EXPORT_NOT_READY")
	if w.header.Get("Retry-After") == "" {
		t.Error("EXPORT_NOT_READY has no Retry-After")
	}
	job, err := a.store.Claim(t.Context(), dataexport.ClaimOptions{ID: pending, Lease: time.Hour})
	if err != nil {
		t.Fatal(err)
	}
	get(pending).problem(http.StatusConflict, "EXPORT_NOT_READY")
	job.Status, job.Error = dataexport.StatusFailed, &dataexport.JobError{Code: "SOURCE_GONE", Message: "The source is gone."}
	a.update(job, 0)
	get(pending).problem(http.StatusConflict, "EXPORT_FAILED")
	shown := a.do(http.MethodGet, "/exports/"+pending).is(http.StatusOK).object()
	a.equal("error of a failed job", shown["error"], map[string]any{"code": "SOURCE_GONE", "message": "The source is gone."})

	expired := a.create("")
	if job, err = a.store.Claim(t.Context(), dataexport.ClaimOptions{ID: expired, Lease: time.Hour}); err != nil {
		t.Fatal(err)
	}
	job.Status = dataexport.StatusReady
	a.update(job, -time.Second) // its time was over before it began
	get(expired).problem(http.StatusGone, "EXPORT_EXPIRED")
	a.equal("status of an expired job", a.do(http.MethodGet, "/exports/"+expired).object()["status"], "EXPIRED")
	get("a1b2c3d4-e5f6-7890-abcd-ef1234567890").problem(http.StatusNotFound, "EXPORT_NOT_FOUND")
}

// update puts a job into a state.
func (a *api) update(job dataexport.Job, d time.Duration) {
	a.t.Helper()
	if _, err := a.store.Update(a.t.Context(), job, d); err != nil {
		a.t.Fatal(err)
	}
}
