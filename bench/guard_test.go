package main

import (
	"context"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dataexport/dataexport"
	"github.com/dataexport/dataexport/bench/internal/race"
	"github.com/dataexport/dataexport/bench/internal/records"
	"github.com/dataexport/dataexport/render"
)

// What makes an export fast can be counted, and counts do not depend on how busy the machine is: nothing is allocated for a record,
// and writes are large.
func TestAnExportAllocatesNothingForARecord(t *testing.T) {
	for _, r := range []dataexport.Renderer{render.JSON(), render.CSV(), render.Markdown()} {
		allocations := func(n int) float64 {
			data := datasetOf(records.NewHotList(records.Dirty, n))
			return testing.AllocsPerRun(3, func() {
				if _, err := export(context.Background(), &race.Discard{}, data, r); err != nil {
					t.Fatal(err)
				}
			})
		}
		few, many := allocations(2000), allocations(20_000)
		assert.Less(t, few, 150.0, "%s: allocations of an export", r.Format().Name)
		assert.InDelta(t, few, many, 20, "%s: allocations for 18,000 records more", r.Format().Name)
	}
}

func TestAnExportWritesInLargePieces(t *testing.T) {
	list := records.NewHotList(records.Dirty, 20_000)
	for _, r := range []dataexport.Renderer{render.JSON(), render.CSV(), render.Markdown()} {
		var engine, alone race.Discard
		_, err := export(t.Context(), &engine, datasetOf(list), r)
		require.NoError(t, err)
		_, err = renderAlone(t.Context(), &alone, datasetOf(list), r)
		require.NoError(t, err)
		// A file names the time of its export, whose fraction of a second is as long as it needs to be: equal but for those digits.
		assert.InDelta(t, alone.Bytes, engine.Bytes, 10, r.Format().Name)
		assert.LessOrEqual(t, engine.Writes, engine.Bytes/(256<<10)+1, "%s: system calls of the engine", r.Format().Name)
		assert.LessOrEqual(t, alone.Writes, alone.Bytes/(16<<10)+2, "%s: pieces that the renderer hands over", r.Format().Name)
	}
}

// A record must not grow unseen: that would make every ratio look worse, or better.
func TestTheSizeOfARecord(t *testing.T) {
	list := records.NewHotList(records.Dirty, 20_000)
	for _, test := range []struct {
		renderer dataexport.Renderer
		bytes    int64
	}{
		{render.JSON(), 537},
		{render.CSV(), 349},
		{render.Markdown(), 552},
	} {
		var written race.Discard
		_, err := export(t.Context(), &written, datasetOf(list), test.renderer)
		require.NoError(t, err)
		assert.InDelta(t, test.bytes, written.Bytes/int64(list.Len()), 3, test.renderer.Format().Name)
	}
}
