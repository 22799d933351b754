package main

import (
	"io"
	"net"
	"sync/atomic"
)

// meter stands between agent and broker and counts the bytes of TCP payload each way.
type meter struct {
	l        net.Listener
	to       atomic.Pointer[string]
	up, down atomic.Int64
}

// nowhere is an address at which nobody answers.
const nowhere = "127.0.0.1:1"

func newMeter(to string) (*meter, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	m := &meter{l: l}
	m.lead(to)
	go m.serve()
	return m, nil
}

func (m *meter) url() string { return "mqtt://" + m.l.Addr().String() }

// lead says where connections go from now on.
func (m *meter) lead(to string) { m.to.Store(&to) }

func (m *meter) close() { m.l.Close() }

func (m *meter) serve() {
	for {
		in, err := m.l.Accept()
		if err != nil {
			return
		}
		out, err := net.Dial("tcp", *m.to.Load())
		if err != nil {
			in.Close()
			continue
		}
		go m.pipe(in, out, &m.down)
		go m.pipe(out, in, &m.up)
	}
}

// pipe copies from one to the other and counts.
func (m *meter) pipe(to, from net.Conn, n *atomic.Int64) {
	defer to.Close()
	defer from.Close()
	buf := make([]byte, 64<<10)
	for {
		k, err := from.Read(buf)
		n.Add(int64(k))
		if k > 0 {
			if _, werr := to.Write(buf[:k]); werr != nil {
				return
			}
		}
		if err != nil && err != io.EOF {
			return
		}
		if err == io.EOF {
			return
		}
	}
}
