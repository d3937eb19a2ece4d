package dataexport

import "strings"

// maxBlobKey bounds keys so that one, with what a store adds to it, fits in a file name: 255 bytes on common file systems.
const maxBlobKey = 200

// ValidBlobKey reports whether a BlobStore must take the key: one or more segments joined by '/', each of ASCII letters,
// digits, '.', '_' and '-', none of them "." or "..", and at most 200 bytes in all. Such a key can be put into a path or a
// URL as it is. A BlobStore calls it first in each method that has a key and returns ErrInvalid if it is false.
func ValidBlobKey(key string) bool {
	if len(key) > maxBlobKey {
		return false
	}
	for segment := range strings.SplitSeq(key, "/") {
		if !validBlobSegment(segment) {
			return false
		}
	}
	return true
}

func validBlobSegment(segment string) bool {
	if segment == "" || segment == "." || segment == ".." {
		return false
	}
	for i := range len(segment) {
		if !blobKeyByte(segment[i]) {
			return false
		}
	}
	return true
}

func blobKeyByte(b byte) bool {
	return 'a' <= b && b <= 'z' || 'A' <= b && b <= 'Z' || '0' <= b && b <= '9' || b == '.' || b == '_' || b == '-'
}
