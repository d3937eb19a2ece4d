//go:build leakcheck

package main

import "go.uber.org/goleak"

// checkLeaks returns an error that shows the goroutines which are left when everything has stopped. Idle connections to a
// bucket are no leaks: whoever has opened it closes no more than the bucket. Nor are connections to a database that has fallen
// silent, which pgx gives 15 seconds to close.
func checkLeaks() error {
	return goleak.Find(
		goleak.IgnoreAnyFunction("net/http.(*persistConn).readLoop"),
		goleak.IgnoreAnyFunction("net/http.(*persistConn).writeLoop"),
		goleak.IgnoreAnyFunction("github.com/jackc/pgx/v5/pgconn.(*PgConn).asyncClose.func1"),
	)
}
