package main

import (
	"context"
	"log/slog"

	"github.com/dataexport/dataexport"
)

// logEvents logs the parts of the life of a job that the service does not log by itself.
func logEvents(log *slog.Logger) dataexport.Hooks {
	messages := map[dataexport.EventKind]string{
		dataexport.EventCreated: "export is ordered",
		dataexport.EventStarted: "export is begun",
		dataexport.EventDeleted: "export is deleted",
		dataexport.EventExpired: "export has expired, and its file is removed",
	}
	return dataexport.Hooks{Event: func(ctx context.Context, e dataexport.Event) {
		if message, found := messages[e.Kind]; found {
			log.LogAttrs(ctx, slog.LevelInfo, message, slog.String("job", e.Job.ID), slog.String("workspace", e.Job.Scope.WorkspaceID),
				slog.Int("attempt", e.Job.Attempts), slog.String("dataset", e.Job.Dataset), slog.String("format", e.Job.Format))
		}
	}}
}
