package memstore_test

import (
	"testing"

	"github.com/dataexport/dataexport"
	"github.com/dataexport/dataexport/store/memstore"
	"github.com/dataexport/dataexport/store/storetest"
)

func open(*testing.T) dataexport.Store { return memstore.New() }

func TestStoreInBubble(t *testing.T) { storetest.RunInBubble(t, open) }

func TestStoreInRealTime(t *testing.T) { storetest.Run(t, open) }
