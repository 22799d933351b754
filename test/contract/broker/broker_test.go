// Package broker_test is the contract of the line with its broker: the same cases run against the embedded one and, where it is installed,
// against a real mosquitto.
package broker_test

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tillpost/tillpost/agent/forward"
	"github.com/tillpost/tillpost/agent/uplink"
	"github.com/tillpost/tillpost/hub/link"
	"github.com/tillpost/tillpost/shared/envelope"
	"github.com/tillpost/tillpost/shared/retail"
	"github.com/tillpost/tillpost/shared/topic"
	"github.com/tillpost/tillpost/test/line"
)

// desk is an intake that notes what comes and answers each with its number.
type desk struct {
	mu      sync.Mutex
	batches []arrived
	hellos  []envelope.Hello
	births  map[retail.DeviceID]envelope.Birth
}

type arrived struct {
	device  retail.DeviceID
	stream  envelope.Stream
	payload []byte
}

func (d *desk) Batch(_ context.Context, id retail.DeviceID, s envelope.Stream, payload []byte, reply func(envelope.Head)) {
	d.mu.Lock()
	d.batches = append(d.batches, arrived{id, s, payload})
	n := len(d.batches)
	d.mu.Unlock()
	reply(envelope.Head{Hub: "h1", Device: id, Stream: s, Seq: uint64(n), Verdict: envelope.OK})
}

func (d *desk) Hello(_ context.Context, h envelope.Hello, reply func(envelope.Head)) {
	d.mu.Lock()
	d.hellos = append(d.hellos, h)
	d.mu.Unlock()
	reply(envelope.Head{Hub: "h1", Nonce: h.Nonce, Device: h.Device, Stream: h.Stream, Verdict: envelope.OK})
}

func (d *desk) Births(_ context.Context, came map[retail.DeviceID]envelope.Birth) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	for k, v := range came {
		d.births[k] = v
	}
	return nil
}

func (d *desk) count() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return len(d.batches)
}

func (d *desk) online(id retail.DeviceID) (online, known bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	b, ok := d.births[id]
	return b.Online, ok
}

func newHub(t *testing.T, s server, url string, id envelope.HubID) (*link.Link, *desk) {
	t.Helper()
	user, password := s.hub()
	return newHubAs(t, user, password, url, id)
}

func newHubAs(t *testing.T, user, password, url string, id envelope.HubID) (*link.Link, *desk) {
	t.Helper()
	d := &desk{births: map[retail.DeviceID]envelope.Birth{}}
	l, err := link.New(link.Options{URL: url, User: user, Password: password, Hub: id, Births: d, RetryLongest: 200 * time.Millisecond}, d)
	if err != nil {
		t.Fatal(err)
	}
	run(t, l.Run)
	return l, d
}

// run runs f until the test ends.
func run(t *testing.T, f func(context.Context) error) {
	t.Helper()
	ctx, quit := context.WithCancel(context.WithoutCancel(t.Context()))
	done := make(chan struct{})
	go func() { defer close(done); _ = f(ctx) }()
	t.Cleanup(func() { quit(); <-done })
}

// store is an agent's end that notes what it hears.
type store struct {
	mu    sync.Mutex
	link  forward.Link
	came  int // how often it was told to greet
	gone  int
	heads []envelope.Head
}

func (s *store) Connected(l forward.Link) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.link, s.came = l, s.came+1
}

func (s *store) Disconnected() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.link, s.gone = nil, s.gone+1
}

func (s *store) Head(h envelope.Head) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.heads = append(s.heads, h)
}

func (s *store) heard() []envelope.Head {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]envelope.Head(nil), s.heads...)
}

func (s *store) greeted() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.came
}

func (s *store) publish(t *testing.T, topic string, payload []byte) {
	t.Helper()
	s.mu.Lock()
	l := s.link
	s.mu.Unlock()
	if l == nil {
		t.Fatal("the store has no line")
	}
	if err := l.Publish(t.Context(), topic, payload); err != nil {
		t.Fatal(err)
	}
}

func newStore(t *testing.T, d retail.DeviceID, url string) *store {
	t.Helper()
	s := &store{}
	up, err := uplink.New(uplink.Options{URL: url, Device: d, Password: secret(d), Version: "1", RetryLongest: 200 * time.Millisecond, Log: slog.New(slog.DiscardHandler)}, s)
	if err != nil {
		t.Fatal(err)
	}
	run(t, up.Run)
	until(t, "the store's line", func() bool { return s.greeted() > 0 })
	return s
}

func up(t *testing.T, l *link.Link) {
	t.Helper()
	until(t, "the hub's line", func() bool { return l.State().Connected })
}

func TestWhatIsSentArrivesInOrderAndIsAnswered(t *testing.T) {
	servers(t, func(t *testing.T, s server) {
		l, d := newHub(t, s, s.url(), "h1")
		up(t, l)
		a := newStore(t, "d1", s.url())
		const n = 500
		for i := range n {
			a.publish(t, topic.Up("d1", envelope.Sales), fmt.Appendf(nil, "%d", i))
		}
		until(t, "all batches", func() bool { return d.count() == n })
		for i, b := range d.batches {
			if b.device != "d1" || b.stream != envelope.Sales || string(b.payload) != fmt.Sprint(i) {
				t.Fatalf("batch %d is %q of %s/%s", i, b.payload, b.device, b.stream)
			}
		}
		until(t, "the last ack", func() bool { h := a.heard(); return len(h) > 0 && h[len(h)-1].Seq == n })
		a.publish(t, topic.Hello("d1", envelope.State), []byte(`{"nonce":"x1","device":"d1","stream":"state"}`))
		until(t, "the answer", func() bool { h := a.heard(); return h[len(h)-1].Nonce == "x1" })
	})
}

func TestTheLargestBatchPassesWhole(t *testing.T) {
	servers(t, func(t *testing.T, s server) {
		l, d := newHub(t, s, s.url(), "h1")
		up(t, l)
		a := newStore(t, "d1", s.url())
		big := bytes.Repeat([]byte{0, 1, 2, 255}, envelope.MaxPayload/4)
		a.publish(t, topic.Up("d1", envelope.Sales), big)
		until(t, "the batch", func() bool { return d.count() == 1 })
		if !bytes.Equal(d.batches[0].payload, big) {
			t.Error("it changed on the way")
		}
	})
}

func TestADeviceSpeaksAndHearsOnlyForItself(t *testing.T) {
	servers(t, func(t *testing.T, s server) {
		l, d := newHub(t, s, s.url(), "h1")
		up(t, l)
		two := newStore(t, "d2", s.url())
		for topic, payload := range map[string]string{topic.Up("d2", envelope.Sales): "stolen", topic.Hello("d2", envelope.Sales): `{"nonce":"x","device":"d2","stream":"sales"}`,
			topic.Head("d2", envelope.Sales): `{"hub":"h1","device":"d2","stream":"sales","seq":99}`, topic.Hub(): `{"hub":"h9","online":true}`} {
			thief := newStore(t, "d1", s.url()) // one broker throws it away in silence, another ends the connection
			thief.publish(t, topic, []byte(payload))
		}
		one := newStore(t, "d1", s.url())
		one.publish(t, topic.Up("d1", envelope.Sales), []byte("own"))
		until(t, "its own batch", func() bool { return d.count() > 0 })
		until(t, "its own ack", func() bool { return len(one.heard()) > 0 })
		if n := d.count(); n != 1 || d.batches[0].device != "d1" || len(d.hellos) != 0 {
			t.Errorf("the hub took %d batches, the first of %s, and %d hellos", n, d.batches[0].device, len(d.hellos))
		}
		if h := two.heard(); len(h) != 0 {
			t.Errorf("the other store heard %+v", h)
		}
		if r := l.State().Rival; r.Hub != "" {
			t.Errorf("a device passed for hub %s", r.Hub)
		}
	})
}

func TestBirthAndWill(t *testing.T) {
	servers(t, func(t *testing.T, s server) {
		wire := newCable(t, s.url())
		newStore(t, "d1", wire.url()) // before the hub: the state is retained
		l, d := newHub(t, s, s.url(), "h1")
		up(t, l)
		until(t, "the birth", func() bool { on, ok := d.online("d1"); return ok && on })
		wire.l.Close()
		wire.cut()
		until(t, "the will", func() bool { on, _ := d.online("d1"); return !on })
	})
}

func TestAHubThatComesBackWakesTheStores(t *testing.T) {
	servers(t, func(t *testing.T, s server) {
		wire := newCable(t, s.url())
		l, d := newHub(t, s, wire.url(), "h1")
		up(t, l)
		a := newStore(t, "d1", s.url())
		// The retained state may come before or after the line is ready: the store has greeted once or twice.
		was, since := a.greeted(), l.State().Since
		wire.cut()
		until(t, "the hub's new line", func() bool { st := l.State(); return st.Connected && st.Since.After(since) })
		until(t, "a new greeting", func() bool { return a.greeted() > was })
		a.publish(t, topic.Up("d1", envelope.Sales), []byte("after"))
		until(t, "the batch after it", func() bool { return d.count() == 1 })
	})
}

// TestWhatIsKeptIsAskedForAgain: a word that a broker dropped on a line that holds is not lost until the next connection.
func TestWhatIsKeptIsAskedForAgain(t *testing.T) {
	servers(t, func(t *testing.T, s server) {
		l, _ := newHub(t, s, s.url(), "h1")
		up(t, l)
		heard := make(chan string, 100)
		a := &store{}
		u, err := uplink.New(uplink.Options{URL: s.url(), Device: "d1", Password: secret("d1"), AskAgain: 100 * time.Millisecond, Log: slog.New(slog.DiscardHandler),
			Desired: func(word []byte) { heard <- string(word) }}, a)
		if err != nil {
			t.Fatal(err)
		}
		run(t, u.Run)
		until(t, "the store's line", func() bool { return a.greeted() > 0 })
		l.Desire("d1", []byte("first"))
		until(t, "the same word three times", func() bool { return len(heard) >= 3 })
		for range 3 {
			if w := <-heard; w != "first" {
				t.Fatalf("heard %q", w)
			}
		}
		l.Desire("d1", []byte("second"))
		until(t, "the next word", func() bool { return <-heard == "second" })
		if n := a.greeted(); n > 2 { // the hub's retained state may come before or after the line is ready
			t.Errorf("the store has greeted %d times", n)
		}
	})
}

func TestABrokerThatRestarts(t *testing.T) {
	servers(t, func(t *testing.T, s server) {
		a := newStore(t, "d2", s.url())
		s.stop()
		until(t, "the loss", func() bool { a.mu.Lock(); defer a.mu.Unlock(); return a.gone > 0 && a.link == nil })
		was := a.greeted()
		s.start(t)
		until(t, "the line again", func() bool { return a.greeted() > was })
	})
}

func TestTwoHubsNoticeEachOther(t *testing.T) {
	servers(t, func(t *testing.T, s server) {
		one, _ := newHub(t, s, s.url(), "h1")
		up(t, one)
		ctx, quit := context.WithCancel(t.Context())
		user, password := s.hub()
		two, err := link.New(link.Options{URL: s.url(), User: user, Password: password, Hub: "h2"}, &desk{})
		if err != nil {
			t.Fatal(err)
		}
		ended := make(chan struct{})
		go func() { defer close(ended); _ = two.Run(ctx) }()
		until(t, "the first to notice", func() bool { return one.State().Rival.Hub == "h2" })
		until(t, "the second to notice", func() bool { return two.State().Rival.Hub == "h1" })
		quit()
		<-ended
		until(t, "the first to be alone again", func() bool { return one.State().Rival.Hub == "" })
	})
}

func TestTheSameHubTwiceIsNoticed(t *testing.T) {
	servers(t, func(t *testing.T, s server) {
		one, _ := newHub(t, s, s.url(), "h1")
		up(t, one)
		two, _ := newHub(t, s, s.url(), "h1") // a copy of the database that somebody started
		until(t, "both to notice", func() bool { return one.State().Rival.Hub == "h1" && two.State().Rival.Hub == "h1" })
	})
}

// TestAHubWithoutRightsIsTold: a broker that lets it in and hears nothing of what it says must not look like a working line.
func TestAHubWithoutRightsIsTold(t *testing.T) {
	servers(t, func(t *testing.T, s server) {
		l, _ := newHubAs(t, "d1", secret("d1"), s.url(), "h1")
		until(t, "the reason", func() bool { return l.State().Err != nil })
		if st := l.State(); st.Connected || !strings.Contains(st.Err.Error(), "right") {
			t.Errorf("got %+v", st)
		}
	})
}

func TestTicketsThroughBreaks(t *testing.T) {
	if testing.Short() {
		t.Skip("2,000 tickets with broken lines")
	}
	servers(t, func(t *testing.T, s server) {
		const n = 2000
		user, password := s.hub()
		hubWire, wire := newCable(t, s.url()), newCable(t, s.url())
		h, err := line.StartHub(t.Context(), line.HubOptions{Dir: t.TempDir(), URL: hubWire.url(), User: user, Secret: password, Devices: []retail.DeviceID{"d1"}})
		if err != nil {
			t.Fatal(err)
		}
		a, err := line.OpenAgent(t.Context(), t.TempDir(), "d1")
		if err == nil {
			err = a.Start(t.Context(), wire.url(), secret("d1"))
		}
		if err != nil {
			t.Fatal(err)
		}
		sold := make(chan error, 1)
		go func() { sold <- a.Put(t.Context(), 0, n, 5) }()
		count := func() int {
			c, err := h.Store.CountEnvelopes(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			return c
		}
		for i, c := range []*cable{wire, hubWire, wire, hubWire} {
			until(t, "some tickets", func() bool { return count() >= (i+1)*n/8 })
			c.cut()
		}
		if err := <-sold; err != nil {
			t.Fatal(err)
		}
		until(t, "the end", func() bool { return a.Buffer.State(envelope.Sales).Waiting() == 0 })
		r, err := h.Store.VerifyChain(t.Context())
		if err != nil || r.Envelopes != n || len(r.Bad) != 0 {
			t.Errorf("%d of %d at the hub: %+v %v", count(), n, r, err)
		}
		a.Stop()
		h.Stop()
	})
}
