// Package otel tells OpenTelemetry what dataexport does: metrics of its jobs, and a span for each of them.
package otel
