//go:build linux

package chaos

import (
	"context"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"net/url"
	"sync"
	"testing"
	"time"
)

// uploadRate bounds each upload, in bytes a second, so that large exports take long enough to be hit.
const uploadRate = 5 << 19

// A bucketFault is what is wrong with the bucket.
type bucketFault string

const (
	bucketHealthy       bucketFault = ""
	bucketRefusesWrites bucketFault = "refuses writes"
	bucketRefusesAll    bucketFault = "refuses everything"
	bucketCutsRequests  bucketFault = "cuts connections in the middle of requests"
	bucketCutsAnswers   bucketFault = "cuts connections after the work, before or in the answer"
	bucketSilent        bucketFault = "is silent"
)

func bucketFaults() []bucketFault {
	return []bucketFault{bucketRefusesWrites, bucketRefusesAll, bucketCutsRequests, bucketCutsAnswers, bucketSilent}
}

// A bucketProxy stands before an S3 server and disturbs requests.
type bucketProxy struct {
	url       string
	target    *url.URL
	transport *http.Transport
	valve     *valve

	mu     sync.Mutex
	random *rand.Rand
	fault  bucketFault
}

func startBucketProxy(t *testing.T, target string, random *rand.Rand) *bucketProxy {
	t.Helper()
	parsed, err := url.Parse(target)
	if err != nil {
		t.Fatal(err)
	}
	p := &bucketProxy{
		target: parsed, valve: newValve(), random: random,
		transport: &http.Transport{MaxIdleConnsPerHost: 50, DisableCompression: true, ExpectContinueTimeout: 5 * time.Second},
	}
	server := httptest.NewServer(p)
	p.url = server.URL
	t.Cleanup(func() {
		p.set(bucketHealthy)
		server.CloseClientConnections()
		server.Close()
		p.transport.CloseIdleConnections()
	})
	return p
}

// set makes the bucket have a fault, or none.
func (p *bucketProxy) set(fault bucketFault) {
	p.mu.Lock()
	p.fault = fault
	p.mu.Unlock()
	if fault == bucketSilent {
		p.valve.shut()
	} else {
		p.valve.open()
	}
}

// hit returns the fault that a request meets. Those that cut meet every second one.
func (p *bucketProxy) hit() (fault bucketFault) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if (p.fault == bucketCutsRequests || p.fault == bucketCutsAnswers) && p.random.IntN(2) == 0 {
		return bucketHealthy
	}
	return p.fault
}

func (p *bucketProxy) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	fault := p.hit()
	reads := r.Method == http.MethodGet || r.Method == http.MethodHead
	switch {
	case fault == bucketRefusesAll, fault == bucketRefusesWrites && !reads:
		w.Header().Set("Content-Type", "application/xml")
		w.WriteHeader(http.StatusServiceUnavailable)
		_, _ = io.WriteString(w, `<?xml version="1.0" encoding="UTF-8"?><Error><Code>ServiceUnavailable</Code><Message>No.</Message></Error>`)
		return
	case fault == bucketCutsRequests:
		_, _ = io.CopyN(io.Discard, r.Body, r.ContentLength/2)
		panic(http.ErrAbortHandler)
	case !p.valve.pass(r.Context().Done()):
		panic(http.ErrAbortHandler)
	}
	p.forward(w, r, fault == bucketCutsAnswers)
}

// forward passes a request on, and the answer, or half of it.
func (p *bucketProxy) forward(w http.ResponseWriter, r *http.Request, cut bool) {
	out := r.Clone(r.Context())
	if cut {
		out = r.Clone(context.WithoutCancel(r.Context()))
	}
	out.RequestURI = ""
	out.URL.Scheme, out.URL.Host = p.target.Scheme, p.target.Host // the header Host stays: it is signed
	if r.ContentLength != 0 {
		out.Body = io.NopCloser(&slowReader{r.Body, r.Context()})
	} else {
		out.Body = nil
	}
	answer, err := p.transport.RoundTrip(out)
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	defer answer.Body.Close()
	if cut && r.Method != http.MethodGet {
		_, _ = io.Copy(io.Discard, answer.Body)
		panic(http.ErrAbortHandler)
	}
	for name, values := range answer.Header {
		w.Header()[name] = values
	}
	w.WriteHeader(answer.StatusCode)
	if cut {
		_, _ = io.CopyN(w, answer.Body, answer.ContentLength/2)
		panic(http.ErrAbortHandler)
	}
	if _, err := io.Copy(w, answer.Body); err != nil {
		panic(http.ErrAbortHandler)
	}
}

// A slowReader reads at uploadRate.
type slowReader struct {
	io.Reader
	ctx context.Context //nolint:containedctx // that of the request, which it does not outlive
}

func (r *slowReader) Read(b []byte) (int, error) {
	n, err := r.Reader.Read(b[:min(len(b), 64<<10)])
	if n > 8<<10 {
		if pauseErr := pause(r.ctx, time.Duration(n)*time.Second/uploadRate); pauseErr != nil {
			return n, pauseErr
		}
	}
	return n, err
}
