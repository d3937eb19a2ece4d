package demo

import (
	"context"
	"encoding/json"
	"net"
	"net/http"
	"testing"
)

// TestRun starts the program, orders an export, and stops it.
func TestRun(t *testing.T) {
	listener, err := net.Listen("tcp", "localhost:0")
	if err != nil {
		t.Fatal(err)
	}
	router := func(exports http.Handler) http.Handler { return http.StripPrefix("/v1", exports) }
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- Run(ctx, listener, "secret", router) }()

	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://"+listener.Addr().String()+"/v1/exports", nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("X-Api-Key", "secret")
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	var job struct{ Status string }
	if err := json.NewDecoder(response.Body).Decode(&job); err != nil {
		t.Fatal(err)
	}
	_ = response.Body.Close()
	if response.StatusCode != http.StatusAccepted || job.Status != "PENDING" {
		t.Errorf("status %d and a job that is %q, want 202 and PENDING", response.StatusCode, job.Status)
	}

	stop()
	if err := <-ended; err != nil {
		t.Errorf("Run: %v", err)
	}
}
