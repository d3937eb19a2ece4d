package render

import "github.com/dataexport/dataexport"

// Standard returns the renderers of this package: JSON, CSV and Markdown. The first one is the usual default.
func Standard() []dataexport.Renderer {
	return []dataexport.Renderer{JSON(), CSV(), Markdown()}
}
