//go:build unix

package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dataexport/dataexport"
)

// An exportDocument is what the API tells of a job, as far as these tests care.
type exportDocument struct {
	ID          string    `json:"id"`
	Status      string    `json:"status"`
	CreatedAt   time.Time `json:"created_at"`
	Attempts    int       `json:"attempts"`
	RecordCount int64     `json:"record_count"`
	FileSize    int       `json:"file_size"`
	SHA256      string    `json:"sha256"`
	Error       *struct {
		Code string `json:"code"`
	} `json:"error"`
}

// wishes are the filters that are ordered, each in every format.
var wishes = []struct {
	query  string
	filter dataexport.Filter
}{
	{"", dataexport.Filter{}},
	{"", dataexport.Filter{}}, // the largest more often
	{"&priority=HIGH", dataexport.Filter{Priority: "HIGH"}},
	{"&categories=c1,c2", dataexport.Filter{Categories: []string{"c1", "c2"}}},
	{"&user_id=user-3&created_after=2025-03-02", dataexport.Filter{
		UserID: "user-3", CreatedAfter: time.Date(2025, 3, 2, 0, 0, 0, 0, time.UTC),
	}},
}

var formats = []string{"json", "csv", "markdown"}

// An order is one idempotency key, and what the customer knows of it.
type order struct {
	key       string
	workspace string
	format    string
	wish      int
	id        string // empty until an answer has come
	deleting  bool   // asked for, perhaps not answered
	deleted   bool   // answered
}

// A customer orders exports of a server that is killed all the time, and keeps the answers.
type customer struct {
	t          *testing.T
	random     *rand.Rand
	workspaces []string // each is the key of itself, too
	orders     []*order
	refused    int // because there were too many
}

// call makes one request. The error is that of the transport: the server is not there, or died before it answered.
func (c *customer) call(
	ctx context.Context, client *http.Client, method, url, workspace, idempotencyKey string,
) (status int, header http.Header, body []byte, err error) {
	request, err := http.NewRequestWithContext(ctx, method, url, nil)
	if err != nil {
		return 0, nil, nil, err
	}
	request.Header.Set("X-Api-Key", workspace)
	if idempotencyKey != "" {
		request.Header.Set("Idempotency-Key", idempotencyKey)
	}
	response, err := client.Do(request)
	if err != nil {
		return 0, nil, nil, err
	}
	defer response.Body.Close()
	body, err = io.ReadAll(response.Body)
	return response.StatusCode, response.Header, body, err
}

// shop orders, orders again and deletes until the server does not answer any more, at most that many times. A closed
// channel says that the first answer has come.
func (c *customer) shop(ctx context.Context, url string, requests int, answered chan<- struct{}) {
	client := &http.Client{Transport: &http.Transport{}, Timeout: 20 * time.Second}
	defer client.CloseIdleConnections()
	for range requests {
		var err error
		switch choice := c.random.IntN(10); {
		case choice == 0 && len(c.orders) > 0:
			err = c.delete(ctx, client, url, c.anyOrder())
		case choice <= 2 && len(c.orders) > 0:
			err = c.place(ctx, client, url, c.anyOrder())
		default:
			err = c.place(ctx, client, url, c.newOrder())
		}
		if err != nil {
			return
		}
		if answered != nil {
			close(answered)
			answered = nil
		}
		pause := time.NewTimer(time.Duration(c.random.IntN(20)) * time.Millisecond)
		select {
		case <-pause.C:
		case <-ctx.Done():
			pause.Stop()
			return
		}
	}
}

func (c *customer) anyOrder() *order { return c.orders[c.random.IntN(len(c.orders))] }

func (c *customer) newOrder() *order {
	o := &order{
		key:       fmt.Sprint("order-", len(c.orders)),
		workspace: c.workspaces[c.random.IntN(len(c.workspaces))],
		format:    formats[c.random.IntN(len(formats))],
		wish:      c.random.IntN(len(wishes)),
	}
	c.orders = append(c.orders, o)
	return o
}

// place orders, for the first time or again.
func (c *customer) place(ctx context.Context, client *http.Client, url string, o *order) error {
	if o.deleting {
		return nil // its key is free again, or not
	}
	target := url + "/v1/exports?format=" + o.format + wishes[o.wish].query
	status, header, body, err := c.call(ctx, client, http.MethodPost, target, o.workspace, o.key)
	if err != nil {
		return err
	}
	if status == http.StatusTooManyRequests {
		c.refused++
		assert.Empty(c.t, o.id, "a replay is answered even where the quota is full")
		return nil
	}
	var answer exportDocument
	assert.Equal(c.t, http.StatusAccepted, status, "%s", body)
	assert.NoError(c.t, json.Unmarshal(body, &answer), "%s", body)
	if o.id != "" {
		assert.Equal(c.t, o.id, answer.ID, "ordering again makes no second job")
		assert.Equal(c.t, "true", header.Get("Idempotent-Replayed"))
	}
	o.id = answer.ID
	return nil
}

// delete deletes an order that was answered.
func (c *customer) delete(ctx context.Context, client *http.Client, url string, o *order) error {
	if o.id == "" || o.deleted {
		return nil
	}
	again := o.deleting
	o.deleting = true
	status, _, body, err := c.call(ctx, client, http.MethodDelete, url+"/v1/exports/"+o.id, o.workspace, "")
	if err != nil {
		return err
	}
	assert.True(c.t, status == http.StatusNoContent || again && status == http.StatusNotFound, "%d %s", status, body)
	o.deleted = true
	return nil
}

// settle orders again what was not answered, so that every order has an id, or was refused and is forgotten. It returns
// how many of these jobs were there.
func (c *customer) settle(p *process) (there int) {
	c.t.Helper()
	before := c.jobs(p)
	var settled []*order
	for _, o := range c.orders {
		if o.id == "" {
			require.NoError(c.t, c.place(c.t.Context(), http.DefaultClient, p.url, o))
			if before[o.id] {
				there++
			}
		}
		if o.id != "" {
			settled = append(settled, o)
		}
	}
	c.orders = settled
	return there
}

// A jobList is a page of jobs.
type jobList struct {
	Data  []exportDocument `json:"data"`
	Total int              `json:"total"`
}

func (c *customer) list(p *process, workspace, query string) (list jobList) {
	c.t.Helper()
	response, body := p.request(http.MethodGet, "/v1/exports?"+query, workspace)
	require.Equal(c.t, http.StatusOK, response.StatusCode, "%s", body)
	require.NoError(c.t, json.Unmarshal(body, &list))
	return list
}

// jobs returns the ids of all jobs that the server has.
func (c *customer) jobs(p *process) map[string]bool {
	c.t.Helper()
	ids := make(map[string]bool)
	for _, workspace := range c.workspaces {
		for page, listed := 1, 0; ; page++ {
			list := c.list(p, workspace, fmt.Sprintf("page_size=100&page=%d", page))
			for _, j := range list.Data {
				require.False(c.t, ids[j.ID], "job %s is there twice", j.ID)
				ids[j.ID] = true
			}
			listed += len(list.Data)
			if len(list.Data) == 0 {
				require.Equal(c.t, list.Total, listed)
				break
			}
		}
	}
	return ids
}

// get returns a job, or false if there is none.
func (c *customer) get(p *process, o *order) (exportDocument, bool) {
	c.t.Helper()
	response, body := p.request(http.MethodGet, "/v1/exports/"+o.id, o.workspace)
	if response.StatusCode == http.StatusNotFound {
		return exportDocument{}, false
	}
	require.Equal(c.t, http.StatusOK, response.StatusCode, "%s", body)
	var j exportDocument
	require.NoError(c.t, json.Unmarshal(body, &j))
	return j, true
}

// remaining returns the orders whose jobs are there. None may be lost unless its deletion was asked for, none may be there
// whose deletion was answered, and none that nobody has ordered.
func (c *customer) remaining(p *process) []*order {
	c.t.Helper()
	there := c.jobs(p)
	var remaining []*order
	for _, o := range c.orders {
		switch found := there[o.id]; {
		case found && o.deleted:
			c.t.Errorf("%s is there although it was deleted", o.key)
		case found:
			remaining = append(remaining, o)
		case !o.deleting:
			c.t.Errorf("%s is lost", o.key)
		}
		delete(there, o.id)
	}
	assert.Empty(c.t, there, "jobs that nobody has ordered")
	return remaining
}
