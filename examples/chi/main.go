// Command chi is a host of the exports API on chi. It keeps everything in memory.
//
//	go run ./examples/chi
package main

import (
	"net/http"

	"github.com/go-chi/chi/v5"
	"github.com/go-chi/chi/v5/middleware"

	"github.com/dataexport/dataexport/examples/internal/demo"
)

func main() { demo.Main(router) }

// router is the host. Mount leaves the path as it is, so the prefix is still to be stripped.
func router(exports http.Handler) http.Handler {
	router := chi.NewRouter()
	router.Use(middleware.Recoverer)
	router.Mount("/v1", http.StripPrefix("/v1", exports))
	return router
}
