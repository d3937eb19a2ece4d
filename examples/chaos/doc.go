// Package chaos is a test and nothing else: three server processes share a PostgreSQL database and a bucket and export for
// many users, while processes are killed and paused, the database is restarted and cut off, and the bucket refuses and
// breaks off. In the end every promise must have been kept; verdict_test.go says which, one by one.
//
// It takes about a minute. These environment variables change it:
//
//   - DATAEXPORT_CHAOS is for how long there is chaos, such as 3m; by default 12s.
//   - DATAEXPORT_CHAOS_SEED is a number from which all orders and faults follow, though not how they meet; by default
//     another one each time, which the test prints.
//   - DATAEXPORT_CHAOS_RACE set to 1 builds the servers with the race detector.
//   - DATAEXPORT_CHAOS_VERBOSE set to 1 prints what was done when, also if the test passes (with go test -v).
//   - DATAEXPORT_TEST_VERSITYGW is the program of an S3 server to use in place of the one within the test.
package chaos
