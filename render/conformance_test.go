package render

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"testing"

	"github.com/dataexport/dataexport"
	"github.com/dataexport/dataexport/render/rendertest"
)

func TestJSONConformance(t *testing.T) {
	rendertest.Run(t, JSON(), rendertest.Options{Count: countJSON})
}

func countJSON(document []byte, info dataexport.Info) ([]int64, error) {
	if !info.Layout.Object {
		var list []json.RawMessage
		err := json.Unmarshal(document, &list)
		return []int64{int64(len(list))}, err
	}
	var object map[string]json.RawMessage
	if err := json.Unmarshal(document, &object); err != nil {
		return nil, err
	}
	if want := len(info.Layout.Head) + len(info.Collections) + 1; len(object) != want {
		return nil, fmt.Errorf("the object has %d members and not %d", len(object), want)
	}
	var written map[string]int64
	if err := json.Unmarshal(object[info.Layout.CountsKey], &written); err != nil {
		return nil, err
	}
	counts := make([]int64, len(info.Collections))
	for i, c := range info.Collections {
		if c.Single {
			counts[i] = 1
			continue
		}
		var list []json.RawMessage
		if err := json.Unmarshal(object[c.Name], &list); err != nil {
			return nil, err
		}
		if written[c.Name] != int64(len(list)) {
			return nil, fmt.Errorf("%s has %d records, and the counts say %d", c.Name, len(list), written[c.Name])
		}
		counts[i] = int64(len(list))
	}
	return counts, nil
}

func TestCSVConformance(t *testing.T) {
	for name, o := range map[string]CSVOptions{"default": {}, "bom": {BOM: true}, "no guard": {NoFormulaGuard: true}} {
		t.Run(name, func(t *testing.T) {
			rendertest.Run(t, CSVWith(o), rendertest.Options{Count: countCSV})
		})
	}
}

func countCSV(document []byte, _ dataexport.Info) ([]int64, error) {
	rows, err := csv.NewReader(bytes.NewReader(document)).ReadAll()
	return []int64{int64(len(rows)) - 1}, err
}
