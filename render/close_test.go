package render

import (
	"bytes"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dataexport/dataexport"
)

// TestClosedEncodersKeepNothing: what an encoder has learned of texts, such as the pattern of a column's JSON, is data of
// users, and whoever keeps a closed encoder must not keep that too.
func TestClosedEncodersKeepNothing(t *testing.T) {
	for _, renderer := range []dataexport.Renderer{JSON(), CSV(), Markdown()} {
		encoder, err := renderer.Open(t.Context(), &bytes.Buffer{}, &dataexport.Doc{Info: notes})
		require.NoError(t, err)
		require.NoError(t, encoder.Begin(&notes.Collections[0]))
		require.NoError(t, encoder.Row(note("id", "\xff", dataexport.StringValue("=1\xff"), dataexport.StringsValue([]string{"a,b"}), jsonOf("secret"))))
		require.NoError(t, encoder.Close())
		switch e := encoder.(type) {
		case *jsonEncoder:
			assert.Empty(t, e.columns)
			assert.Zero(t, e.output)
		case *csvEncoder:
			assert.Empty(t, e.columns)
			assert.Zero(t, e.text)
			assert.Empty(t, e.json)
			assert.Zero(t, e.output)
		case *markdownEncoder:
			assert.Empty(t, e.columns)
			assert.Zero(t, e.id)
			assert.Zero(t, e.values)
			assert.Zero(t, e.output)
		default:
			t.Errorf("say here what a %T must not keep", encoder)
		}
	}
}
