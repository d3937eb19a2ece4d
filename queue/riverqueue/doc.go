// Package riverqueue has exports done by River (github.com/riverqueue/river), the job queue in PostgreSQL, in place of
// dataexport.Service.Run. It goes with store/pgstore on the same database:
//
//	queue, err := riverqueue.New(pool, riverqueue.Options{})
//	store := pgstore.New(pool, pgstore.Options{OnCreate: queue.Insert, Quiet: true})
//	service, err := dataexport.New(dataexport.Config{Store: store, …})
//	group.Go(func() error { return queue.Run(ctx, service, store) })
//
// The export and its River job are inserted in one transaction: either both are there or neither is. Every export has a
// River job of its own, of the kind [ExportKind], which River's own tools show, cancel and count. A process that only takes
// orders makes a Queue for Insert and never calls Run. A host that runs River already calls [Queue.Configure] on the
// configuration of its own client in place of Run.
//
// # Who does what
//
// River brings the jobs to the workers of all machines, has them wait, cancels them, elects the one process that
// starts the sweeps, and drains. Attempts, backoff and the fence stay with dataexport: River may run a job twice, and a
// version of the export that was overtaken can change nothing. So River's attempts mean nothing here. A failed attempt that is to be
// made again, and an export that another worker holds, are snoozed, which River does not count. The output of a River job
// says how its export stands.
//
//   - An export that is READY or FAILED completes its River job. One that was deleted cancels it.
//   - Cancelling a River job fails its export with the code CANCELLED: at once if it is being worked on, otherwise at the next sweep.
//   - A client that stops hands exports back: the attempt is not counted, and another process can have them at once.
//
// # Fairness
//
// River brings jobs in the order in which they came. A worker asks the store whether another workspace goes before that of
// the job which it was brought. If so, it has River bring the job of the other workspace first and snoozes its own for a moment. Who orders
// one export waits for a few jobs of somebody who ordered a thousand before, not for all; and two who order a thousand each
// share the workers evenly. The River job of an export is found by an index that Migrate adds to River's table.
//
// # Long exports, and workers that die
//
// River's JobTimeout, a minute unless the host says otherwise, does not apply to exports. An export has as long as it takes, if there is
// a new record now and then: dataexport.Config.StallTimeout watches over that. Nor does River rescue exports, since it has no sign of
// life to go by. The lease of the export is one. It is renewed every few seconds, and when it has run out, the sweep gives
// the River job free, usually within two minutes. The sweep also makes a new River job for an export that has none.
//
// # Connections
//
// River listens for notifications, and so needs connections that keep a session. Behind a pooler in transaction mode set
// Options.PollOnly. While PostgreSQL is away everything waits and goes on by itself.
package riverqueue
