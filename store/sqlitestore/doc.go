// Package sqlitestore keeps jobs in SQLite.
package sqlitestore
