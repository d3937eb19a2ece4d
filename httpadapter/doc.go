// Package httpadapter serves exports over HTTP, with net/http alone.
//
//	POST   /exports                 orders an export                       export.write
//	GET    /exports                 lists the exports, newest first        export.read
//	GET    /exports/{id}            shows one                              export.read
//	GET    /exports/{id}/download   sends the file of one that is READY    export.read
//	DELETE /exports/{id}            cancels one and removes its file       export.write
//
// HEAD works wherever GET does. The paths are relative to where the host mounts the handler: at the root, or anywhere
// else under http.StripPrefix, also inside of chi, gin and echo.
//
// Stream makes a handler of its own, which sends an export without a job: the archive of the caller's account, for example.
//
// The host says who is asking, see Options.Authenticate. Errors are problem documents (RFC 9457) whose member code names
// what went wrong, for example EXPORT_NOT_FOUND. What an internal error was is told to the log alone, under the request
// id that the client gets in X-Request-Id and in the document.
//
// Two settings of http.Server matter here. A WriteTimeout cuts off every download that takes longer, but no stream. A
// ReadTimeout bounds how long a client may take to send the body that it should not send.
package httpadapter
