package httpadapter

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"time"

	"github.com/dataexport/dataexport"
)

// StreamOptions are what Stream can be told. Authenticate is required.
type StreamOptions struct {
	Options

	// MaxStreams is how many requests the handler answers at the same time; the next one gets 429. Each holds a view of the
	// database open and about 1 MiB of memory. The default is 8; a negative number sets no bound.
	MaxStreams int

	// WriteTimeout is how long a client may take to receive 32 KiB before it is cut off, since it holds the view open. It
	// takes the place of http.Server.WriteTimeout for these answers. The default is 30 s; a negative time sets no bound.
	WriteTimeout time.Duration
}

const (
	defaultMaxStreams   = 8
	defaultWriteTimeout = 30 * time.Second
)

// Stream makes a handler that answers GET with an export of a dataset in a format, at whatever path it is mounted: the
// archive of the account of the caller, for example at /api/v1/export. It needs export.read, and there are no parameters.
// HEAD opens the account too, so that it tells whether there is one, and closes it at once.
//
// The answer begins as soon as the account is read, which is when the first collection of the dataset is complete (see
// dataexport.StreamRequest). Until then an error is a problem document as New answers it: 404 ACCOUNT_NOT_FOUND if the
// dataset returns dataexport.ErrNotFound, 503 if it returns dataexport.ErrUnavailable. After that an error breaks the
// connection (HTTP/2: resets the stream), so that no client takes a part of an archive for the whole. The length is not
// known in advance. HTTP/1.0 cannot tell where such an answer ends, and gets 505; a proxy in front must speak HTTP/1.1 to
// the handler, which nginx may have to be told with proxy_http_version.
//
// A client that does not take what is sent is cut off, see StreamOptions.WriteTimeout. Middleware that wraps the
// http.ResponseWriter must have a method Unwrap for that (see http.ResponseController); without it a warning is logged.
//
// Middleware that recovers from panics must let http.ErrAbortHandler pass or have that method Unwrap: otherwise it would end
// a broken answer as if it were complete.
//
// Stream panics if the service does not have the dataset or the format, if the format cannot hold the dataset, or if the
// service or Authenticate is nil: that would fail for every request. Empty names stand for the defaults of the service.
func Stream(service *dataexport.Service, dataset, format string, o StreamOptions) http.Handler {
	if service == nil {
		panic("httpadapter: Stream needs a service; dataexport.New makes one")
	}
	anybody := dataexport.Scope{WorkspaceID: "anybody", Subject: "anybody"}
	if err := service.Validate(dataexport.CreateRequest{Scope: anybody, Dataset: dataset, Format: format}); err != nil {
		panic("httpadapter: Stream: " + err.Error())
	}
	h := &streamHandler{
		front: newFront(o.Options), service: service, dataset: dataset, format: format, timeout: o.WriteTimeout,
	}
	if o.MaxStreams == 0 {
		o.MaxStreams = defaultMaxStreams
	}
	if o.MaxStreams > 0 {
		h.places = make(chan struct{}, o.MaxStreams)
	}
	if h.timeout == 0 {
		h.timeout = defaultWriteTimeout
	}
	return h
}

type streamHandler struct {
	front           *front
	service         *dataexport.Service
	dataset, format string
	timeout         time.Duration // of a write; negative for none
	places          chan struct{} // holds a value for each stream under way; nil for no bound
}

func (h *streamHandler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	x := h.front.begin(w, r)
	if err := h.serve(x); err != nil {
		x.fail(err)
	}
}

// serve takes a request through the checks in their fixed order: protocol, method, credential, permission, parameters,
// room.
func (h *streamHandler) serve(x *exchange) error {
	if !x.r.ProtoAtLeast(1, 1) {
		return errHTTPVersion
	}
	if x.r.Method != http.MethodGet && x.r.Method != http.MethodHead {
		x.w.Header().Set("Allow", "GET, HEAD")
		return errMethodNotAllowed
	}
	scope, err := x.authorize(PermissionRead)
	if err != nil {
		return err
	}
	if err := parseQuery(x.r.URL.RawQuery).err(); err != nil {
		return err
	}
	if scope.Subject == "" && h.personal() {
		return explain(errForbidden, "The credential belongs to no person.")
	}
	leave, err := h.enter()
	if err != nil {
		return err
	}
	defer leave()
	return h.stream(x, scope)
}

// personal reports whether the dataset is of one person.
func (h *streamHandler) personal() bool {
	for i, info := range h.service.Datasets() {
		if info.Name == h.dataset || i == 0 && h.dataset == "" {
			return info.Personal
		}
	}
	return false
}

// enter takes a place until the function that it returns is called.
func (h *streamHandler) enter() (leave func(), err error) {
	if h.places == nil {
		return func() {}, nil
	}
	select {
	case h.places <- struct{}{}:
		return func() { <-h.places }, nil
	default:
		return nil, explain(dataexport.ErrTooManyExports, "As many exports as may be are being sent at the moment; try again later.")
	}
}

// errHeadOnly ends an export of which only the headers are asked for.
var errHeadOnly = errors.New("httpadapter: HEAD asks for no body")

// stream answers with the export. It returns an error only while nothing is sent.
func (h *streamHandler) stream(x *exchange, scope dataexport.Scope) error {
	w := newStreamWriter(x, h.timeout)
	_, err := h.service.Stream(x.r.Context(), dataexport.StreamRequest{
		Scope: scope, Dataset: h.dataset, Format: h.format,
		Begin: func(head dataexport.StreamHead) (io.Writer, error) {
			setContentHeaders(x.w.Header(), head.Format, head.Dataset, head.Time)
			if x.r.Method == http.MethodHead {
				return nil, errHeadOnly
			}
			return w, w.begin()
		},
	})
	switch {
	case errors.Is(err, errHeadOnly):
		x.w.WriteHeader(http.StatusOK)
		return nil
	case err == nil:
		err = w.end()
	case !w.begun:
		return beginningError(err)
	}
	if err == nil {
		return nil
	}
	h.logBreak(x, w, err)
	w.abort()
	return nil
}

// beginningError lets two kinds of errors of the dataset keep their meaning. The others are not wrapped: whatever they are,
// they say nothing of the request.
func beginningError(err error) error {
	switch {
	case errors.Is(err, dataexport.ErrNotFound):
		return errAccountNotFound
	case errors.Is(err, dataexport.ErrUnavailable):
		return fmt.Errorf("%w: beginning the export: %s", dataexport.ErrUnavailable, err.Error())
	}
	return fmt.Errorf("httpadapter: beginning the export: %s", err.Error())
}

func (h *streamHandler) logBreak(x *exchange, w *streamWriter, err error) {
	switch {
	case w.stalled():
		x.log(slog.LevelWarn, "the client did not take the export in time and was cut off", err)
	case w.err != nil, x.r.Context().Err() != nil:
		x.log(slog.LevelDebug, "the client did not take the whole export", err)
	default:
		x.log(slog.LevelError, "the export broke off", err)
	}
}
