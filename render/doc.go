// Package render writes exports as JSON, CSV, Markdown and zip files of several tables, and reads the CSV ones back.
//
// JSON and CSV are for machines and lose nothing: every value can be read back, null apart from an empty text and an
// empty list. Markdown is for people. All of them write UTF-8, and put U+FFFD in place of each byte of a text that is not
// part of valid UTF-8. Times are RFC 3339 in UTC with at least three digits of the fraction, more only if a time has them.
package render
