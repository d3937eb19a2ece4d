//go:build linux

package chaos

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"sync"
	"time"
)

// How long a customer waits for an answer before asking another server, and for a file.
const (
	patience         = 4 * time.Second
	downloadPatience = 20 * time.Second
)

// A wish for the end of an order: what its customer does after it was taken.
type intention int

const (
	download      intention = iota // wait for the file and download it
	forget                         // go away
	deleteAtOnce                   // delete it in whatever state
	deleteRunning                  // delete it once it is being worked on
	deleteReady                    // download the file, and delete it
	intentions
)

// An order is one idempotency key, and what its customer knows of it. It is used by one goroutine at a time.
type order struct {
	key       string
	customer  string // an API key
	query     string
	format    string
	wish      int  // of wishes, unless account
	account   bool // it is for the account of the owner
	intention intention
	twice     bool // it is sent to two servers at the same time

	id string // once an answer has come
	// doubtful says that an order was sent whose answer has not come, so that it may be carried out at any time, even when
	// everybody has forgotten it: by a server that was paused, or by a database that the network brings it late. Then the job
	// is not deleted, for its key would be free again.
	doubtful bool
	deleted  bool // somebody has got the answer that it is
}

func (o *order) String() string {
	return fmt.Sprintf("%s (%s by %s) %s", o.key, o.query, o.customer, o.id)
}

// orders are all that were made up, sent or not.
type orders struct {
	mu  sync.Mutex
	all []*order
}

func (s *orders) add(o *order) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.all = append(s.all, o)
}

func (s *orders) count() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.all)
}

// next makes up an order, which follows from the seed and its number alone.
func (w *world) next() (*order, *rand.Rand) {
	w.orders.mu.Lock()
	defer w.orders.mu.Unlock()
	key := fmt.Sprint("order-", len(w.orders.all))
	random := w.random(key)
	o := &order{key: key, intention: intention(random.IntN(int(intentions))), twice: random.IntN(5) == 0}
	if random.IntN(20) == 0 {
		o.account, o.customer, o.format = true, owner, []string{"json", "zip"}[random.IntN(2)]
		o.query = "dataset=account&format=" + o.format
	} else {
		o.customer, o.wish, o.format = anyWorkspace(random), random.IntN(len(wishes)), formats[random.IntN(len(formats))]
		o.query = "format=" + o.format + wishes[o.wish].query
	}
	if o.intention != download && random.IntN(2) == 0 { // most files are to stay
		o.intention = download
	}
	w.orders.all = append(w.orders.all, o)
	return o, random
}

func anyWorkspace(random *rand.Rand) string {
	total := 0
	for _, w := range workspaces {
		total += w.weight
	}
	n := random.IntN(total)
	for _, w := range workspaces {
		if n -= w.weight; n < 0 {
			return w.name
		}
	}
	panic("there are no workspaces")
}

// shop makes orders, one after the other, until ctx is done, and goes on until the last has its answers.
func (w *world) shop(ctx context.Context) {
	for ctx.Err() == nil && !w.t.Failed() {
		o, _ := w.next()
		w.serve(ctx, o)
		_ = pause(ctx, 50*time.Millisecond)
	}
}

// serve does with an order what its customer intends.
func (w *world) serve(ctx context.Context, o *order) {
	w.placeAll(o)
	switch o.intention {
	case forget:
	case deleteAtOnce:
		w.delete(o)
	case deleteRunning:
		w.await(ctx, o, func(status string) bool { return status != "PENDING" })
		w.delete(o)
	case deleteReady, download:
		w.await(ctx, o, func(status string) bool { return status != "PENDING" && status != "PROCESSING" })
		w.tryDownload(ctx, o)
		if o.intention == deleteReady {
			w.delete(o)
		}
	}
}

// await looks at a job until a function is content with its status, or there is no time any more.
func (w *world) await(ctx context.Context, o *order, content func(status string) bool) {
	for ctx.Err() == nil && !content(w.look(o).Status) {
		_ = pause(ctx, 700*time.Millisecond)
	}
}

// placeAll sends an order, maybe to two servers at once, which must make one job of it.
func (w *world) placeAll(o *order) {
	if !o.twice {
		w.place(o)
		return
	}
	other := *o
	var placing sync.WaitGroup
	placing.Go(func() { w.place(&other) })
	w.place(o)
	placing.Wait()
	o.doubtful = o.doubtful || other.doubtful
	if o.id != other.id {
		w.blame(o.id, "%s was ordered twice and has two jobs, the other %s", o, other.id)
		w.blame(other.id, "this is the other")
	}
}

// A document is what the API tells of a job, as far as this test cares.
type document struct {
	ID     string `json:"id"`
	Status string `json:"status"`
	SHA256 string `json:"sha256"`
}

// place sends an order until it has an answer.
func (w *world) place(o *order) {
	w.untilAnswered(func(address string) bool {
		status, body, err := w.call(http.MethodPost, address+"/v1/exports?"+o.query, o.customer, o.key)
		switch {
		case err != nil || status == http.StatusServiceUnavailable:
			o.doubtful = true
			return false
		case status == http.StatusTooManyRequests:
			return false
		}
		var answer document
		if status != http.StatusAccepted || json.Unmarshal(body, &answer) != nil {
			w.t.Errorf("%s: an order got the answer %d %s", o, status, body)
			return true
		}
		o.id = answer.ID
		return true
	})
}

// look asks for a job. The status is GONE if there is none, which is a fault here.
func (w *world) look(o *order) (answer document) {
	w.untilAnswered(func(address string) bool {
		status, body, err := w.call(http.MethodGet, address+"/v1/exports/"+o.id, o.customer, "")
		switch {
		case err != nil || status == http.StatusServiceUnavailable:
			return false
		case status != http.StatusOK || json.Unmarshal(body, &answer) != nil:
			w.blame(o.id, "%s: looking at it got the answer %d %s", o, status, body)
			answer = document{Status: "GONE"}
		}
		return true
	})
	return answer
}

// delete deletes a job until that has an answer, and then looks whether all servers know of it.
func (w *world) delete(o *order) {
	if o.doubtful || o.id == "" {
		return
	}
	again := false
	w.untilAnswered(func(address string) bool {
		status, body, err := w.call(http.MethodDelete, address+"/v1/exports/"+o.id, o.customer, "")
		switch {
		case err != nil || status == http.StatusServiceUnavailable:
			again = true
			return false
		case status == http.StatusNoContent, status == http.StatusNotFound && again:
			o.deleted = true
		default:
			w.blame(o.id, "%s: deleting it got the answer %d %s", o, status, body)
		}
		return true
	})
	w.checkDeleted(o)
}

// checkDeleted asks every server that answers for a job and its file that somebody has deleted.
func (w *world) checkDeleted(o *order) {
	for _, m := range w.members {
		for _, path := range []string{"", "/download"} {
			address := m.address()
			if address == "" {
				continue
			}
			status, body, err := w.call(http.MethodGet, address+"/v1/exports/"+o.id+path, o.customer, "")
			if err == nil && status != http.StatusNotFound && status != http.StatusServiceUnavailable {
				w.blame(o.id, "%s was deleted, and %s answers for %q: %d %s", o, m.name, path, status, body)
			}
		}
	}
}

// errCut says that a download has broken off or was refused, as its client can see.
var errCut = errors.New("the download did not come to its end")

// tryDownload downloads the file of a READY job if it can be had now. What looks complete must be.
func (w *world) tryDownload(ctx context.Context, o *order) {
	for range 3 {
		job := w.look(o)
		if job.Status != "READY" {
			return
		}
		content, err := w.download(w.anyAddress(), o)
		if err != nil && !errors.Is(err, errCut) {
			w.blame(o.id, "%s: downloading its file: %v", o, err)
		}
		if err == nil {
			if sum := fmt.Sprintf("%x", sha256.Sum256(content)); sum != job.SHA256 {
				w.blame(o.id, "%s: the file looks complete with %d bytes and has the SHA-256 %s, not %s", o, len(content), sum, job.SHA256)
			}
			return
		}
		_ = pause(ctx, time.Second)
	}
}

// download downloads a file. An error that is no errCut is a fault of the server.
func (w *world) download(address string, o *order) ([]byte, error) {
	ctx, cancel := context.WithTimeout(w.t.Context(), downloadPatience)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, address+"/v1/exports/"+o.id+"/download", nil)
	if err != nil {
		return nil, errCut // there is no server to ask
	}
	request.Header.Set("X-Api-Key", o.customer)
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errCut, err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	switch {
	case err != nil:
		return nil, fmt.Errorf("%w: %w", errCut, err)
	case response.StatusCode == http.StatusServiceUnavailable:
		return nil, fmt.Errorf("%w: %s", errCut, body)
	case response.StatusCode != http.StatusOK:
		return nil, fmt.Errorf("%d %s", response.StatusCode, body)
	}
	return body, nil
}

// anyAddress returns where some server listens, or "" if none does.
func (w *world) anyAddress() string {
	for _, i := range rand.Perm(len(w.members)) {
		if address := w.members[i].address(); address != "" {
			return address
		}
	}
	return ""
}

// untilAnswered asks one server after the other until a function has its answer.
func (w *world) untilAnswered(ask func(address string) bool) {
	w.waitFor("an answer", func() string {
		if address := w.anyAddress(); address != "" && ask(address) {
			return ""
		}
		return "none has come"
	})
}

// call makes one request. The error is that of the transport.
func (w *world) call(method, address, key, idempotencyKey string) (status int, body []byte, err error) {
	ctx, cancel := context.WithTimeout(w.t.Context(), patience)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, method, address, nil)
	if err != nil {
		return 0, nil, err
	}
	request.Header.Set("X-Api-Key", key)
	if idempotencyKey != "" {
		request.Header.Set("Idempotency-Key", idempotencyKey)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return 0, nil, err
	}
	defer response.Body.Close()
	body, err = io.ReadAll(response.Body)
	return response.StatusCode, body, err
}
