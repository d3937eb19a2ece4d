// Package nginx starts an nginx that serves one file.
package nginx

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// A Server is a process of nginx.
type Server struct {
	URL       string // of the file
	command   *exec.Cmd
	directory string
}

// It logs nothing, has one process, and sends files without copying them, as nginx does in production.
const configuration = `daemon off;
master_process off;
pid %[1]s/pid;
error_log %[1]s/error.log crit;
events { worker_connections 64; }
http {
	access_log off;
	sendfile on;
	tcp_nopush on;
	client_body_temp_path %[1]s/body;
	proxy_temp_path %[1]s/proxy;
	fastcgi_temp_path %[1]s/fastcgi;
	uwsgi_temp_path %[1]s/uwsgi;
	scgi_temp_path %[1]s/scgi;
	default_type application/json;
	server {
		listen %[2]s;
		location = /export { alias %[3]s; }
	}
}
`

// Start starts nginx with a directory for its own files, which it creates and Stop removes. It returns when nginx answers.
func Start(ctx context.Context, path, directory, file string) (*Server, error) {
	address, err := freeAddress()
	if err != nil {
		return nil, err
	}
	if err := os.MkdirAll(directory, 0o700); err != nil {
		return nil, err
	}
	name := filepath.Join(directory, "nginx.conf")
	if err := os.WriteFile(name, fmt.Appendf(nil, configuration, directory, address, file), 0o600); err != nil {
		return nil, err
	}
	var said strings.Builder
	s := &Server{URL: "http://" + address + "/export", directory: directory}
	s.command = exec.CommandContext(ctx, path, "-p", directory, "-c", name, "-e", filepath.Join(directory, "error.log"))
	s.command.Stderr = &said
	if err := s.command.Start(); err != nil {
		return nil, err
	}
	if err := waitFor(ctx, address); err != nil {
		return nil, errors.Join(err, s.Stop(), errors.New(said.String()))
	}
	return s, nil
}

func freeAddress() (string, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	return listener.Addr().String(), listener.Close()
}

// waitFor waits until something listens, ten seconds at most.
func waitFor(ctx context.Context, address string) error {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	ticker := time.NewTicker(10 * time.Millisecond)
	defer ticker.Stop()
	for {
		var dialer net.Dialer
		conn, err := dialer.DialContext(ctx, "tcp", address)
		if err == nil {
			return conn.Close()
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("nginx does not answer: %w", err)
		case <-ticker.C:
		}
	}
}

// Stop ends nginx and removes its directory.
func (s *Server) Stop() error {
	err := s.command.Process.Signal(syscall.SIGTERM)
	var ended *exec.ExitError
	if waitErr := s.command.Wait(); waitErr != nil && !errors.As(waitErr, &ended) {
		err = errors.Join(err, waitErr)
	}
	return errors.Join(err, os.RemoveAll(s.directory))
}
