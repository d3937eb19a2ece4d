package adaptertest

import (
	"net/http"
	"testing"
)

const missingID = "a1b2c3d4-e5f6-7890-abcd-ef1234567890"

// head holds that HEAD works wherever GET does.
func head(_ *testing.T, a *api) {
	ready, pending := a.ready(""), a.create("")
	for _, path := range []string{"/exports", "/exports/" + ready, "/exports/" + ready + "/download", "/exports/" + pending + "/download", "/exports/" + missingID} {
		get, head := a.do(http.MethodGet, path), a.do(http.MethodHead, path)
		head.is(get.status)
		a.equal("length of the body of HEAD "+path, len(head.body), 0)
		head.has("Content-Length", get.header.Get("Content-Length")).has("Content-Type", get.header.Get("Content-Type"))
	}
}

func credentials(_ *testing.T, a *api) {
	id := a.ready("")
	for _, k := range []string{"", "wrong"} {
		for _, path := range []string{"/exports", "/exports/" + id, "/exports/" + id + "/download"} {
			w := a.do(http.MethodGet, path, key(k))
			w.problem(http.StatusUnauthorized, "UNAUTHORIZED")
			w.has("WWW-Authenticate", "ApiKey")
		}
		a.do(http.MethodPost, "/exports", key(k)).problem(http.StatusUnauthorized, "UNAUTHORIZED")
		a.do(http.MethodDelete, "/exports/"+id, key(k)).problem(http.StatusUnauthorized, "UNAUTHORIZED")
	}
	a.do(http.MethodPost, "/exports", key(keyRead)).problem(http.StatusForbidden, "FORBIDDEN")
	a.do(http.MethodDelete, "/exports/"+id, key(keyRead)).problem(http.StatusForbidden, "FORBIDDEN")
	a.do(http.MethodGet, "/exports/"+id+"/download", key(keyRead)).is(http.StatusOK)
}

// otherWorkspace holds that a job of others is answered like one that is not there.
func otherWorkspace(_ *testing.T, a *api) {
	id := a.ready("")
	for _, path := range []string{"/exports/" + id, "/exports/" + missingID, "/exports/no-uuid"} {
		a.do(http.MethodGet, path, key(keyOther)).problem(http.StatusNotFound, "EXPORT_NOT_FOUND")
		a.do(http.MethodGet, path+"/download", key(keyOther)).problem(http.StatusNotFound, "EXPORT_NOT_FOUND")
		a.do(http.MethodDelete, path, key(keyOther)).problem(http.StatusNotFound, "EXPORT_NOT_FOUND")
	}
	a.equal("total of the other workspace", a.do(http.MethodGet, "/exports", key(keyOther)).object()["total"], 0.0)
	a.do(http.MethodGet, "/exports/"+id).is(http.StatusOK)
}

// pathsAndMethods sends what the adapter does not have. What a router answers by itself elsewhere is its own affair.
func pathsAndMethods(_ *testing.T, a *api) {
	id := a.ready("")
	for _, path := range []string{"/exports/", "/exports/" + id + "/", "/exports/" + id + "/download/", "/exports/" + id + "/upload", "/imports"} {
		a.do(http.MethodGet, path).problem(http.StatusNotFound, "NOT_FOUND")
	}
	for path, allow := range map[string]string{
		"/exports": "GET, HEAD, POST", "/exports/" + id: "DELETE, GET, HEAD", "/exports/" + id + "/download": "GET, HEAD",
	} {
		w := a.do(http.MethodPut, path)
		w.problem(http.StatusMethodNotAllowed, "METHOD_NOT_ALLOWED")
		w.has("Allow", allow)
	}
	a.do(http.MethodGet, "/exports/"+id+"%2Fdownload").problem(http.StatusNotFound, "EXPORT_NOT_FOUND")
	a.do(http.MethodGet, "/exports/"+id+"?x=1").problem(http.StatusBadRequest, "VALIDATION_ERROR")
	a.do(http.MethodGet, "/exports/"+id+"/download?x=1").problem(http.StatusBadRequest, "VALIDATION_ERROR")
}
