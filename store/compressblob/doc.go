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
// it for the others. A file in zstd is decoded for everyone. Its frames are valid in HTTP, but not every client that says
// that it accepts zstd decodes more than one: Chromium loses its place where a frame ends together with its buffer, and
// decoders that were made for one frame (Node.js among them) drop the others. A download must not lose its end.
//
// A Store is no dataexport.URLSigner, even if the inner one is: the storage would hand out the compressed bytes and say
// nothing of it in Content-Encoding, which it knows nothing of, also to clients that do not accept the coding.
//
// # Changing the options
//
// A Store opens what any other wrote, whatever its options, and also what was stored before it was put in front of the
// inner store: a file that does not begin with this package's mark, of 16 bytes or more, is served as it is. So the option can be
// turned on over files that are there. It cannot be turned off without a Store that still reads them.
//
// # Memory
//
// A Put under way holds, for each worker and once more, a chunk and its compressed form, and an encoder for each worker; with
// the defaults and two workers that is 3 MiB, the compressed forms, and 2 MiB for the encoders in gzip. They are kept for
// the next Put until the garbage collector takes them. A Blob that has been read holds one chunk and its compressed form
// until it is closed, and its index, 12 bytes a chunk. No goroutine outlives a Put, and reading starts none.
package compressblob
