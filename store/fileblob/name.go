package fileblob

import (
	"crypto/rand"
	"strings"
)

// What follows the key in the name of a file. Keys have no '+'.
const (
	blobSuffix = "+blob"
	partSuffix = "+part-"
)

// A fileKind says what a name in a directory of the store stands for.
type fileKind int

const (
	blobFile  fileKind = iota // a blob
	partFile                  // what an unfinished Put has written
	otherFile                 // a directory of the store, or nothing of ours
)

// blobName returns the path of a blob.
func blobName(key string) string { return key + blobSuffix }

// newPartName returns a path for an unfinished blob that no other Put has. It is in the directory of the blob, so that it
// can be renamed to it. It is at most 232 bytes long.
func newPartName(key string) string { return key + partSuffix + rand.Text() }

// parseName returns the last segment of the key that a file belongs to, and what the file is.
func parseName(name string) (segment string, kind fileKind) {
	if segment, ok := strings.CutSuffix(name, blobSuffix); ok {
		return segment, blobFile
	}
	if segment, _, ok := strings.Cut(name, partSuffix); ok {
		return segment, partFile
	}
	return name, otherFile
}

// joinKey returns the key of a segment in a directory of the store, which is "." for the first.
func joinKey(dir, segment string) string {
	if dir == "." {
		return segment
	}
	return dir + "/" + segment
}
