package postgrestest

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"time"
)

// superuser is the role of a server that this package has started, and the database that it connects to.
const superuser = "postgres"

// startTimeout is how long a server may take until it answers; long, since machines can be slow and a server that was
// killed has to recover first.
const startTimeout = time.Minute

// Options say what server to start. The zero value is the fastest.
type Options struct {
	// Durable makes the server wait for the disk at each commit, as one in production does. Otherwise what it has written
	// survives the end of the server, and not that of the machine.
	Durable bool
	// Settings are settings of the server such as "max_connections=20".
	Settings []string
}

// A Shutdown is a way to end a server.
type Shutdown int

// The ways to end a server.
const (
	Fast      Shutdown = iota // what runs is rolled back, connections are closed, and all is written down
	Immediate                 // as in a crash: connections break, and the next start has to recover
)

// A Server is a PostgreSQL server of the test's own. Its methods are for one goroutine at a time; URL and Address are for
// all.
type Server struct {
	binaries  string // their folder
	directory string // of the cluster and of the socket
	lock      *os.File
	port      int
	settings  []string
	process   *process // nil while the server is down
}

// Start makes a cluster and starts its server, which listens on a random port of 127.0.0.1 and on a socket. Whoever can
// connect is let in. The error is ErrNoPostgres if there is none that could be started. The caller must Stop the server.
func Start(o Options) (*Server, error) {
	binaries, err := findBinaries()
	if err != nil {
		return nil, err
	}
	removeLeftovers()
	s := &Server{binaries: binaries, settings: settings(o)}
	if s.directory, s.lock, err = makeDirectory(); err != nil {
		return nil, fmt.Errorf("postgrestest: %w", err)
	}
	if err := s.create(); err != nil {
		return nil, errors.Join(err, s.Stop())
	}
	return s, nil
}

// settings returns the settings of the server. The memory is kept small, since several test binaries run at once.
func settings(o Options) []string {
	list := []string{"shared_buffers=64MB", "max_connections=200", "timezone=UTC", "log_checkpoints=off"}
	if !o.Durable {
		list = append(list, "fsync=off", "full_page_writes=off")
	}
	return append(list, o.Settings...)
}

// create makes the cluster and starts it on a port that is free.
func (s *Server) create() error {
	err := runToEnd(filepath.Join(s.binaries, "initdb"), "--pgdata", s.data(), "--username", superuser, "--auth", "trust",
		"--encoding", "UTF8", "--locale", "C", "--no-sync", "--no-instructions")
	if err != nil {
		return fmt.Errorf("postgrestest: %w", err)
	}
	for range 5 { // another process may be faster at taking the port
		s.port = freePort()
		if err = s.Resume(); err == nil {
			return nil
		}
	}
	return err
}

// freePort returns a port below those that the kernel gives to connections, so that it is also free after a restart.
func freePort() int {
	for {
		port := 15_000 + rand.IntN(15_000)
		if listener, err := net.Listen("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port))); err == nil {
			_ = listener.Close() // it was only a question
			return port
		}
	}
}

func (s *Server) data() string    { return filepath.Join(s.directory, "data") }
func (s *Server) logFile() string { return filepath.Join(s.directory, "log") }

// Directory returns the folder in which the socket of the server lies.
func (s *Server) Directory() string { return s.directory }

// Address returns the host and the port that the server listens on.
func (s *Server) Address() string { return net.JoinHostPort("127.0.0.1", strconv.Itoa(s.port)) }

// URL returns the URL by which a superuser connects to a database. The databases that are there from the beginning are
// postgres and template1.
func (s *Server) URL(database string) string {
	address := url.URL{
		Scheme: "postgres", User: url.User(superuser), Host: s.Address(), Path: "/" + database, RawQuery: "sslmode=disable",
	}
	return address.String()
}

// Resume starts a server again that Halt has ended, and returns when it answers.
func (s *Server) Resume() error {
	if s.process != nil {
		return errors.New("postgrestest: the server is running already")
	}
	arguments := []string{
		"-D", s.data(), "-p", strconv.Itoa(s.port), "-k", s.directory, "-c", "listen_addresses=127.0.0.1",
	}
	for _, setting := range s.settings {
		arguments = append(arguments, "-c", setting)
	}
	started, err := startProcess(filepath.Join(s.binaries, "postgres"), s.logFile(), arguments...)
	if err != nil {
		return fmt.Errorf("postgrestest: %w", err)
	}
	s.process = started
	if err := s.waitUntilReady(); err != nil {
		return errors.Join(fmt.Errorf("postgrestest: the server does not answer: %w; it has said:\n%s", err, s.log()), s.Halt(Immediate))
	}
	return nil
}

// waitUntilReady asks the server until it answers.
func (s *Server) waitUntilReady() error {
	ctx, cancel := context.WithTimeout(context.Background(), startTimeout)
	defer cancel()
	ticker := time.NewTicker(20 * time.Millisecond)
	defer ticker.Stop()
	for {
		err := execute(ctx, s.URL(superuser), "SELECT 1")
		if err == nil {
			return nil
		}
		select {
		case <-s.process.done:
			return fmt.Errorf("it has ended: %w", s.process.err)
		case <-ctx.Done():
			return err
		case <-ticker.C:
		}
	}
}

// Halt ends the server and returns when it has ended. Its data and its port stay for Resume.
func (s *Server) Halt(how Shutdown) error {
	if s.process == nil {
		return nil
	}
	stopping := s.process
	s.process = nil
	return stopping.stop(how)
}

// Restart ends the server and starts it again at the same address.
func (s *Server) Restart(how Shutdown) error {
	if err := s.Halt(how); err != nil {
		return err
	}
	return s.Resume()
}

// Stop ends the server for good and removes its data. A second call does nothing.
func (s *Server) Stop() error {
	if s.lock == nil {
		return nil
	}
	err := errors.Join(s.Halt(Immediate), os.RemoveAll(s.directory), s.lock.Close())
	s.lock = nil
	return err
}

// log returns the end of what the server has said.
func (s *Server) log() string {
	text, err := os.ReadFile(s.logFile())
	if err != nil {
		return err.Error()
	}
	return string(text[max(0, len(text)-4000):])
}
