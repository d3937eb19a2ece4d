package archive

import (
	"errors"
	"fmt"
	"io"
	"strconv"

	"github.com/dataexport/dataexport"
)

// A document is a JSON archive that is being read. It knows its place for the faults that end the reading.
type document struct {
	*reading
	scanner    *jsonScanner
	members    map[string]bool // those that were there
	collection string
	record     int
	field      string
}

// readJSON reads a document of JSON.
func (rd *reading) readJSON() error {
	d := &document{
		reading: rd, scanner: newJSONScanner(io.NewSectionReader(rd.input, 0, rd.size)), members: make(map[string]bool), record: -1,
	}
	err := d.scanner.object(d.member)
	if err == nil {
		err = d.scanner.end()
	}
	if err != nil {
		return d.place(err)
	}
	for _, name := range []string{FormatMember, ExportedAtMember, CountsMember} {
		if !d.members[name] {
			if err := rd.fault(Fault{Record: -1, Field: name, Problem: "the member is missing"}); err != nil {
				return err
			}
		}
	}
	return nil
}

// place makes a fault of a syntax error.
func (d *document) place(err error) error {
	syntax := (*syntaxError)(nil)
	if !errors.As(err, &syntax) {
		return err
	}
	return &Fault{Collection: d.collection, Record: d.record, Field: d.field, Problem: syntax.Error()}
}

// member reads a member of the document.
func (d *document) member(name string) error {
	if d.members[name] {
		if err := d.fault(Fault{Record: -1, Field: shorten(name), Problem: "the member is there twice"}); err != nil {
			return err
		}
		return d.skip()
	}
	d.members[name] = true
	d.field = shorten(name)
	var err error
	switch part := d.part(name); {
	case name == FormatMember || name == ExportedAtMember:
		err = d.head(name)
	case name == CountsMember:
		err = d.readCounts()
	case part >= 0:
		d.collection, d.field = name, ""
		err = d.readCollection(part)
	default:
		// An unknown name is not remembered, however many there are.
		delete(d.members, name)
		if err = d.fault(Fault{Record: -1, Field: shorten(name), Problem: "the member is unknown"}); err == nil {
			err = d.skip()
		}
	}
	if err == nil {
		d.collection, d.record, d.field = "", -1, ""
	}
	return err
}

// skip reads over a value.
func (d *document) skip() error {
	_, _, err := d.scanner.value(0)
	return err
}

// head reads a member that is a string.
func (d *document) head(name string) error {
	text, problem, raw, err := d.text()
	if err != nil {
		return err
	}
	if problem == "" {
		problem = d.setHead(name, text)
	}
	if problem == "" {
		return nil
	}
	return d.fault(Fault{Record: -1, Field: name, Value: raw, Problem: problem})
}

// setHead takes the format or the time of an archive, and says what is wrong with it.
func (rd *reading) setHead(name, text string) (problem string) {
	if name == FormatMember {
		rd.report.Header.Format = text
		if text != rd.archive.format {
			return fmt.Sprintf("the format is unknown; this archive is %s", rd.archive.format)
		}
		return ""
	}
	at, ok := parseTime(text)
	if !ok {
		return timeProblem
	}
	rd.report.Header.ExportedAt = at
	return ""
}

// text reads a string. If the value is none, problem says so.
func (d *document) text() (text, problem, raw string, err error) {
	raw, problem, err = d.value()
	if err != nil || problem != "" {
		return "", problem, shorten(raw), err
	}
	if raw[0] != '"' {
		return "", jsonType(raw) + ", where a string must be", shorten(raw), nil
	}
	text, problem = unquote(raw)
	return text, problem, shorten(text), nil
}

// value reads a value without the white space in it.
func (d *document) value() (raw, problem string, err error) {
	if _, err := d.scanner.next("a value"); err != nil {
		return "", "", err
	}
	start := d.scanner.offset
	bytes, ok, err := d.scanner.value(maxRecord)
	if err != nil {
		return "", "", err
	}
	if !ok {
		return "", fmt.Sprintf("the value is larger than %d bytes", maxRecord), nil
	}
	raw, err = d.scanner.compact(bytes, start)
	return raw, "", err
}

// readCounts reads the object that counts the records of the lists.
func (d *document) readCounts() error {
	counts := make(map[string]int64)
	d.report.Header.Counts = counts
	ok, err := d.isObject(Fault{Record: -1, Field: CountsMember})
	if err != nil || !ok {
		return err
	}
	stated := make(map[string]bool)
	err = d.scanner.object(func(name string) error {
		raw, problem, err := d.value()
		if err != nil {
			return err
		}
		n, numberErr := strconv.ParseInt(raw, 10, 64)
		part := d.part(name)
		place := Fault{Collection: shorten(name), Record: -1, Field: CountsMember, Value: shorten(raw)}
		switch {
		case problem != "":
			place.Problem = problem
		case part < 0 || d.parts[part].collection.Single:
			place.Problem = "there is no such list to count"
		case stated[name]:
			place.Problem = "the count is there twice"
		case numberErr != nil || n < 0:
			place.Problem = "not a number of records"
		default:
			counts[name] = n
		}
		if part >= 0 {
			stated[name] = true
		}
		if place.Problem == "" {
			return nil
		}
		return d.fault(place)
	})
	if err != nil {
		return err
	}
	for i := range d.parts {
		if c := d.parts[i].collection; !c.Single && !stated[c.Name] {
			if err := d.fault(Fault{Collection: c.Name, Record: -1, Field: CountsMember, Problem: "the count is missing"}); err != nil {
				return err
			}
		}
	}
	return nil
}

// isObject reports whether an object comes next. If not, it reads over the value and reports a fault at the place.
func (d *document) isObject(place Fault) (bool, error) { return d.is('{', "an object", place) }

func (d *document) is(first byte, name string, place Fault) (bool, error) {
	b, err := d.scanner.next("a value")
	if err != nil || b == first {
		return err == nil, err
	}
	raw, problem, err := d.value()
	if err != nil {
		return false, err
	}
	if place.Problem = problem; problem == "" {
		place.Problem = fmt.Sprintf("%s, where %s must be", jsonType(raw), name)
	}
	place.Value = shorten(raw)
	return false, d.fault(place)
}

// readCollection reads the account or a list.
func (d *document) readCollection(number int) error {
	part := &d.parts[number]
	part.begun = true
	if part.collection.Single {
		return d.readRecord(number)
	}
	ok, err := d.is('[', "an array", Fault{Collection: d.collection, Record: -1})
	if err != nil || !ok {
		part.damaged = true
		return err
	}
	return d.scanner.array(func() error { return d.readRecord(number) })
}

// readRecord reads the next record of a collection.
func (d *document) readRecord(number int) error {
	part := &d.parts[number]
	d.record = int(part.found)
	ok, err := d.isObject(Fault{Collection: d.collection, Record: d.record})
	if err != nil {
		return err
	}
	if !ok {
		part.found++
		return nil
	}
	draft := d.draft(number)
	limit := d.scanner.offset + maxRecord
	err = d.scanner.object(func(name string) error {
		d.field = shorten(name)
		return d.readField(draft, name, limit)
	})
	if err != nil {
		return err
	}
	d.field = ""
	return draft.finish()
}

// readField reads a field of a record that may go on to an offset.
func (d *document) readField(draft *draft, name string, limit int64) error {
	column, known := draft.part.columns[name]
	if _, err := d.scanner.next("a value"); err != nil {
		return err
	}
	start := d.scanner.offset
	bytes, ok, err := d.scanner.value(int(max(limit-start, 0)))
	if err != nil {
		return err
	}
	raw := ""
	if ok { // all that is there must be JSON
		if raw, err = d.scanner.compact(bytes, start); err != nil {
			return err
		}
	}
	fault := func(problem string) error {
		text := raw
		if len(raw) > 0 && raw[0] == '"' {
			if plain, bad := unquote(raw); bad == "" {
				text = plain
			}
		}
		return draft.fault(d.field, text, problem)
	}
	switch {
	case draft.large:
		return nil // which has been reported
	case !known:
		return fault("the field is unknown")
	case draft.seen[column]:
		return fault("the field is there twice")
	}
	draft.seen[column] = true
	if !ok {
		draft.large = true
		return fault(fmt.Sprintf("the record is larger than %d bytes", maxRecord))
	}
	v, problem := parseJSON(draft.part.collection.Columns[column], raw)
	if problem == "" {
		problem = draft.set(column, v)
	}
	if problem == "" {
		return nil
	}
	return fault(problem)
}

// parseJSON reads a value of a column from valid and compact JSON.
func parseJSON(c dataexport.Column, raw string) (v dataexport.Value, problem string) {
	if raw == "null" && (c.Nullable || c.Kind != dataexport.KindJSON) {
		return v, ""
	}
	quoted := raw[0] == '"'
	switch c.Kind {
	case dataexport.KindJSON:
		return dataexport.JSONValue([]byte(raw)), ""
	case dataexport.KindStrings:
		list, problem := parseStrings(raw)
		if problem != "" {
			return v, problem
		}
		return dataexport.StringsValue(list), ""
	case dataexport.KindInt, dataexport.KindFloat:
		if quoted || raw[0] != '-' && (raw[0] < '0' || raw[0] > '9') {
			return v, fmt.Sprintf("%s, where a number must be", jsonType(raw))
		}
	case dataexport.KindBool:
		if raw[0] != 't' && raw[0] != 'f' {
			return v, fmt.Sprintf("%s, where true or false must be", jsonType(raw))
		}
	default:
		if !quoted {
			return v, fmt.Sprintf("%s, where a string must be", jsonType(raw))
		}
		text, problem := unquote(raw)
		if problem != "" {
			return v, problem
		}
		return parseText(c.Kind, text)
	}
	return parseText(c.Kind, raw)
}
