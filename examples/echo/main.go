// Command echo is a host of the exports API on echo. It keeps everything in memory.
//
//	go run ./examples/echo
package main

import (
	"net/http"

	"github.com/labstack/echo/v5"
	"github.com/labstack/echo/v5/middleware"

	"github.com/dataexport/dataexport/examples/internal/demo"
)

func main() { demo.Main(router) }

// router is the host. The wildcard route leaves paths and methods to the exports API.
func router(exports http.Handler) http.Handler {
	router := echo.New()
	router.Use(middleware.Recover())
	router.Any("/v1/*", echo.WrapHandler(http.StripPrefix("/v1", exports)))
	return router
}
