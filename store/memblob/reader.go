package memblob

import "bytes"

// A reader is an open blob. Its Reader gives it Read, Seek and Size.
type reader struct {
	*bytes.Reader
}

// Close has nothing to free.
func (r *reader) Close() error { return nil }
