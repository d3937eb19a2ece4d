// Package dataexport exports the data of a Go backend in bulk: a user asks for an export, a job renders it, and the file
// can be downloaded for 72 hours. It is embedded: the host brings its rows, its router and its login.
//
//	host's rows ──► Source ──► Row ──► Encoder ──► hash + count ──► BlobStore ──► download
//	                  ▲                                                 │
//	POST /exports ─► Service ─► Store (jobs) ◄── Runner (one job, fenced) ◄── Service.Run, or an engine of the host's
//
// A host makes a [Dataset] of its data, [New] makes a [Service] of it together with renderers, a [Store] for the jobs and a
// [BlobStore] for the files, and [Service.Run] has the jobs done. Package httpadapter serves the whole over HTTP. [Export]
// does without jobs and storage.
//
// What can be relied on:
//
//   - READY means that the file is there, whole, with the recorded size and SHA-256. A source that fails, a row of another
//     workspace, a limit, a panic: the job is FAILED, with a reason, and has no file.
//   - A process may be killed at any instant. After a restart, or in another process, the job ends by itself; attempts are
//     capped, and no file is left that no job needs.
//   - A graceful stop hands jobs back. Deleting wins over completion. Expiry is the clock's and needs no sweep.
//   - Memory stays flat from a thousand records to ten million: a row is borrowed from the source, written and forgotten.
//   - A user sees the jobs of their workspace and, of personal datasets, their own alone. All others do not exist.
//   - A user never sees an internal error. The log has it, with the id of the job.
//
// The package keeps no global state and leaves no goroutine behind when Run returns.
package dataexport
