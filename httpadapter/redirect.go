package httpadapter

import (
	"errors"
	"net/http"

	"github.com/dataexport/dataexport"
)

// redirect sends a client that wants to download to a signed URL of the storage, if that is asked for and possible, and
// reports whether it has. A HEAD is answered here: a signed URL is good for one method.
func (h *handler) redirect(c *call, id string) (done bool, err error) {
	if h.signedDownloads <= 0 || c.r.Method != http.MethodGet {
		return false, nil
	}
	url, err := h.service.SignURL(c.r.Context(), c.scope, id, func(job dataexport.Job, format dataexport.Format) dataexport.SignedURLOptions {
		return dataexport.SignedURLOptions{
			Expiry:             h.signedDownloads,
			ContentType:        contentType(format),
			ContentDisposition: contentDisposition(format, job.Dataset, job.CreatedAt),
		}
	})
	switch {
	case errors.Is(err, errors.ErrUnsupported):
		return false, nil
	case err != nil:
		return false, err
	}
	c.w.Header().Set("Location", url)
	c.w.Header().Set("Referrer-Policy", "no-referrer") // the URL is as secret as the file
	c.w.WriteHeader(http.StatusTemporaryRedirect)
	return true, nil
}
