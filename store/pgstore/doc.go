// Package pgstore keeps the jobs of dataexport in PostgreSQL, so that several machines can share them.
package pgstore
