package fileblob

import "os"

// A Blob is an open blob. It is used by one goroutine at a time.
type Blob struct {
	file *os.File
	size int64
}

// Read reads from the blob.
func (b *Blob) Read(p []byte) (int, error) { return b.file.Read(p) }

// Seek sets where the next Read begins.
func (b *Blob) Seek(offset int64, whence int) (int64, error) { return b.file.Seek(offset, whence) }

// Close closes the blob.
func (b *Blob) Close() error { return b.file.Close() }

// Size returns the size of the blob in bytes.
func (b *Blob) Size() int64 { return b.size }

// File returns the file that the blob reads from, open for reading only. The blob still closes it.
//
// It is there for those who know what to do with an *os.File: net/http hands its content to the kernel (sendfile) if
// http.ServeContent is given the file itself. They ask for it by interface{ File() *os.File }, as other stores lack it.
func (b *Blob) File() *os.File { return b.file }
