//go:build linux

package chaos

import (
	"math/rand/v2"
	"net"
	"net/url"
	"sync"
	"testing"
)

// A valve lets through what comes, or has it wait.
type valve struct {
	mu     sync.Mutex
	opened chan struct{} // closed while the valve is open
}

func newValve() *valve {
	v := &valve{opened: make(chan struct{})}
	close(v.opened)
	return v
}

func (v *valve) shut() {
	v.mu.Lock()
	defer v.mu.Unlock()
	select {
	case <-v.opened:
		v.opened = make(chan struct{})
	default:
	}
}

func (v *valve) open() {
	v.mu.Lock()
	defer v.mu.Unlock()
	select {
	case <-v.opened:
	default:
		close(v.opened)
	}
}

// pass waits until the valve is open, and reports false if done comes first.
func (v *valve) pass(done <-chan struct{}) bool {
	v.mu.Lock()
	opened := v.opened
	v.mu.Unlock()
	select {
	case <-opened:
		return true
	case <-done:
		return false
	}
}

// A databaseProxy passes on connections. It can cut them, refuse new ones, and hold back what goes one way or both, the ends of
// connections too, as a network does that loses everything; of all connections, or of some that are there, whose requests
// then come late, when others have gone on.
type databaseProxy struct {
	listener net.Listener
	target   string
	requests *valve
	answers  *valve

	mu       sync.Mutex
	refusing bool
	links    map[*link]bool
}

// A link is one connection, with both its halves.
type link struct {
	near, far *net.TCPConn
	requests  *valve // of this link alone
	once      sync.Once
	done      chan struct{}
}

// close ends both halves. What was sent arrives.
func (l *link) close() {
	l.once.Do(func() {
		close(l.done)
		_ = l.near.Close()
		_ = l.far.Close()
	})
}

// cut ends both halves at once, without a farewell.
func (l *link) cut() {
	for _, half := range []*net.TCPConn{l.near, l.far} {
		_ = half.SetLinger(0)
	}
	l.close()
}

func startDatabaseProxy(t *testing.T, target string) *databaseProxy {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &databaseProxy{listener: listener, target: target, requests: newValve(), answers: newValve(), links: make(map[*link]bool)}
	var serving sync.WaitGroup
	serving.Go(func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			serving.Go(func() { p.serve(conn.(*net.TCPConn)) })
		}
	})
	t.Cleanup(func() {
		_ = listener.Close()
		p.heal()
		p.cut()
		serving.Wait()
	})
	return p
}

// url returns the URL of a database as it is reached through the proxy.
func (p *databaseProxy) url(direct string) string {
	parsed, err := url.Parse(direct)
	if err != nil {
		panic(err) // it is made by postgrestest
	}
	parsed.Host = p.listener.Addr().String()
	return parsed.String()
}

func (p *databaseProxy) serve(near *net.TCPConn) {
	p.mu.Lock()
	refusing := p.refusing
	p.mu.Unlock()
	far, err := net.Dial("tcp", p.target)
	if refusing || err != nil {
		if err == nil {
			_ = far.Close()
		}
		_ = near.SetLinger(0)
		_ = near.Close()
		return
	}
	l := &link{near: near, far: far.(*net.TCPConn), requests: newValve(), done: make(chan struct{})}
	p.mu.Lock()
	p.links[l] = true
	p.mu.Unlock()
	var passing sync.WaitGroup
	passing.Go(func() { l.pass(l.far, l.near, p.requests, l.requests) })
	passing.Go(func() { l.pass(l.near, l.far, p.answers) })
	passing.Wait()
	p.mu.Lock()
	delete(p.links, l)
	p.mu.Unlock()
}

// pass copies one way until an end, which ends the other way too.
func (l *link) pass(to, from *net.TCPConn, valves ...*valve) {
	defer l.close()
	buffer := make([]byte, 32<<10)
	for {
		n, err := from.Read(buffer)
		for _, v := range valves {
			if !v.pass(l.done) {
				return
			}
		}
		if _, writeErr := to.Write(buffer[:n]); err != nil || writeErr != nil {
			return
		}
	}
}

// cut ends all connections.
func (p *databaseProxy) cut() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for l := range p.links {
		l.cut()
	}
}

// delaySome holds back the requests of some of the connections that are there.
func (p *databaseProxy) delaySome(random *rand.Rand) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for l := range p.links {
		if random.IntN(2) == 0 {
			l.requests.shut()
		}
	}
}

// refuse has new connections refused, or not.
func (p *databaseProxy) refuse(refusing bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.refusing = refusing
}

func (p *databaseProxy) heal() {
	p.refuse(false)
	p.requests.open()
	p.answers.open()
	p.mu.Lock()
	defer p.mu.Unlock()
	for l := range p.links {
		l.requests.open()
	}
}
