// Package examples holds programs that show dataexport at work.
package examples
