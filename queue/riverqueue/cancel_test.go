package riverqueue_test

import (
	"testing"

	"github.com/riverqueue/river/rivertype"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dataexport/dataexport"
)

func TestCancellingTheRiverJobOfARunningExportFailsIt(t *testing.T) {
	w := newWorld(t, setting{})
	waiting := w.sources.block(nil)
	job := w.create("acme")
	w.run()
	<-waiting
	_, err := w.client.JobCancel(t.Context(), w.riverJob(job.ID).ID)
	require.NoError(t, err)

	failed := w.untilStatus(job.ID, dataexport.StatusFailed)
	assert.Equal(t, &dataexport.JobError{Code: "CANCELLED", Message: "The export was cancelled by an operator."}, failed.Error)
	w.untilRiver(job.ID, rivertype.JobStateCancelled)
}

func TestCancellingTheRiverJobOfAWaitingExportFailsIt(t *testing.T) {
	w := newWorld(t, setting{})
	job := w.create("acme")
	_, err := w.client.JobCancel(t.Context(), w.riverJob(job.ID).ID)
	require.NoError(t, err)
	w.run()

	assert.Equal(t, "CANCELLED", w.untilStatus(job.ID, dataexport.StatusFailed).Error.Code)
	assert.Equal(t, rivertype.JobStateCancelled, w.riverJob(job.ID).State, "and there is no other")
	assert.Empty(t, w.sources.order())
}
