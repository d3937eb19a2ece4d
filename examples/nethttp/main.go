// Command nethttp is a host of the exports API with nothing but net/http. It keeps everything in memory.
//
//	go run ./examples/nethttp
package main

import (
	"net/http"

	"github.com/dataexport/dataexport/examples/internal/demo"
)

func main() { demo.Main(router) }

// router is the host. Whatever else it serves goes in here.
func router(exports http.Handler) http.Handler {
	mux := http.NewServeMux()
	mux.Handle("/v1/", http.StripPrefix("/v1", exports))
	return mux
}
