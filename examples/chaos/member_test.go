//go:build linux

package chaos

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// stopLimit is how long a server may take to stop, also while the database is away.
const stopLimit = 90 * time.Second

// A member is a server that may be running. Its process is another after each start, and listens elsewhere. The methods that
// start and end it are for one goroutine at a time.
type member struct {
	t        *testing.T
	name     string
	timeline *timeline
	logFile  string
	binary   string
	args     []string
	environ  []string

	mu      sync.Mutex
	process *process // nil while it is down
}

// A process is one run of a server.
type process struct {
	command  *exec.Cmd
	url      string // once it listens
	expected bool   // somebody ends it
	done     chan struct{}
	err      error // how it has ended, once done is closed
}

// address returns where the server listens, or "" while it does not.
func (m *member) address() string {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.process == nil {
		return ""
	}
	return m.process.url
}

// start starts the server and does not wait until it listens.
func (m *member) start() {
	p := &process{command: exec.Command(m.binary, m.args...), done: make(chan struct{})}
	p.command.Env = append(os.Environ(), m.environ...)
	p.command.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	log, err := os.OpenFile(m.logFile, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		m.t.Error(err)
		return
	}
	p.command.Stderr = log
	stdout, err := p.command.StdoutPipe()
	if err != nil {
		m.t.Error(err)
		return
	}
	started := make(chan error)
	go func() {
		// The kernel ends the child with the thread that has started it, so this one stays as long as the child.
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		defer log.Close()
		err := p.command.Start()
		started <- err
		if err == nil {
			m.watch(p, stdout)
		}
	}()
	if err := <-started; err != nil {
		m.t.Errorf("starting %s: %v", m.name, err)
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.process = p
}

// watch reads where the server listens, and waits for its end, which is a fault unless somebody brings it about.
func (m *member) watch(p *process, stdout io.Reader) {
	for lines := bufio.NewScanner(stdout); lines.Scan(); {
		if url, found := strings.CutPrefix(lines.Text(), "listening on "); found {
			m.mu.Lock()
			p.url = url
			m.mu.Unlock()
		}
	}
	p.err = p.command.Wait()
	m.mu.Lock()
	expected := p.expected
	p.url = ""
	m.mu.Unlock()
	if !expected {
		m.t.Errorf("%s has ended by itself: %v", m.name, p.err)
	}
	close(p.done)
}

// end sends a signal that ends the server, and returns how it has ended.
func (m *member) end(signal syscall.Signal) error {
	m.mu.Lock()
	p := m.process
	m.process = nil
	if p != nil {
		p.expected = true
	}
	m.mu.Unlock()
	if p == nil {
		return nil
	}
	if err := p.command.Process.Signal(signal); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return err
	}
	limit := time.NewTimer(stopLimit)
	defer limit.Stop()
	select {
	case <-p.done:
		return p.err
	case <-limit.C:
	}
	_ = p.command.Process.Signal(syscall.SIGQUIT) // its goroutines go to the log
	<-p.done
	return fmt.Errorf("it did not stop within %s", stopLimit)
}

// kill ends the server as a power failure does.
func (m *member) kill() {
	m.timeline.add("%s is killed", m.name)
	_ = m.end(syscall.SIGKILL) // that it was killed is no news
}

// terminate has the server stop in good order.
func (m *member) terminate() error {
	m.timeline.add("%s is told to stop", m.name)
	err := m.end(syscall.SIGTERM)
	m.timeline.add("%s has stopped: %v", m.name, err)
	return err
}

// signal sends a signal that does not end the server.
func (m *member) signal(signal syscall.Signal) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.process != nil {
		_ = m.process.command.Process.Signal(signal) // it may have ended
	}
}

// revive starts the server if it is down.
func (m *member) revive() {
	m.mu.Lock()
	down := m.process == nil
	m.mu.Unlock()
	if down {
		m.timeline.add("%s is started", m.name)
		m.start()
	}
}
