package adaptertest_test

import (
	"net/http"
	"testing"

	"github.com/dataexport/dataexport/httpadapter/adaptertest"
)

func TestAtTheRoot(t *testing.T) {
	adaptertest.Run(t, func(exports http.Handler) (http.Handler, string) { return exports, "" })
}

func TestUnderAPrefix(t *testing.T) {
	adaptertest.Run(t, func(exports http.Handler) (http.Handler, string) {
		return http.StripPrefix("/v1", exports), "/v1"
	})
}

func TestInAServeMux(t *testing.T) {
	adaptertest.Run(t, func(exports http.Handler) (http.Handler, string) {
		mux := http.NewServeMux()
		mux.Handle("/api/v1/", http.StripPrefix("/api/v1", exports))
		return mux, "/api/v1"
	})
}
