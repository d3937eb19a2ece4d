package program

import (
	"fmt"

	"github.com/dataexport/dataexport"
	"github.com/dataexport/dataexport/render"
)

// rendererOf returns the renderer of a format.
func rendererOf(format string) (dataexport.Renderer, error) {
	for _, r := range render.Standard() {
		if r.Format().Name == format {
			return r, nil
		}
	}
	return nil, fmt.Errorf("program: there is no format %q", format)
}
