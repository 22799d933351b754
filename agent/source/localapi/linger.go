package localapi

import (
	"io"
	"net"
	"time"
)

// A connection that is closed while its client still sends is reset by the system, and a reset takes away the answer that the client has not
// read yet: a till would see a broken line where it was told "too large". So the closing side ends its own direction first and listens a
// little longer, as net/http's server does (its rstAvoidanceDelay) and fasthttp's does not.
const (
	lingerFor  = 500 * time.Millisecond
	lingerMost = 4 * maxBody // who sends more than that behind a refusal does not listen
)

// lingering is a listener whose connections close so.
type lingering struct{ net.Listener }

// Accept implements net.Listener.
func (l lingering) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if tcp, ok := c.(*net.TCPConn); ok {
		return parting{tcp}, err
	}
	return c, err
}

type parting struct{ *net.TCPConn }

// Close implements net.Conn. It does not wait.
func (c parting) Close() error {
	if c.CloseWrite() != nil { // the other side is gone
		return c.TCPConn.Close()
	}
	go func() {
		_ = c.SetReadDeadline(time.Now().Add(lingerFor))
		_, _ = io.CopyN(io.Discard, c.TCPConn, lingerMost)
		_ = c.TCPConn.Close()
	}()
	return nil
}
