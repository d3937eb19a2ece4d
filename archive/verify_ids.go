package archive

import (
	"crypto/sha256"
	"fmt"

	"github.com/google/uuid"

	"github.com/dataexport/dataexport"
)

// An idKey stands for an id: a UUID itself, and of any other id the first half of its SHA-256, so that long ids take no
// more memory than short ones.
type idKey [16]byte

// ids are the ids and references of the lists of an archive.
type ids struct {
	known      []map[idKey]int // by collection: the record that has the id
	references []pendingReference
	targets    [][]int // by collection: the collections that its references refer to
	total      int64
}

// A pendingReference is checked when all collections have been read.
type pendingReference struct {
	key       idKey
	text      string // shortened; empty for a UUID
	record    int
	part      int32
	reference int32 // of the part
}

func newIDs(a *Archive) *ids {
	s := &ids{known: make([]map[idKey]int, len(a.parts)), targets: make([][]int, len(a.parts))}
	for i, p := range a.parts {
		s.known[i] = make(map[idKey]int)
		for _, r := range p.references {
			for j := range a.info.Collections {
				if a.info.Collections[j].Name == r.Collection {
					s.targets[i] = append(s.targets[i], j)
				}
			}
		}
	}
	return s
}

func keyOf(v dataexport.Value) (key idKey, text string) {
	switch v.Kind() {
	case dataexport.KindUUID:
		return *v.UUID(), ""
	case dataexport.KindInt:
		text = fmt.Sprint(v.Int())
	case dataexport.KindTime:
		text = fmt.Sprint(v.Unix())
	default:
		text = v.Text()
	}
	sum := sha256.Sum256([]byte(text))
	return idKey(sum[:len(key)]), shorten(text)
}

func (k idKey) String() string { return uuid.UUID(k).String() }

// keepIDs remembers the id and the references of a record, and reports an id that is there twice.
func (rd *reading) keepIDs(d *draft) error {
	if d.part.collection.Single {
		return nil
	}
	s := rd.ids
	if s.total++; s.total > rd.archive.limits.Records {
		return &Fault{
			Collection: d.part.collection.Name, Record: d.index,
			Problem: fmt.Sprintf("there are more than %d records in all, the limit of the definition", rd.archive.limits.Records),
		}
	}
	for i, v := range d.refs {
		if v.IsNull() {
			continue
		}
		key, text := keyOf(v)
		s.references = append(s.references, pendingReference{
			key: key, text: text, record: d.index, part: int32(d.number), reference: int32(i), //nolint:gosec // as many as a definition has
		})
	}
	if d.id.IsNull() {
		return nil
	}
	key, text := keyOf(d.id)
	if first, ok := s.known[d.number][key]; ok {
		if d.id.Kind() == dataexport.KindUUID {
			text = key.String()
		}
		id := d.part.collection.Column(dataexport.RoleID)
		return d.fault(d.part.collection.Columns[id].Name, text, fmt.Sprintf("record %d has the same id", first))
	}
	s.known[d.number][key] = d.index
	return nil
}

// checkReferences reports the references that point to nothing. Those to a collection that could not be read in full are
// not judged.
func (rd *reading) checkReferences() {
	for _, p := range rd.ids.references {
		target := rd.ids.targets[p.part][p.reference]
		if _, ok := rd.ids.known[target][p.key]; ok || rd.parts[target].damaged {
			continue
		}
		r := rd.archive.parts[p.part].references[p.reference]
		value := p.text
		if rd.parts[target].idKind() == dataexport.KindUUID {
			value = p.key.String()
		}
		rd.report.add(Fault{
			Collection: rd.parts[p.part].collection.Name, Record: p.record, Field: r.Field, Value: value,
			Problem: fmt.Sprintf("no record of %s has this id", r.Collection),
		})
	}
}

func (p *partState) idKind() dataexport.Kind {
	return p.collection.Columns[p.collection.Column(dataexport.RoleID)].Kind
}
