// Command gin is a host of the exports API on gin. It keeps everything in memory.
//
//	go run ./examples/gin
package main

import (
	"net/http"

	"github.com/gin-gonic/gin"

	"github.com/dataexport/dataexport/examples/internal/demo"
)

func main() { demo.Main(router) }

// router is the host. The wildcard route leaves paths and methods to the exports API.
func router(exports http.Handler) http.Handler {
	gin.SetMode(gin.ReleaseMode)
	router := gin.New()
	router.Use(gin.Recovery())
	router.Any("/v1/*path", gin.WrapH(http.StripPrefix("/v1", exports)))
	return router
}
