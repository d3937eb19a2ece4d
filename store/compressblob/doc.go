// Package compressblob keeps the files of dataexport compressed, in any other store of files.
//
// A file is cut into chunks of equal size, which several cores compress at the same time and each of which can be decoded
// without those before it. An index at the end of the file says where they are. So a Seek is cheap, as a Range request and
// http.ServeContent need it, and a checksum is verified before any byte of a chunk is handed out.
//
// # What is stored
//
// Either coding is one stream from its first byte to its last, which any decoder of the format reads: gzip -d, zstd -d, and
// the standard libraries.
//
// With Gzip that is one member (RFC 1952), not one for each chunk: of several, Chromium and Firefox take the first and drop
// the rest without a word, and curl fails. Each chunk ends at a byte boundary and refers to nothing before it, as after a
// full flush of zlib. The index is in the compressed data too, in blocks of no content (RFC 1951, section 3.2): digits in
// base 4, each as many empty blocks with the fixed codes, followed by an empty stored block. Compressors emit both kinds
// when they are flushed, so every decoder knows them. The index takes about 220 bytes for each chunk, and a file of a few
// bytes becomes one of about a kilobyte.
//
// With Zstd that is a frame for each chunk and, in skippable frames (RFC 8878, section 3.1.2), a mark and the seek table of
// zstd's seekable format.
//
// # What is sent
//
// A file in gzip is a dataexport.EncodedBlob: httpadapter sends it as it is stored to clients that accept gzip, and decodes
// it for the others. A file in zstd is decoded for everyone. Several frames are valid in HTTP, but not every client that
// says that it accepts zstd decodes them: Chromium drops what is left in its buffer where a frame ends in a call that
// yields nothing, and decoders made for one frame, such as that of Node.js, drop all others. A download must not lose its
// end.
//
// A Store is no dataexport.URLSigner, even if the inner one is: the storage would hand out the compressed bytes without a
// Content-Encoding, also to clients that do not accept the coding.
//
// # Changing the options
//
// A Store opens what any other has stored, whatever its options, and serves what was stored without one as it is. So it can
// be put in front of files that are there; to take it away again, wait until the last compressed file has expired. The first
// bytes of a file tell the two apart: a mark of more than 100 bytes in gzip and of 16 in zstd, which no file has by chance. A file
// that has the mark and no intact index is damaged, never served as it is.
//
// # Memory
//
// A Put under way holds, for each worker and once more, a chunk and its compressed form, and for each worker an encoder,
// which takes 1 MiB in gzip and 3 MiB in zstd at the default levels. With two workers that is 5 MiB and 9 MiB at most. All of
// it is kept for later Puts until the garbage collector takes it. A Blob that is read holds a chunk and its compressed form
// until it is closed, and an open one its index, 12 bytes for each chunk. No goroutine outlives a Put, and reading starts
// none.
package compressblob
