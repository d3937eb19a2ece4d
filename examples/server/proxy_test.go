package main

import (
	"io"
	"net"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
)

// A proxy passes connections on to a server, until it is cut.
type proxy struct {
	t       *testing.T
	target  string
	address string // stays the same

	mu       sync.Mutex
	listener net.Listener // nil while it is cut
	open     map[net.Conn]bool
	passing  sync.WaitGroup
}

// newProxy makes a proxy on a free port, which passes connections on to the target.
func newProxy(t *testing.T, target string) *proxy {
	t.Helper()
	p := &proxy{t: t, target: target, address: "127.0.0.1:0", open: make(map[net.Conn]bool)}
	p.mend()
	t.Cleanup(func() {
		p.cut()
		p.passing.Wait()
	})
	return p
}

// mend lets connections through again.
func (p *proxy) mend() {
	p.t.Helper()
	p.mu.Lock()
	defer p.mu.Unlock()
	listener, err := net.Listen("tcp", p.address)
	require.NoError(p.t, err)
	p.listener, p.address = listener, listener.Addr().String()
	p.passing.Go(func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			p.passing.Go(func() { p.pass(conn) })
		}
	})
}

// cut breaks all connections and refuses new ones.
func (p *proxy) cut() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.listener != nil {
		_ = p.listener.Close()
		p.listener = nil
	}
	for conn := range p.open {
		_ = conn.Close()
	}
}

// pass passes on what comes from either side until one closes.
func (p *proxy) pass(from net.Conn) {
	to, err := net.Dial("tcp", p.target)
	if err != nil {
		_ = from.Close()
		return
	}
	if !p.keep(from, to) {
		return
	}
	var copying sync.WaitGroup
	for _, pair := range [][2]net.Conn{{from, to}, {to, from}} {
		copying.Go(func() {
			_, _ = io.Copy(pair[1], pair[0]) // it ends when either is closed
			_, _ = pair[0].Close(), pair[1].Close()
		})
	}
	copying.Wait()
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.open, from)
	delete(p.open, to)
}

// keep remembers connections, or closes them if the proxy was cut meanwhile.
func (p *proxy) keep(conns ...net.Conn) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, conn := range conns {
		if p.listener == nil {
			_ = conn.Close()
			continue
		}
		p.open[conn] = true
	}
	return p.listener != nil
}
