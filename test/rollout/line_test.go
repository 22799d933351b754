//go:build linux

package rollout_test

import (
	"io"
	"net"
	"sync"
	"sync/atomic"
	"testing"
)

// line is a line to the hub that can be cut; it counts what it carries.
type line struct {
	addr  string
	mu    sync.Mutex
	off   bool
	conns map[net.Conn]bool

	up, down atomic.Int64 // bytes, towards the hub and from it
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
		_, _ = io.Copy(count{h, &x.up}, c)
		h.Close()
	}()
	_, _ = io.Copy(count{c, &x.down}, h)
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

// count counts what is written.
type count struct {
	io.Writer
	n *atomic.Int64
}

func (c count) Write(b []byte) (int, error) {
	n, err := c.Writer.Write(b)
	c.n.Add(int64(n))
	return n, err
}
