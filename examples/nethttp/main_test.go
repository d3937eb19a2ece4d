package main

import (
	"net/http"
	"testing"

	"github.com/dataexport/dataexport/httpadapter/adaptertest"
)

func TestExportsAPI(t *testing.T) {
	adaptertest.Run(t, func(exports http.Handler) (http.Handler, string) { return router(exports), "/v1" })
}
