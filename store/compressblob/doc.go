// Package compressblob keeps the files of dataexport compressed, in any other store of files.
package compressblob
