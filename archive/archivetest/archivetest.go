// Package archivetest holds what a host checks of its archive in its own tests. It uses the standard library only.
package archivetest

import (
	"testing"

	"github.com/dataexport/dataexport/archive"
)

// CheckTables fails the test for every table that the archive neither exports nor excludes for a reason, and for every
// entry of its inventory whose table is gone. Tables are the names of all tables that hold personal data, read from the
// schema itself, for example from information_schema.tables.
func CheckTables(t testing.TB, a *archive.Archive, tables []string) {
	t.Helper()
	if err := a.CheckTables(tables); err != nil {
		t.Errorf("the archive %s is not complete:\n%s", a.Format(), err)
	}
}
