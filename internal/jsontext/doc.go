// Package jsontext writes JSON (RFC 8259) by appending to a buffer: strings, lists of strings, and texts that exist
// already, which it validates and compacts in the same pass. What it writes is always valid UTF-8. Nothing here
// allocates, but for a buffer that must grow and for errors.
package jsontext
