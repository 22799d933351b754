package enrol

import (
	"fmt"
	"testing"
	"time"
)

func TestLimit(t *testing.T) {
	now := time.Date(2026, 11, 26, 9, 0, 0, 0, time.UTC)
	l := &limit{now: func() time.Time { return now }, wrong: map[string]*tries{}}
	for range freeWrong {
		if w := l.wait("a"); w != 0 {
			t.Fatalf("a person who mistypes waits %v", w)
		}
		l.failed("a")
	}
	var waits []time.Duration
	for range 12 {
		w := l.wait("a")
		waits = append(waits, w)
		now = now.Add(w)
		if l.wait("a") != 0 {
			t.Fatal("it waits after its wait")
		}
		l.failed("a")
	}
	if waits[0] != time.Second || waits[1] != 2*time.Second || waits[11] != longestWait {
		t.Errorf("the waits are %v", waits)
	}
	if l.wait("b") != 0 {
		t.Error("another address waits")
	}
	l.good("a")
	if l.wait("a") != 0 {
		t.Error("an address with a right code waits")
	}
	now = now.Add(forgetAfter + time.Second)
	for i := range inAll + 1 { // many addresses, one wrong code each
		l.failed(fmt.Sprint(i))
	}
	if l.wait("new") == 0 {
		t.Error("so many that guess are not slowed")
	}
	now = now.Add(forgetAfter + time.Second)
	if l.wait("new") != 0 {
		t.Error("it is never forgotten")
	}
}

func TestAddressOf(t *testing.T) {
	for in, want := range map[string]string{"192.0.2.7:99": "192.0.2.7", "[2001:db8:1:2:3::4]:99": "2001:db8:1:2::/64", "[::ffff:192.0.2.7]:1": "192.0.2.7", "x": "x"} {
		if got := addressOf(in); got != want {
			t.Errorf("%s: %s, want %s", in, got, want)
		}
	}
}
