package httpadapter

import (
	"log/slog"
	"net/http"
	"time"

	"github.com/dataexport/dataexport"
)

// Options say how requests are authenticated and what is logged where. Authenticate is required.
type Options struct {
	// Authenticate says who is asking. It returns ErrUnauthorized for a credential that is missing or wrong, and
	// dataexport.ErrUnavailable when it cannot tell at the moment; any other error is answered with 500. No error lets
	// the request through. It is called by several goroutines at once. APIKeys makes one.
	Authenticate func(*http.Request) (Principal, error)

	// Challenge is the WWW-Authenticate header of a 401 (RFC 9110, section 11.6.1). The default is "ApiKey".
	Challenge string

	// RequestID returns the id under which the host logs the request. An id that is empty, longer than 128 bytes or has
	// anything but letters, digits and "-_.:/+=@" in it is not used. The id is then that of the X-Request-Id header, under
	// the same rule, or else a new UUID.
	RequestID func(*http.Request) string

	// SignedDownloads, if more than 0, has files downloaded from the storage itself: a GET of a download is answered with
	// 307 and a URL that the storage has signed, made for this one request and good for that long, or until the export
	// expires. Where the storage cannot sign, the file is sent as ever. Whoever has the URL can download, and deleting the
	// export takes the file away but not the URL. Clients that follow redirects must not repeat the credential to the
	// storage: they drop the Authorization header by themselves, but headers of other names, such as X-Api-Key, only if told.
	SignedDownloads time.Duration

	// Logger gets the causes of internal errors. The default is slog.Default().
	Logger *slog.Logger
}

// New makes the handler of a service, safe for concurrent use. It panics if the service or Authenticate is nil, as
// http.Handle does for a nil handler: a program that would let everybody in must not start.
func New(service *dataexport.Service, o Options) http.Handler {
	if service == nil {
		panic("httpadapter: New needs a service; dataexport.New makes one")
	}
	return &handler{service: service, front: newFront(o), signedDownloads: o.SignedDownloads}
}

// A handler serves the exports of one service.
type handler struct {
	service         *dataexport.Service
	front           *front
	signedDownloads time.Duration // 0 for none
}

func (h *handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	x := h.front.begin(w, r)
	if err := h.serve(x); err != nil {
		x.fail(err)
	}
}

// serve takes a request through the checks in their fixed order: path, method, credential, permission. What follows,
// parameters and then the service, is the endpoint's.
func (h *handler) serve(x *exchange) error {
	methods, id, found := route(x.r.URL)
	if !found {
		return errNoSuchPath
	}
	endpoint, found := methods[x.r.Method]
	if !found {
		x.w.Header().Set("Allow", methods.allow())
		return errMethodNotAllowed
	}
	scope, err := x.authorize(endpoint.permission)
	if err != nil {
		return err
	}
	return endpoint.serve(h, &call{exchange: x, scope: scope, id: id})
}

// A call is a request to one endpoint by somebody who may make it.
type call struct {
	*exchange
	scope dataexport.Scope
	id    string // of the job in the path, as it was written there, or empty
}
