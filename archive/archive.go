// Package archive makes one portable document of all that a service keeps of one person: the right to data portability
// of the GDPR, Article 20. A host defines its archive once, from structs: a format name with a version, the account, and the
// lists of records that belong to it. From that follow a personal dataset, which every renderer that can hold several
// collections writes, and a JSON Schema of the document.
//
// Archive.Read reads such an archive back into the structs, whether it is JSON or a zip, and Archive.Verify says everything
// that is wrong with one. Both take archives from anywhere: what they use of memory and time is bounded.
//
// Package threengram is an archive that is defined with nothing but this package.
package archive

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/dataexport/dataexport"
)

// A Definition describes an archive.
type Definition struct {
	// Dataset is what users ask for. The default is "account".
	Dataset string
	// Format names the format and its version, for example "acme.account-export.v1". It is in the head of every archive.
	Format string
	// Account is the one record that all else belongs to; see Account.
	Account Part
	// Lists are the collections of the archive; see List. Each is in every archive, also when it is empty.
	Lists []Part
	// Tables are all places where the host keeps personal data: each is exported, or excluded for a reason. See
	// Archive.CheckTables.
	Tables []Table
	// Limits bound what Read and Verify take; the zero value is the defaults.
	Limits Limits
}

// A Part is one collection of an archive.
type Part struct {
	collection dataexport.Collection
	references []Reference
	record     *recordType
	err        error
}

// A Reference says that a field of a record holds the id of a record of another collection of the archive, or null.
type Reference struct {
	Field      string
	Collection string
}

// Account describes the account by a struct; see dataexport.CollectionOf.
func Account[T any](name string) Part {
	c, err := dataexport.CollectionOf[T](name)
	c.Single = true
	return Part{collection: c, record: recordTypeOf[T](c), err: err}
}

// List describes a list of records by a struct; see dataexport.CollectionOf. One of its fields must be the id and the key.
func List[T any](name string, references ...Reference) Part {
	c, err := dataexport.CollectionOf[T](name)
	return Part{collection: c, references: references, record: recordTypeOf[T](c), err: err}
}

// The members of the document besides its collections.
const (
	FormatMember     = "format"
	ExportedAtMember = "exportedAt"
	CountsMember     = "counts"
)

// An Archive is a definition that has been found valid. It does not change, and is safe for concurrent use.
type Archive struct {
	format string
	info   dataexport.Info
	parts  []Part // the account first
	tables []Table
	limits Limits
}

// New checks a definition. Its error is a dataexport.ErrInvalid that says what is wrong.
func New(d Definition) (*Archive, error) {
	if d.Dataset == "" {
		d.Dataset = "account"
	}
	a := &Archive{format: d.Format, parts: append([]Part{d.Account}, d.Lists...), tables: slices.Clone(d.Tables), limits: d.Limits.orDefaults()}
	a.info = dataexport.Info{
		Name:     d.Dataset,
		Personal: true,
		Layout: dataexport.Layout{
			Object: true,
			Head: []dataexport.HeadField{
				{Name: FormatMember, Value: d.Format},
				{Name: ExportedAtMember, Clock: true},
			},
			CountsKey: CountsMember,
		},
	}
	for _, p := range a.parts {
		if p.err != nil {
			return nil, p.err
		}
		a.info.Collections = append(a.info.Collections, p.collection)
	}
	return a, errors.Join(a.checkParts(d), a.info.Validate(), a.checkInventory())
}

// checkParts reports what a dataset may be and an archive may not.
func (a *Archive) checkParts(d Definition) error {
	fail := func(format string, args ...any) error {
		return fmt.Errorf("%w: archive %q: %s", dataexport.ErrInvalid, d.Format, fmt.Sprintf(format, args...))
	}
	if d.Format == "" {
		return fail("it has no format name")
	}
	if !d.Account.collection.Single {
		return fail("Account must be made by archive.Account")
	}
	for _, p := range d.Lists {
		c := &p.collection
		switch id := c.Column(dataexport.RoleID); {
		case c.Single:
			return fail("list %q must be made by archive.List", c.Name)
		case id < 0 || c.Columns[id].Key != 1 || len(c.Key()) != 1:
			return fail(`list %q needs one field that is its id and its key: export:"id,id,key"`, c.Name)
		}
		for _, r := range p.references {
			if err := a.checkReference(c, r); err != nil {
				return fail("list %q: %s", c.Name, err)
			}
		}
	}
	return nil
}

func (a *Archive) checkReference(from *dataexport.Collection, r Reference) error {
	field := slices.IndexFunc(from.Columns, func(c dataexport.Column) bool { return c.Name == r.Field })
	if field < 0 {
		return fmt.Errorf("it has no field %q that could refer to %q", r.Field, r.Collection)
	}
	to := slices.IndexFunc(a.info.Collections, func(c dataexport.Collection) bool { return c.Name == r.Collection && !c.Single })
	if to < 0 {
		return fmt.Errorf("field %q refers to %q, which is no list of the archive", r.Field, r.Collection)
	}
	target := &a.info.Collections[to]
	if id := target.Column(dataexport.RoleID); id < 0 || target.Columns[id].Kind != from.Columns[field].Kind {
		return fmt.Errorf("field %q is not of the kind of the ids of %q", r.Field, r.Collection)
	}
	return nil
}

// Format returns the name and version of the format.
func (a *Archive) Format() string { return a.format }

// Info describes the archive as a dataset.
func (a *Archive) Info() dataexport.Info { return a.info }

// References returns the references of a list, by the name of the list.
func (a *Archive) References(list string) []Reference {
	for _, p := range a.parts {
		if p.collection.Name == list {
			return slices.Clone(p.references)
		}
	}
	return nil
}

// Dataset makes a dataset of a function that opens the data of one person, the Subject of the query's scope, or returns
// dataexport.ErrNotFound if there is no such account. All collections of the source must be of one consistent view, such as
// a transaction that reads repeatably: Rows is called for the account, collection 0, and then for each list in the order of
// Definition.Lists. An archive has no filters, and AsOf is not for it: it holds all there is.
func (a *Archive) Dataset(open func(context.Context, dataexport.Query) (dataexport.Source, error)) dataexport.Dataset {
	return &dataset{archive: a, open: open}
}

type dataset struct {
	archive *Archive
	open    func(context.Context, dataexport.Query) (dataexport.Source, error)
}

func (d *dataset) Info() dataexport.Info { return d.archive.info }

func (d *dataset) Open(ctx context.Context, q dataexport.Query) (dataexport.Source, error) {
	return d.open(ctx, q)
}
