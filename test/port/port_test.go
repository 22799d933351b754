package port_test

import (
	"net"
	"testing"

	"github.com/tillpost/tillpost/test/port"
)

// TestNoPortIsGivenTwice: two services of one world that were given the same could not both start.
func TestNoPortIsGivenTwice(t *testing.T) {
	given := map[string]bool{}
	for range 500 {
		addr := port.Free(t)
		if given[addr] {
			t.Fatalf("%s was given twice", addr)
		}
		given[addr] = true
	}
	for addr := range given {
		l, err := net.Listen("tcp", addr)
		if err != nil {
			t.Fatal(err)
		}
		l.Close()
		break
	}
}
