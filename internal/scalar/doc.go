// Package scalar writes single values as text: times, floating-point numbers and UUIDs. Every function appends to a
// buffer and allocates only when the buffer must grow. All renderers write these values in the same way.
package scalar
