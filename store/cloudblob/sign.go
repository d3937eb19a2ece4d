package cloudblob

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"gocloud.dev/blob"
	"gocloud.dev/gcerrors"

	"github.com/dataexport/dataexport"
)

// MaxExpiry is the longest that a signed URL may be good for: S3 and Google Cloud Storage accept no more. One that is
// signed with temporary credentials ends with them if that is earlier.
const MaxExpiry = 7 * 24 * time.Hour

// SignURL returns a URL as dataexport.URLSigner says. It sends nothing. An Expiry that is not positive or more than MaxExpiry is a
// dataexport.ErrInvalid. The error is errors.ErrUnsupported where the driver cannot sign, or lacks a key for it.
func (s *Store) SignURL(ctx context.Context, key string, o dataexport.SignedURLOptions) (string, error) {
	if err := check(ctx, key); err != nil {
		return "", err
	}
	if o.Expiry <= 0 || o.Expiry > MaxExpiry {
		return "", fmt.Errorf("cloudblob: %w: a signed URL is to be good for %s; it must be more than 0 and at most %s", dataexport.ErrInvalid, o.Expiry, MaxExpiry)
	}
	signed, err := s.bucket.SignedURL(ctx, key, &blob.SignedURLOptions{
		Method:     http.MethodGet,
		Expiry:     o.Expiry,
		BeforeSign: func(as func(any) bool) error { return s.beforeSign(as, o) },
	})
	switch {
	case err != nil && gcerrors.Code(err) == gcerrors.Unimplemented:
		return "", fmt.Errorf("cloudblob: sign a URL for %q: %w: %w", key, errors.ErrUnsupported, err)
	case err != nil:
		return "", fail(ctx, "sign a URL for", key, err)
	}
	return signed, nil
}

func (s *Store) beforeSign(as func(any) bool, o dataexport.SignedURLOptions) error {
	if s.options.Storage != nil {
		if err := s.options.Storage.BeforeSign(as, o); err != nil {
			return err
		}
	}
	if s.options.BeforeSign != nil {
		return s.options.BeforeSign(as, o)
	}
	return nil
}
