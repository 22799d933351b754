//go:build linux

package rollout_test

import (
	"io"
	"net"
	"sync"
	"testing"
)

// line is a store's line to the hub's broker, which can be cut.
type line struct {
	addr  string
	mu    sync.Mutex
	off   bool
	conns map[net.Conn]bool
}

func newLine(t *testing.T, to string) *line {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	t.Cleanup(func() { l.Close() })
	x := &line{addr: l.Addr().String(), conns: map[net.Conn]bool{}}
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go x.carry(c, to)
		}
	}()
	return x
}

func (x *line) carry(c net.Conn, to string) {
	defer c.Close()
	h, err := net.Dial("tcp", to)
	if err != nil || !x.keep(c, h) {
		return
	}
	defer x.drop(c, h)
	go func() {
		_, _ = io.Copy(h, c)
		h.Close()
	}()
	_, _ = io.Copy(c, h)
}

func (x *line) keep(cs ...net.Conn) bool {
	x.mu.Lock()
	defer x.mu.Unlock()
	for _, c := range cs {
		if x.off {
			c.Close()
			continue
		}
		x.conns[c] = true
	}
	return !x.off
}

func (x *line) drop(cs ...net.Conn) {
	x.mu.Lock()
	defer x.mu.Unlock()
	for _, c := range cs {
		c.Close()
		delete(x.conns, c)
	}
}

func (x *line) cut() {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.off = true
	for c := range x.conns {
		c.Close()
	}
}

func (x *line) mend() {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.off = false
}
