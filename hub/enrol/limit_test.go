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
}

// TestAFloodOfWrongCodes: however many guess from however many addresses, a right code waits for none of them, and they cannot end every code.
func TestAFloodOfWrongCodes(t *testing.T) {
	now := time.Date(2026, 11, 26, 9, 0, 0, 0, time.UTC)
	l := &limit{now: func() time.Time { return now }, wrong: map[string]*tries{}}
	ended := 0
	for i := range 6000 { // ten a second, for ten minutes
		if w := l.wait("the store's"); w != 0 {
			t.Fatalf("after %d wrong codes of others a right one waits %v", i, w)
		}
		if l.counts() {
			ended++
		}
		l.failed(fmt.Sprint(i))
		now = now.Add(100 * time.Millisecond)
	}
	if ended < inAll || ended > inAll+60+60 {
		t.Errorf("%d of 6000 wrong tries count", ended)
	}
	now = now.Add(2 * forgetAfter)
	if !l.counts() || !l.counts() {
		t.Error("a flood is never forgotten")
	}
	for range 1000 { // a wrong code every ten minutes is no flood, however long
		now = now.Add(10 * time.Minute)
		l.failed("a")
	}
	if !l.counts() || !l.counts() {
		t.Error("a week of people who mistype is taken for a flood")
	}
}

func TestAddressOf(t *testing.T) {
	for in, want := range map[string]string{"192.0.2.7:99": "192.0.2.7", "[2001:db8:1:2:3::4]:99": "2001:db8:1:2::/64", "[::ffff:192.0.2.7]:1": "192.0.2.7", "x": "x"} {
		if got := addressOf(in); got != want {
			t.Errorf("%s: %s, want %s", in, got, want)
		}
	}
}
