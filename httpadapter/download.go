package httpadapter

import (
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/dataexport/dataexport"
)

// download sends the file of a job.
func (h *handler) download(c *call) (err error) {
	if err := parseQuery(c.r.URL.RawQuery).err(); err != nil {
		return err
	}
	id, err := jobID(c.id)
	if err != nil {
		return err
	}
	c.about = append(c.about, slog.String("job", id))
	if redirected, err := h.redirect(c, id); redirected || err != nil {
		return err
	}
	file, err := h.service.Open(c.r.Context(), c.scope, id)
	if err != nil {
		return err
	}
	blob := &guardedBlob{blob: file.Blob}
	defer func() {
		if err := blob.Close(); err != nil {
			c.log(slog.LevelWarn, "closing the file", err)
		}
	}()
	// Both are cheap to see and would make ETag and Repr-Digest a lie.
	if file.Size() != file.Job.FileSize {
		return fmt.Errorf("httpadapter: the file of job %s has %d bytes, and the job says %d", id, file.Size(), file.Job.FileSize)
	}
	digest, err := hex.DecodeString(file.Job.SHA256)
	if err != nil {
		return fmt.Errorf("httpadapter: the SHA-256 of job %s: %w", id, err)
	}
	c.setFileHeaders(file, blob, digest)
	return c.sendFile(file, blob)
}

// setFileHeaders sets the headers that describe the file, in the coding that it is sent in. What else depends on the request
// is left to http.ServeContent.
func (c *call) setFileHeaders(file *dataexport.File, blob *guardedBlob, digest []byte) {
	h := c.w.Header()
	setContentHeaders(h, file.Format, file.Job.Dataset, file.Job.CreatedAt)
	coding := c.chooseCoding(blob)
	if coding == "" {
		h.Set("ETag", `"`+file.Job.SHA256+`"`)
		h.Set("Repr-Digest", "sha-256=:"+base64.StdEncoding.EncodeToString(digest)+":") // RFC 9530, of the whole file also in a part of it
	} else {
		// Another representation: with an ETag and ranges of its own, and a digest that is not known.
		h.Set("ETag", `"`+file.Job.SHA256+"-"+coding+`"`)
		h.Set("Content-Encoding", coding)
		h.Set("Content-Length", strconv.FormatInt(blob.size(), 10)) // http.ServeContent does not beside a Content-Encoding
	}
}

// chooseCoding decides in which coding the blob is sent, and returns its name, or "" for none.
func (c *call) chooseCoding(blob *guardedBlob) string {
	encoded, ok := blob.blob.(dataexport.EncodedBlob)
	if !ok {
		return ""
	}
	c.w.Header().Set("Vary", "Accept-Encoding")
	coding, stored := encoded.Encoded()
	if !acceptsCoding(c.r.Header.Values("Accept-Encoding"), coding) {
		return ""
	}
	blob.stored = stored
	return coding
}

// setContentHeaders sets the headers that say what an export is and how it is to be called.
func setContentHeaders(h http.Header, format dataexport.Format, dataset string, ordered time.Time) {
	h.Set("Content-Type", contentType(format))
	h.Set("Content-Disposition", contentDisposition(format, dataset, ordered))
}

func contentType(format dataexport.Format) string {
	if strings.HasPrefix(format.MediaType, "text/") {
		return format.MediaType + "; charset=utf-8"
	}
	return format.MediaType
}

func contentDisposition(format dataexport.Format, dataset string, ordered time.Time) string {
	return `attachment; filename="` + fileName(format, dataset, ordered) + `"`
}

// fileName names a download after what is in it and when it was ordered. Datasets and extensions that would have to be
// escaped (RFC 6266, section 4.1) are refused by dataexport.New, or changed here.
func fileName(format dataexport.Format, dataset string, ordered time.Time) string {
	name := dataset + "-" + ordered.UTC().Format("20060102-150405") + "." + format.Extension
	return strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z', r >= 'A' && r <= 'Z', r >= '0' && r <= '9', r == '-', r == '_', r == '.':
			return r
		}
		return '_'
	}, name)
}

// sendFile answers with the file, or with the part of it that was asked for.
func (c *call) sendFile(file *dataexport.File, blob *guardedBlob) error {
	if asksForNothing(c.r) {
		// http.ServeContent would answer 206 with a Content-Range that ends before it begins.
		dropFileHeaders(c.w.Header(), http.StatusRequestedRangeNotSatisfiable)
		c.w.Header().Set("Content-Range", fmt.Sprintf("bytes */%d", blob.size()))
		return errRange
	}
	w := &fileWriter{ResponseWriter: c.w}
	http.ServeContent(w, withoutForeignRange(c.r), "", file.Job.CompletedAt, blob.content())
	if w.refused != 0 {
		dropFileHeaders(c.w.Header(), w.refused)
		return w.refusal(blob.fault())
	}
	if c.r.Method == http.MethodHead || w.written >= w.promised {
		return nil
	}
	if w.clientFault() {
		// Less was sent than promised, so net/http closes the connection.
		c.log(slog.LevelDebug, "the client did not take the whole file", w.err)
		return nil
	}
	cause := errors.Join(blob.fault(), w.err)
	if cause == nil {
		cause = io.ErrUnexpectedEOF
	}
	level := slog.LevelError
	if c.r.Context().Err() != nil {
		level = slog.LevelDebug // nobody is there to miss the rest
	}
	c.log(level, "the file broke off", cause)
	// The status is sent. Breaking the connection is the one way left to say that this is not the whole file.
	panic(http.ErrAbortHandler)
}

// asksForNothing reports whether the one range that is asked for is the last 0 bytes, which no file has (RFC 9110, section
// 14.1.2). A condition in If-Range is not looked at: whatever it says, the request makes no sense.
func asksForNothing(r *http.Request) bool {
	last, found := strings.CutPrefix(r.Header.Get("Range"), "bytes=-")
	return found && r.Method == http.MethodGet && last != "" && strings.Trim(last, "0") == ""
}

// withoutForeignRange returns the request without a Range header that must be ignored (RFC 9110, section 14.2): of a
// method other than GET, or in a unit that is not bytes. http.ServeContent would obey or refuse it.
func withoutForeignRange(r *http.Request) *http.Request {
	asked := r.Header.Get("Range")
	if asked == "" || r.Method == http.MethodGet && strings.HasPrefix(asked, "bytes=") {
		return r
	}
	r = r.Clone(r.Context())
	r.Header.Del("Range")
	return r
}

// dropFileHeaders removes what describes the file from an answer that is not the file.
func dropFileHeaders(h http.Header, status int) {
	for _, name := range []string{"Content-Disposition", "Content-Encoding", "Content-Length", "ETag", "Last-Modified", "Repr-Digest"} {
		h.Del(name)
	}
	if status != http.StatusRequestedRangeNotSatisfiable {
		h.Del("Content-Range") // which says there how long the file is
	}
	h.Set("Cache-Control", "private, no-store") // http.ServeContent takes it away from errors
}
