// Package cloudblob keeps the files of exports in an object storage: Amazon S3 and what speaks its protocol, Google Cloud
// Storage, Azure Blob Storage, or any other for which gocloud.dev/blob has a driver. Many machines can share it.
//
//	bucket, err := blob.OpenBucket(ctx, "s3://exports?region=eu-central-1&prefix=dataexport/")
//	storage, err := s3storage.New(bucket, s3storage.Options{})
//	store := cloudblob.New(bucket, cloudblob.Options{Storage: storage})
//
// The object of a blob has the key of the blob as its name. A bucket that others use too needs a prefix, as above or by
// blob.PrefixedBucket: objects whose names are no keys are passed over, but one whose name is a key is taken for a blob.
// The bucket must not be public, and it should encrypt what it keeps.
//
// # What a process that is killed leaves behind
//
// An object appears when it is whole, never before. What was sent of one that did not get so far is another matter:
//
//   - S3 keeps the parts of a multipart upload, and charges for them, until it is completed or aborted. With the package
//     s3storage as Options.Storage, every Put that fails aborts its upload, List shows the uploads that nobody has ended,
//     and Delete aborts them, so that dataexport.Runner.SweepOrphans clears up after processes that were killed. Without
//     it nobody does: then the bucket needs a lifecycle rule with AbortIncompleteMultipartUpload. Such a rule does no
//     harm in any case.
//   - Google Cloud Storage drops a resumable upload that was not completed within a week.
//   - Azure drops the blocks of a blob that was never committed a week after the last one came.
//
// # Memory
//
// A Put holds one part, 11 MiB by default, with s3storage. The drivers of gocloud.dev hold more: that of S3 up to 16 MiB and
// two parts. Measured with 1 GiB: the whole process took 41 MiB with s3storage and 88 MiB with the driver alone, of which 22
// are what it takes to send nothing.
//
// # Integrity
//
// The S3 client sends a checksum with every request that carries data, CRC-32 by default, and the storage refuses what does
// not match. The clients of Google and Azure rely on TLS for what streams; dataexport itself records the SHA-256 of the
// file, which whoever downloads it can check.
//
// # Rights
//
// On S3 the store needs s3:GetObject, s3:PutObject, s3:DeleteObject, s3:AbortMultipartUpload on the objects, and
// s3:ListBucket and s3:ListBucketMultipartUploads on the bucket. Without s3:ListBucket the storage answers that what is
// missing is forbidden, so that a missing blob is no dataexport.ErrNotFound. Where something that speaks the protocol of S3
// cannot list multipart uploads, leave Options.Storage out.
package cloudblob
