package broker

import (
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
)

// TestTwins: two connections of one device that stand together for longer than a broken line could are two PCs.
func TestTwins(t *testing.T) {
	now := time.Now()
	conn := func(user string, port int, age time.Duration) *server.ConnInfo {
		return &server.ConnInfo{AuthorizedUser: user, IP: "10.0.0.1", Port: port, Start: now.Add(-age)}
	}
	got := twins([]*server.ConnInfo{
		conn("alone", 1, time.Hour), conn("again", 2, time.Hour), conn("again", 3, time.Minute), // its line broke a minute ago
		conn("copied", 5, 2*time.Minute), conn("copied", 4, time.Hour), conn(HubUser, 6, time.Hour), conn(HubUser, 7, time.Hour),
	}, now)
	if len(got) != 1 || got[0] != (Twin{"copied", "10.0.0.1:4", "10.0.0.1:5"}) {
		t.Errorf("got %v", got)
	}
}
