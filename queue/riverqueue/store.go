package riverqueue

import (
	"context"
	"time"

	"github.com/dataexport/dataexport"
)

// A Store is the store of exports that a Queue works for, as far as it needs it. *pgstore.Store is one.
type Store interface {
	dataexport.Store

	// Ahead returns the ids of some exports, the oldest first, of the workspace that goes before that of the export with
	// the given id, which is given too, or "" if it is not known. It returns none if that export is in turn. The
	// Store may take it that the export goes, or the first of those that it has named.
	Ahead(ctx context.Context, workspace, id string) (ids []string, err error)

	// Waiting returns the ids, in ascending order and above the id after, of exports that could have been claimed for
	// at least the given time. It returns limit of them at the most.
	Waiting(ctx context.Context, atLeast time.Duration, after string, limit int) (ids []string, err error)
}
