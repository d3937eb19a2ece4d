package cloudblob

import (
	"context"

	"gocloud.dev/blob"
)

// newUpload begins an upload through the storage, or through the driver of gocloud.dev if there is none.
func (s *Store) newUpload(ctx context.Context, cancel context.CancelFunc, key string, o *blob.WriterOptions) (Upload, error) {
	if s.options.Storage != nil {
		return s.options.Storage.NewUpload(ctx, key, o)
	}
	w, err := s.bucket.NewWriter(ctx, key, o)
	if err != nil {
		return nil, err
	}
	return &driverUpload{Writer: w, cancel: cancel}, nil
}

// A driverUpload is an upload through a driver of gocloud.dev. The end of its context is what keeps Close from making an
// object of what was written so far.
type driverUpload struct {
	*blob.Writer
	cancel context.CancelFunc
	closed bool
}

func (u *driverUpload) Commit() error {
	u.closed = true
	return u.Close()
}

func (u *driverUpload) Abort() error {
	u.cancel()
	if u.closed {
		return nil
	}
	u.closed = true
	_ = u.Close() // it fails, since the context is done
	return nil
}
