// Package pgstore keeps the jobs of dataexport in PostgreSQL, so that several machines can share them.
//
//	pool, err := pgxpool.New(ctx, "postgres://…")
//	err = pgstore.Migrate(ctx, pool)
//	store := pgstore.New(pool, pgstore.Options{}) // goes into dataexport.Config
//
// # The database
//
// It is tested with PostgreSQL 15 and uses nothing that is newer than 13. Its encoding must be UTF8. The tables begin with
// dataexport_ and are found through the search_path of the connection, so that the database, and the schema, can be the
// program's own. Migrate needs the privilege CREATE on the schema when there is something to do; everything else needs
// SELECT, INSERT, UPDATE and DELETE on the tables and USAGE on the sequence dataexport_served.
//
// The pool must reach the primary and no standby, which may lag behind. Where the connection string names several servers, it
// needs target_session_attrs=read-write, so that after a fail-over the pool finds the new primary.
//
// All times are by the clock of the database. If another server takes over whose clock is behind, leases and files live
// longer by the difference.
//
// What a method returned is as durable as any commit: with synchronous_commit = off, or a fail-over to a standby that lags
// behind, the last changes may be lost. A job that is lost was never there; one whose last state is lost is done again when
// its lease runs out.
//
// # Connections
//
// Every call takes one connection of the pool for moments, and while workers wait for work the Store keeps one to LISTEN.
// Four are enough for a few workers, if sources of rows have a pool of their own: each export that reads from PostgreSQL
// keeps a connection for as long as it runs. A pool of one works; it does not LISTEN. End what waits, such as
// dataexport.Service.Run, before the pool is closed, which waits for all of its connections.
//
// Behind a pooler in transaction mode, such as PgBouncer, notifications do not arrive, and workers look for jobs every
// dataexport.Config.PollInterval. One that does not know prepared statements needs the setting
// default_query_exec_mode=exec in the connection string.
//
// # Load
//
// What is asked of a Store at the same time is done together: Create, Claim and Update are one statement, and one commit, for
// all calls that have come while the last was under way. A call that comes alone waits for nobody.
//
// Claim steps through the workspaces that have active jobs, so that its cost grows with their number, not with that of jobs.
// A transaction of the host's that stays open for hours keeps PostgreSQL from removing dead rows, and makes looking for work
// slower and slower; watch the age of the oldest one (pg_stat_activity.xact_start) and n_dead_tup of dataexport_jobs in
// pg_stat_user_tables. The table dataexport_workspaces keeps a small row for each workspace that has ever had a job.
package pgstore
