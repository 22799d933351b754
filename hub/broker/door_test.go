package broker

import (
	"crypto/tls"
	"log/slog"
	"net"
	"testing"

	"github.com/nats-io/nats-server/v2/server"
)

// knock is a client at the door; it hangs up after its address was asked for so many times.
type knock struct {
	name string
	asks int
}

func (c *knock) RemoteAddress() net.Addr {
	if c.asks--; c.asks < 0 {
		return nil
	}
	return &net.TCPAddr{IP: net.IPv4(10, 0, 0, 1), Port: 1}
}
func (c *knock) GetTLSConnectionState() *tls.ConnectionState { return nil } // of a connection that is gone there is none
func (c *knock) GetOpts() *server.ClientOpts                 { return &server.ClientOpts{Username: c.name} }
func (c *knock) GetNonce() []byte                            { return nil }
func (c *knock) RegisterUser(*server.User)                   {}
func (c *knock) Kind() int                                   { return server.CLIENT }
func (c *knock) GetID() uint64                               { return 1 }

// TestWhoHangsUpAtTheDoor is turned away, whenever it does, and neither ends the hub nor has its password tried.
func TestWhoHangsUpAtTheDoor(t *testing.T) {
	tried := 0
	d := newDoor(t.Context(), Options{Log: slog.New(slog.DiscardHandler), Matches: func(string, string) bool { tried++; return false }}, false)
	for asks := range 3 {
		for _, name := range []string{"pc-1", "", "a.b"} {
			if d.Check(&knock{name: name, asks: asks}) {
				t.Errorf("%q is in after it hung up", name)
			}
		}
	}
	if tried != 0 {
		t.Errorf("%d passwords were tried", tried)
	}
}
