package archive_test

import (
	"encoding/json"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dataexport/dataexport"
	"github.com/dataexport/dataexport/archive"
	"github.com/dataexport/dataexport/archive/archivetest"
)

type person struct {
	ID    uuid.UUID `export:"id,id"`
	Email string    `export:"email"`
}

type note struct {
	ID     uuid.UUID  `export:"id,id,key"`
	Parent *uuid.UUID `export:"parentId"`
	Text   *string    `export:"text,body"`
	Tags   []string   `export:"tags,notnull"`
	Price  string     `export:"price,decimal"`
}

type keyless struct {
	ID uuid.UUID `export:"id,id"`
}

func definition() archive.Definition {
	return archive.Definition{
		Format:  "acme.account-export.v1",
		Account: archive.Account[person]("person"),
		Lists:   []archive.Part{archive.List[note]("notes", archive.Reference{Field: "parentId", Collection: "notes"})},
	}
}

func TestAHostDefinesItsOwnArchive(t *testing.T) {
	a, err := archive.New(definition())
	require.NoError(t, err)
	info := a.Info()
	assert.Equal(t, "account", info.Name)
	assert.True(t, info.Personal)
	assert.Empty(t, info.Filters)
	assert.Equal(t, "acme.account-export.v1", a.Format())
	assert.Equal(t, []archive.Reference{{Field: "parentId", Collection: "notes"}}, a.References("notes"))
	assert.Empty(t, a.References("person"))
}

func TestNewRefusesWhatIsNoArchive(t *testing.T) {
	tests := map[string]func(*archive.Definition){
		"it has no format name":           func(d *archive.Definition) { d.Format = "" },
		"must be made by archive.Account": func(d *archive.Definition) { d.Account = archive.List[note]("person") },
		`list "notes" must be made by`:    func(d *archive.Definition) { d.Lists[0] = archive.Account[note]("notes") },
		"its id and its key":              func(d *archive.Definition) { d.Lists[0] = archive.List[keyless]("notes") },
		"it has no field": func(d *archive.Definition) {
			d.Lists[0] = archive.List[note]("notes", archive.Reference{Field: "x", Collection: "notes"})
		},
		`"people", which is no list`: func(d *archive.Definition) {
			d.Lists[0] = archive.List[note]("notes", archive.Reference{Field: "id", Collection: "people"})
		},
		`"person", which is no list`: func(d *archive.Definition) {
			d.Lists[0] = archive.List[note]("notes", archive.Reference{Field: "id", Collection: "person"})
		},
		"is not of the kind of the ids": func(d *archive.Definition) {
			d.Lists[0] = archive.List[note]("notes", archive.Reference{Field: "text", Collection: "notes"})
		},
		"there twice":                       func(d *archive.Definition) { d.Lists = append(d.Lists, archive.List[note]("format")) },
		"map[string]int cannot be a column": func(d *archive.Definition) { d.Lists[0] = archive.List[struct{ M map[string]int }]("notes") },
		`table "a" is there twice`: func(d *archive.Definition) {
			d.Tables = []archive.Table{archive.Excluded("a", "r"), archive.Excluded("a", "r")}
		},
		"must be either exported":                        func(d *archive.Definition) { d.Tables = []archive.Table{archive.Excluded("a", "")} },
		`"letters", which is no collection`:              func(d *archive.Definition) { d.Tables = []archive.Table{archive.Exported("a", "letters")} },
		`no table is exported to the collection "notes"`: func(d *archive.Definition) { d.Tables = []archive.Table{archive.Exported("a", "person")} },
	}
	for want, change := range tests {
		t.Run(want, func(t *testing.T) {
			d := definition()
			change(&d)
			_, err := archive.New(d)
			require.ErrorIs(t, err, dataexport.ErrInvalid)
			assert.ErrorContains(t, err, want)
		})
	}
}

// Whoever adds a table and forgets the archive is told so by a test.
func TestNoTableIsForgotten(t *testing.T) {
	d := definition()
	d.Tables = []archive.Table{
		archive.Exported("people", "person"), archive.Exported("notes", "notes"), archive.Excluded("sessions", "they end within a day"),
	}
	a, err := archive.New(d)
	require.NoError(t, err)
	archivetest.CheckTables(t, a, []string{"notes", "people", "sessions"})

	err = a.CheckTables([]string{"people", "sessions", "letters"})
	assert.ErrorContains(t, err, `table "letters" is neither exported nor excluded`)
	assert.ErrorContains(t, err, `table "notes" is in Definition.Tables and does not exist any more`)

	spy := &spyTB{TB: t}
	archivetest.CheckTables(spy, a, nil)
	assert.True(t, spy.failed)
}

type spyTB struct {
	testing.TB
	failed bool
}

func (s *spyTB) Helper()               {}
func (s *spyTB) Errorf(string, ...any) { s.failed = true }

func TestSchema(t *testing.T) {
	a, err := archive.New(definition())
	require.NoError(t, err)
	assert.JSONEq(t, `{
		"$schema": "https://json-schema.org/draft/2020-12/schema",
		"title": "acme.account-export.v1",
		"type": "object",
		"required": ["format", "exportedAt", "person", "notes", "counts"],
		"additionalProperties": false,
		"properties": {
			"format": {"const": "acme.account-export.v1"},
			"exportedAt": {"type": "string", "format": "date-time"},
			"person": {
				"type": "object", "required": ["id", "email"], "additionalProperties": false,
				"properties": {"id": {"type": "string", "format": "uuid"}, "email": {"type": "string"}}
			},
			"notes": {"type": "array", "items": {
				"type": "object", "required": ["id", "parentId", "text", "tags", "price"], "additionalProperties": false,
				"properties": {
					"id": {"type": "string", "format": "uuid"},
					"parentId": {"type": ["string", "null"], "format": "uuid"},
					"text": {"type": ["string", "null"]},
					"tags": {"type": "array", "items": {"type": "string"}},
					"price": {"type": "string", "pattern": "^[+-]?[0-9]+(\\.[0-9]+)?([eE][+-]?[0-9]+)?$"}
				}
			}},
			"counts": {
				"type": "object", "required": ["notes"], "additionalProperties": false,
				"properties": {"notes": {"type": "integer", "minimum": 0}}
			}
		}
	}`, string(a.Schema()))
	assert.True(t, json.Valid(a.Schema()))
}
