package dataexport

import (
	"context"
	"io"
	"iter"
	"time"
)

// A Blob is an open file for reading. It is used by one goroutine at a time. Where the storage allows it, what was opened
// can be read to its end even if it is deleted in the meantime.
type Blob interface {
	io.ReadSeekCloser
	Size() int64 // bytes
}

// An EncodedBlob is a Blob that is stored in a content coding, such as compressed, and is decoded while it is read: Size and
// Seek mean what it holds.
type EncodedBlob interface {
	Blob
	// Encoded returns the name of the coding in HTTP (RFC 9110, section 8.4.1), for example "gzip", and the blob as it is
	// stored, which is closed with the EncodedBlob. Only one of the two may be read.
	Encoded() (coding string, stored Blob)
}

// BlobInfo describes a stored blob.
type BlobInfo struct {
	Key     string
	Size    int64     // bytes
	ModTime time.Time // when it was committed; of an unfinished one, when it was written to last
	// Unfinished says that this is not a blob but what a Put under way, or one that was killed, has written so far.
	Unfinished bool
}

// A BlobStore keeps the files of exports. All methods are safe for concurrent use.
//
// A key is one or more segments joined by '/', each of letters, digits, '.', '_' and '-', and neither "." nor "..", at
// most 200 bytes in all. Any other key is an ErrInvalid. Files are personal data: no one but the process may read them.
//
// blobtest.Run checks an implementation against all of this.
type BlobStore interface {
	// Put stores what write writes, durably, in place of a blob that has the key already. Nobody sees a part of it: the
	// blob appears whole when write has returned nil and Put is about to. If write returns an error or ctx is done before
	// the commit, Put leaves nothing behind, keeps the blob that was there, and returns that error, or the cause of ctx.
	// Put calls write once. A panic in it passes through Put and leaves nothing behind either. A Delete of the key may make a Put that is
	// under way fail. The format says what the file is, for storage that keeps a content type.
	Put(ctx context.Context, key string, f Format, write func(io.Writer) error) error

	// Open opens a blob, or returns ErrNotFound.
	Open(ctx context.Context, key string) (Blob, error)

	// Delete removes a blob and what unfinished Puts of its key have left. It is no error if there is nothing.
	Delete(ctx context.Context, key string) error

	// List yields the blobs whose key begins with the prefix, which need not end at a '/', in ascending order of key, and
	// unfinished ones. What is put or deleted while it runs may be in it or not. An error is the last that it yields.
	List(ctx context.Context, prefix string) iter.Seq2[BlobInfo, error]
}

// An UnfinishedDeleter is a BlobStore that can remove what unfinished Puts of a key have left and keep its blob. A storage with
// uploads in several requests should be one: if the answer to the first request is lost, the upload is begun again, and one
// stays behind beside the blob.
type UnfinishedDeleter interface {
	// DeleteUnfinished removes what unfinished Puts of the key have left, as Delete does, and not the blob. A Put that is under way
	// may fail.
	DeleteUnfinished(ctx context.Context, key string) error
}

// SignedURLOptions say what a signed URL answers, and for how long.
type SignedURLOptions struct {
	Expiry time.Duration // more than 0
	// The headers of the answer, where the storage can be told them; else it says what it knows of the blob.
	ContentType        string
	ContentDisposition string
}

// A URLSigner is a BlobStore whose blobs can be downloaded from the storage itself.
type URLSigner interface {
	// SignURL returns a URL under which whoever has it can GET the blob with the key until Expiry has passed. It need not
	// look whether there is one. The URL is as secret as the blob: it is kept nowhere and belongs in no log. The error is
	// errors.ErrUnsupported where the storage cannot do it.
	SignURL(ctx context.Context, key string, o SignedURLOptions) (string, error)
}
