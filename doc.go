// Package dataexport exports the data of a Go backend in bulk: a user asks for an export, a job renders it, and the file
// waits for 72 hours to be downloaded.
package dataexport
