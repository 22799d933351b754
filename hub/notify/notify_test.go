package notify_test

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"mime/quotedprintable"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/tillpost/tillpost/hub/cases"
	"github.com/tillpost/tillpost/hub/notify"
	"github.com/tillpost/tillpost/hub/upkeep"
	"github.com/tillpost/tillpost/shared/breaker"
	"github.com/tillpost/tillpost/shared/money"
	"github.com/tillpost/tillpost/test/fake/mail"
)

// memory keeps what the database keeps.
type memory struct {
	facts notify.Facts
	told  []notify.Trouble
	queue map[string][]notify.Notice // by channel
}

func (m *memory) Facts(context.Context) (notify.Facts, error) { return m.facts, nil }

func (m *memory) Decide(_ context.Context, channels []string, next func([]notify.Trouble) []notify.Notice) error {
	for _, n := range next(m.told) {
		for _, c := range channels {
			m.queue[c] = append(m.queue[c], n)
		}
		m.told = slices.DeleteFunc(m.told, func(t notify.Trouble) bool { return t.Key == n.Key })
		if n.Kind == notify.Begin {
			m.told = append(m.told, n.Trouble)
		}
	}
	return nil
}

func (m *memory) Due(_ context.Context, c string, most int) ([]notify.Notice, error) {
	return slices.Clone(m.queue[c][:min(most, len(m.queue[c]))]), nil
}

func (m *memory) Sent(_ context.Context, c, id string, err error) error {
	if err == nil {
		m.queue[c] = slices.DeleteFunc(m.queue[c], func(n notify.Notice) bool { return n.ID == id })
	}
	return nil
}

func newMemory() *memory { return &memory{queue: map[string][]notify.Notice{}} }

func heldDay() cases.Case {
	c := cases.New(cases.MissingProof, "S1 2026-11-20", time.Date(2026, 11, 21, 9, 0, 0, 0, time.UTC))
	c.Location, c.Day, c.Amount, c.Detail = "S1", "2026-11-20", money.Of(123450, "USD"), "agent store-17 has not read past the day's end"
	return c
}

func mailTo(t *testing.T) (*mail.Server, notify.Mail) {
	t.Helper()
	s, err := mail.Start()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	host, port, _ := net.SplitHostPort(s.Addr)
	n, _ := strconv.Atoi(port)
	return s, notify.Mail{Host: host, Port: n, From: "tillpost@example.com", To: []string{"finance@example.com"}, Base: "https://hub.example.com"}
}

func step(t *testing.T, m *memory, cs ...notify.Channel) {
	t.Helper()
	if err := (&notify.Teller{Store: m, Channels: cs, Log: slog.New(slog.DiscardHandler)}).Step(t.Context()); err != nil {
		t.Fatal(err)
	}
}

func body(t *testing.T, raw string) string {
	t.Helper()
	_, b, _ := strings.Cut(raw, "\r\n\r\n")
	text, err := io.ReadAll(quotedprintable.NewReader(strings.NewReader(b)))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func TestOneMailWhenItBeginsAndOneWhenItEnds(t *testing.T) {
	server, m := mailTo(t)
	store := newMemory()
	store.facts.Holding = []cases.Case{heldDay()}
	step(t, store, m)
	step(t, store, m)
	if got := server.Mails(); len(got) != 1 {
		t.Fatalf("got %d mails, want 1", len(got))
	}
	text := body(t, server.Mails()[0])
	for _, want := range []string{"A store-day is not proven complete", "S1 2026-11-20", "1234.50 USD", "See which proof is missing", "https://hub.example.com/case?id=missing_proof%3AS1+2026-11-20", "store-17"} {
		if !strings.Contains(text, want) {
			t.Errorf("the mail does not say %q:\n%s", want, text)
		}
	}
	store.facts = notify.Facts{}
	step(t, store, m)
	step(t, store, m)
	if got := server.Mails(); len(got) != 2 || !strings.Contains(got[1], "Subject: Tillpost: Over: ") {
		t.Fatalf("got %d mails: %v", len(got), got)
	}
	// It begins again: that is another trouble.
	again := heldDay()
	again.Opened = again.Opened.Add(48 * time.Hour)
	store.facts.Holding = []cases.Case{again}
	step(t, store, m)
	if got := server.Mails(); len(got) != 3 {
		t.Errorf("got %d mails, want 3", len(got))
	}
}

// A certificate is told of a month and a week before its end, each once, and once when it was renewed; a disk as it fills, once a level.
func TestACertificateIsToldThreeTimes(t *testing.T) {
	server, m := mailTo(t)
	store := newMemory()
	now := time.Now()
	tell := func(left time.Duration, free uint64) []string {
		s := upkeep.State{Disk: upkeep.Disk{Dir: "/data"}.Next(free<<20, now), Certificates: []upkeep.Certificate{{Name: "broker", At: "mq:8883", Ends: now.Add(left)}}}
		store.facts.Needs = s.Needs(now)
		step(t, store, m)
		step(t, store, m)
		return server.Mails()
	}
	day := 24 * time.Hour
	for i, x := range []struct {
		left  time.Duration
		free  uint64
		mails int
		says  string
	}{{40 * day, 5000, 0, ""}, {29 * day, 5000, 1, "certificate of the broker ends in 29 days"}, {12 * day, 5000, 1, ""}, {6 * day, 5000, 2, "certificate of the broker ends in 6 days"}, {-day, 5000, 2, ""}, {89 * day, 5000, 3, "Over: The certificate"},
		{89 * day, 900, 4, "The hub's disk fills"}, {89 * day, 800, 4, ""}, {89 * day, 100, 5, "almost full"}, {89 * day, 900, 5, ""}, {89 * day, 5000, 6, "Over: The hub's disk"}} {
		got := tell(x.left, x.free)
		if len(got) != x.mails || x.says != "" && !strings.Contains(strings.ReplaceAll(got[len(got)-1], "\r\n ", " "), x.says) {
			t.Fatalf("%d: %d mails, want %d that end in one that says %q:\n%s", i, len(got), x.mails, x.says, got[max(0, len(got)-1):])
		}
	}
}

// broken dies between deciding and sending.
type broken struct{ notify.Mail }

func (broken) Send(context.Context, notify.Notice) error { return errors.New("the process was killed") }

func TestWhatWasDecidedIsSentByWhoComesNext(t *testing.T) {
	server, m := mailTo(t)
	store := newMemory()
	store.facts.Holding = []cases.Case{heldDay()}
	step(t, store, broken{m})
	if len(server.Mails()) != 0 {
		t.Fatal("it was sent")
	}
	server.Fail(1)
	step(t, store, m) // the mail server is full
	step(t, store, m)
	step(t, store, m)
	if got := server.Mails(); len(got) != 1 {
		t.Errorf("got %d mails, want 1", len(got))
	}
}

func TestASignedHookThatIsDownHoldsUpNoMail(t *testing.T) {
	server, m := mailTo(t)
	status, bodies := http.StatusBadGateway, 0
	h := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b, _ := io.ReadAll(r.Body)
		if got := r.Header.Get(notify.SignatureHeader); got != notify.Sign("secret", r.Header.Get(notify.TimeHeader), b) {
			t.Errorf("the signature %q is wrong", got)
		}
		if r.Header.Get(notify.IDHeader) == "" || strings.Contains(string(b), "secret") {
			t.Errorf("headers %v, body %s", r.Header, b)
		}
		bodies++
		w.WriteHeader(status)
	}))
	defer h.Close()
	hook := notify.Hook{URL: h.URL, Secret: func() (string, error) { return "secret", nil }}
	store := newMemory()
	store.facts.Holding = []cases.Case{heldDay()}
	step(t, store, hook, m)
	if len(server.Mails()) != 1 || bodies != 1 {
		t.Fatalf("%d mails, %d hooks", len(server.Mails()), bodies)
	}
	status = http.StatusNoContent
	step(t, store, hook, m)
	step(t, store, hook, m)
	if len(server.Mails()) != 1 || bodies != 2 {
		t.Errorf("%d mails, %d hooks, want 1 and 2", len(server.Mails()), bodies)
	}
}

func TestWhatIsWorthAMessage(t *testing.T) {
	now := time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)
	f := func(want int, facts notify.Facts) {
		t.Helper()
		if got := notify.Troubles(facts, now); len(got) != want {
			t.Errorf("%+v: got %d, want %d", facts, len(got), want)
		}
	}
	lane := func(s breaker.State, since time.Duration) notify.Facts {
		return notify.Facts{Lanes: []breaker.Status{{Name: "odoo", State: s, Since: now.Add(-since)}}}
	}
	f(0, lane(breaker.Open, 14*time.Minute))
	f(1, lane(breaker.Open, 15*time.Minute))
	f(1, lane(breaker.Refused, time.Hour))
	f(0, lane(breaker.Closed, time.Hour))
	f(0, notify.Facts{Silent: []notify.Silence{{Location: "S1", Open: 23 * time.Hour}}})
	f(1, notify.Facts{Silent: []notify.Silence{{Location: "S1", Open: 24 * time.Hour}}})
	f(1, notify.Facts{Holding: []cases.Case{heldDay()}})
}
