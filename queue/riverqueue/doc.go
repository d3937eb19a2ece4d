// Package riverqueue has the jobs of dataexport done by River (github.com/riverqueue/river).
package riverqueue
