// Command server is a complete export service: memories, accounts and jobs in SQLite, files in a directory, the API under
// /v1, and the archive of the caller's account at /api/v1/export. It needs no set-up:
//
//	go run ./examples/server
//
// Without -key it makes a key for the workspace "demo", and without -memories it has some sample memories; it prints the
// requests to try. With -account it imports an archive as the account of the first key's subject. Everything that it keeps is
// in the directory -data.
//
// Where one machine is not enough, several servers share a PostgreSQL database (-store) and a bucket (-blobs), and River may
// bring them the jobs (-queue river). /healthz and /readyz tell those who run them how they are.
//
// To learn how a host gives its own data to the library, read memories.go, and account.go for an archive of many tables, in
// internal/database/sqlite or internal/database/postgres; how the parts are put together is in serve.go and backend.go.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
)

func main() {
	signal.Ignore(syscall.SIGPIPE) // whoever reads the output may go away; the server stays
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second signal ends the process at once
	err := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	if err == nil {
		err = checkLeaks()
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "server:", err)
		os.Exit(1)
	}
}

// run is the whole command. It returns nil when ctx is done and everything has stopped in good order.
func run(ctx context.Context, args []string, out, log io.Writer) error {
	s, err := parseSettings(args)
	if errors.Is(err, flag.ErrHelp) {
		printUsage(out)
		return nil
	}
	if err != nil {
		return err
	}
	err = serve(ctx, s, out, log)
	if errors.Is(err, context.Canceled) && ctx.Err() != nil {
		return nil // told to stop while starting
	}
	return err
}
