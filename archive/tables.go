package archive

import (
	"errors"
	"fmt"
	"slices"

	"github.com/dataexport/dataexport"
)

// A Table is a place where the host keeps personal data. Either it is exported or it is excluded for a reason.
type Table struct {
	Name       string // as CheckTables is given it, for example the name of a table of the database
	Collection string // the account or the list that holds it
	Excluded   string // why it is not in the archive, for whoever asks
}

// Exported says that a table is in a collection of the archive.
func Exported(table, collection string) Table { return Table{Name: table, Collection: collection} }

// Excluded says that a table is not in the archive, and why.
func Excluded(table, reason string) Table { return Table{Name: table, Excluded: reason} }

// checkInventory reports tables that are said to be where they cannot be, and collections that no table fills.
func (a *Archive) checkInventory() error {
	if len(a.tables) == 0 {
		return nil // a host that does not keep an inventory
	}
	var faults []error
	fail := func(format string, args ...any) {
		faults = append(faults, fmt.Errorf("%w: archive %q: %s", dataexport.ErrInvalid, a.format, fmt.Sprintf(format, args...)))
	}
	filled := make(map[string]bool)
	known := make(map[string]bool)
	for _, t := range a.tables {
		switch {
		case known[t.Name]:
			fail("table %q is there twice", t.Name)
		case (t.Collection == "") == (t.Excluded == ""):
			fail("table %q must be either exported to a collection or excluded for a reason", t.Name)
		case t.Collection != "" && !slices.ContainsFunc(a.info.Collections, func(c dataexport.Collection) bool { return c.Name == t.Collection }):
			fail("table %q is exported to %q, which is no collection of the archive", t.Name, t.Collection)
		}
		known[t.Name] = true
		filled[t.Collection] = true
	}
	for _, c := range a.info.Collections {
		if !filled[c.Name] {
			fail("no table is exported to the collection %q", c.Name)
		}
	}
	return errors.Join(faults...)
}

// Tables returns the inventory of the definition.
func (a *Archive) Tables() []Table { return slices.Clone(a.tables) }

// CheckTables compares the inventory with the tables that there are, and names every table that is neither exported nor
// excluded, and every entry whose table is gone. A test of the host gives it the tables of its real schema, so that nobody
// adds a table with personal data and forgets the archive; archivetest.CheckTables does so.
func (a *Archive) CheckTables(names []string) error {
	var faults []error
	for _, name := range names {
		if !slices.ContainsFunc(a.tables, func(t Table) bool { return t.Name == name }) {
			faults = append(faults, fmt.Errorf("table %q is neither exported nor excluded; add it to Definition.Tables with "+
				"archive.Exported or, with a reason, archive.Excluded", name))
		}
	}
	for _, t := range a.tables {
		if !slices.Contains(names, t.Name) {
			faults = append(faults, fmt.Errorf("table %q is in Definition.Tables and does not exist any more; take it out", t.Name))
		}
	}
	return errors.Join(faults...)
}
