package pgrows

import (
	"context"

	"github.com/dataexport/dataexport"
)

// Dataset makes a dataset of its description and a function that opens it, such as Pages.Open or Snapshot.Open.
func Dataset(info dataexport.Info, open func(context.Context, dataexport.Query) (dataexport.Source, error)) dataexport.Dataset {
	return dataset{info, open}
}

type dataset struct {
	info dataexport.Info
	open func(context.Context, dataexport.Query) (dataexport.Source, error)
}

func (d dataset) Info() dataexport.Info { return d.info }

func (d dataset) Open(ctx context.Context, q dataexport.Query) (dataexport.Source, error) {
	return d.open(ctx, q)
}
