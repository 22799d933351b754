// Package port gives tests and the demo addresses of this machine on which nothing listens.
package port

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"sync"
)

// given are those that this process has handed out: a service that is killed and started again finds its own free.
var given sync.Map

// Addr is a loopback address like 127.0.0.1:23456. It is given once in a process, and lies below the ports that the system itself takes for
// connections: those may be taken between the asking and the listening, and the system may name one twice.
func Addr() (string, error) {
	for range 200 {
		addr := fmt.Sprintf("127.0.0.1:%d", 15_000+rand.IntN(17_000))
		if _, taken := given.LoadOrStore(addr, true); taken {
			continue
		}
		if l, err := net.Listen("tcp", addr); err == nil {
			l.Close()
			return addr, nil
		}
	}
	return "", errors.New("no port is free")
}

// TB is what Free needs of a test.
type TB interface {
	Helper()
	Fatal(args ...any)
}

// Free is Addr for a test.
func Free(t TB) string {
	t.Helper()
	addr, err := Addr()
	if err != nil {
		t.Fatal(err)
	}
	return addr
}
