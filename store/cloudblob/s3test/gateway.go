package s3test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"sync"
	"testing"
	"time"
)

// GatewayVariable names the environment variable with the path of the binary of versitygw (github.com/versity/versitygw).
const GatewayVariable = "DATAEXPORT_TEST_VERSITYGW"

// requiredVariable, set to 1, makes tests fail that lack what they need.
const requiredVariable = "DATAEXPORT_TEST_REQUIRED"

const (
	startAttempts = 5
	startTimeout  = 30 * time.Second
	startPoll     = 20 * time.Millisecond
)

// StartGateway starts versitygw, which keeps objects as files in a temporary directory. It skips the test where
// GatewayVariable is not set, or fails it if DATAEXPORT_TEST_REQUIRED is 1.
//
// It is a real server but not a flat one: as a file is no directory, the objects "a" and "a/b" cannot both be there.
func StartGateway(tb testing.TB) *Server {
	tb.Helper()
	binary := os.Getenv(GatewayVariable)
	if binary == "" {
		missing(tb, "set "+GatewayVariable+" to the path of the binary of versitygw")
	}
	directory := tb.TempDir()
	if err := os.Mkdir(filepath.Join(directory, bucketName), 0o700); err != nil { // that is a bucket to it
		tb.Fatalf("s3test: create the bucket: %v", err)
	}
	var err error
	for range startAttempts { // another process may take the port before the server does
		var address string
		if address, err = freeAddress(); err != nil {
			break
		}
		var g *gateway
		if g, err = startGateway(tb.Context(), binary, directory, address); err == nil {
			tb.Cleanup(g.kill)
			return newServer("http://" + address)
		}
	}
	tb.Fatalf("s3test: start %s: %v", binary, err)
	return nil
}

func missing(tb testing.TB, what string) {
	tb.Helper()
	if os.Getenv(requiredVariable) == "1" {
		tb.Fatal("s3test: " + what)
	}
	tb.Skip("s3test: " + what)
}

func freeAddress() (string, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	return listener.Addr().String(), listener.Close()
}

// A gateway is a process of versitygw.
type gateway struct {
	command *exec.Cmd
	log     lockedBuffer
	done    chan struct{} // closed when it has ended
}

func startGateway(ctx context.Context, binary, directory, address string) (*gateway, error) {
	g := &gateway{done: make(chan struct{})}
	g.command = exec.Command(binary, "--port", address, "--region", region, "--health", "/health", "--quiet", "posix", directory)
	g.command.Env = []string{"ROOT_ACCESS_KEY=" + accessKey, "ROOT_SECRET_KEY=" + secretKey, "HOME=" + directory, "PATH=" + os.Getenv("PATH")}
	g.command.Dir = directory
	g.command.Stdout, g.command.Stderr = &g.log, &g.log
	endWithParent(g.command)
	started := make(chan error)
	go func() {
		// The kernel ends the child with the thread that has started it, so this one stays as long as the child.
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		defer close(g.done)
		err := g.command.Start()
		started <- err
		if err == nil {
			_ = g.command.Wait() // it is killed at the end
		}
	}()
	if err := <-started; err != nil {
		return nil, err
	}
	if err := g.waitUntilHealthy(ctx, "http://"+address+"/health"); err != nil {
		g.kill()
		return nil, fmt.Errorf("%w; it says:\n%s", err, g.log.String())
	}
	return g, nil
}

func (g *gateway) waitUntilHealthy(ctx context.Context, address string) error {
	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	ticker := time.NewTicker(startPoll)
	defer ticker.Stop()
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	for {
		if healthy(ctx, client, address) {
			return nil
		}
		select {
		case <-ticker.C:
		case <-g.done:
			return errors.New("it has ended at once")
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

func healthy(ctx context.Context, client *http.Client, address string) bool {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return false
	}
	response, err := client.Do(request)
	if err != nil {
		return false
	}
	return response.Body.Close() == nil && response.StatusCode == http.StatusOK
}

// kill ends the process, which has nothing to keep.
func (g *gateway) kill() {
	_ = g.command.Process.Kill() // it may have ended
	<-g.done
}

// A lockedBuffer keeps what a process says.
type lockedBuffer struct {
	mu     sync.Mutex
	buffer bytes.Buffer
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buffer.Write(p)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buffer.String()
}
