package s3storage

import (
	"context"
	"errors"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/feature/s3/transfermanager"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"github.com/dataexport/dataexport"
)

// errAborted says that an upload was ended by someone else.
var errAborted = errors.New("its upload was aborted, as by a Delete of the key; put it again if it is still wanted")

// An upload is an object that is being written. What fits into one part is sent as one request at the end. Of what does not,
// each part is sent once the next one begins, and one part is all that is held.
type upload struct {
	ctx     context.Context
	storage *Storage
	input   *transfermanager.UploadObjectInput // what the driver would send

	buffer buffer
	id     string // of the multipart upload, once there is one
	parts  []types.CompletedPart
	ended  bool // completed or aborted
}

// Write collects bytes and sends a part when another begins.
func (u *upload) Write(p []byte) (written int, err error) {
	for len(p) > 0 {
		if u.buffer.size == u.storage.partSize {
			if err := u.sendPart(); err != nil {
				return written, err
			}
		}
		n := min(len(p), u.storage.partSize-u.buffer.size)
		u.buffer.write(p[:n])
		p = p[n:]
		written += n
	}
	return written, nil
}

// sendPart sends what was collected as the next part. The SDK tries again by itself if it fails for a passing reason.
func (u *upload) sendPart() error {
	if len(u.parts) == u.storage.maxParts {
		return fmt.Errorf("%w: the file has more than %d parts of %d bytes; set s3storage.Options.PartSize to more",
			dataexport.ErrLimitExceeded, u.storage.maxParts, u.storage.partSize)
	}
	if u.id == "" {
		if err := u.create(); err != nil {
			return err
		}
	}
	number := aws.Int32(int32(len(u.parts) + 1))
	out, err := u.storage.client.UploadPart(u.ctx, &s3.UploadPartInput{
		Bucket: u.input.Bucket, Key: u.input.Key, UploadId: aws.String(u.id), PartNumber: number,
		Body: u.buffer.reader(), ChecksumAlgorithm: u.checksum(),
	})
	if err != nil {
		return explain(err)
	}
	u.parts = append(u.parts, types.CompletedPart{
		PartNumber: number, ETag: out.ETag, ChecksumCRC32: out.ChecksumCRC32,
	})
	u.buffer.reset()
	return nil
}

// create begins the multipart upload. It does not end with the context, but soon: if it was begun, its id must be known.
func (u *upload) create() error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(u.ctx), cleanupTimeout)
	defer cancel()
	in := u.input
	out, err := u.storage.client.CreateMultipartUpload(ctx, &s3.CreateMultipartUploadInput{
		Bucket: in.Bucket, Key: in.Key, Metadata: in.Metadata, ChecksumAlgorithm: u.checksum(),
		ContentType: in.ContentType, ContentDisposition: in.ContentDisposition, CacheControl: in.CacheControl,
		ServerSideEncryption: types.ServerSideEncryption(in.ServerSideEncryption), SSEKMSKeyId: in.SSEKMSKeyID,
	})
	if err != nil {
		return err
	}
	u.id = aws.ToString(out.UploadId)
	return nil
}

// checksum returns what the storage is to verify, unless the client of the host is told not to use what it need not.
func (u *upload) checksum() types.ChecksumAlgorithm {
	if u.storage.client.Options().RequestChecksumCalculation == aws.RequestChecksumCalculationWhenRequired {
		return ""
	}
	return types.ChecksumAlgorithmCrc32
}

// Commit makes the object.
func (u *upload) Commit() error {
	if u.id == "" {
		return u.put()
	}
	if err := u.sendPart(); err != nil {
		return err
	}
	_, err := u.storage.client.CompleteMultipartUpload(u.ctx, &s3.CompleteMultipartUploadInput{
		Bucket: u.input.Bucket, Key: u.input.Key, UploadId: aws.String(u.id),
		MultipartUpload: &types.CompletedMultipartUpload{Parts: u.parts},
	})
	if err != nil {
		return explain(err)
	}
	u.end()
	return nil
}

// put sends the whole object at once.
func (u *upload) put() error {
	in := u.input
	_, err := u.storage.client.PutObject(u.ctx, &s3.PutObjectInput{
		Bucket: in.Bucket, Key: in.Key, Metadata: in.Metadata, ChecksumAlgorithm: u.checksum(),
		ContentType: in.ContentType, ContentDisposition: in.ContentDisposition, CacheControl: in.CacheControl,
		ServerSideEncryption: types.ServerSideEncryption(in.ServerSideEncryption), SSEKMSKeyId: in.SSEKMSKeyID,
		Body: u.buffer.reader(),
	})
	if err != nil {
		return err
	}
	u.end()
	return nil
}

// Abort removes the parts that were sent, also when the context is done.
func (u *upload) Abort() error {
	if u.ended {
		return nil
	}
	u.end()
	if u.id == "" {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(u.ctx), cleanupTimeout)
	defer cancel()
	return u.storage.abort(ctx, aws.ToString(u.input.Key), u.id)
}

func (u *upload) end() {
	u.ended = true
	u.buffer = buffer{}
}

func explain(err error) error {
	if noSuchUpload(err) {
		return fmt.Errorf("%w: %w", errAborted, err)
	}
	return err
}
