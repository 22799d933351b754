package attack

import (
	"bytes"
	"math"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tillpost/tillpost/hub/cases"
	"github.com/tillpost/tillpost/hub/ledger"
	"github.com/tillpost/tillpost/hub/rollup"
	"github.com/tillpost/tillpost/shared/envelope"
	"github.com/tillpost/tillpost/shared/fault"
	"github.com/tillpost/tillpost/shared/money"
	"github.com/tillpost/tillpost/shared/retail"
)

// Bodies are opaque: what JSON would escape and what is no JSON at all must come out byte for byte.
func TestCodecKeepsEveryByte(t *testing.T) {
	c := envelope.NewCodec()
	var prev envelope.Sum
	var batch envelope.Batch
	for i, body := range []string{`{"name": "A&B <x>"}`, "date,total\n2026", "\x00\xff\xfe", "", strings.Repeat("é", 70_000)} {
		e := envelope.Envelope{Device: device, Stream: envelope.Sales, Pos: envelope.Position{Seq: uint64(i + 1)}, Location: "S 1/ü", Kind: "k", Key: `"<&>`,
			ContentType: "text/csv", At: now.Add(123456789), Body: []byte(body)}.Seal(prev)
		prev = e.Sum
		batch = append(batch, e)
	}
	got, err := c.Decode(c.Encode(batch))
	if err != nil {
		t.Fatal(err)
	}
	for i := range batch {
		if err := got[i].Verify(); err != nil || !bytes.Equal(got[i].Body, batch[i].Body) || got[i].Sum != batch[i].Sum || got[i].Prev != batch[i].Prev || !got[i].At.Equal(batch[i].At) {
			t.Errorf("%d: got %+v (%v), want %+v", i, got[i], err, batch[i])
		}
	}
}

// A tender in another currency is refused with a case, and it stops neither the tickets behind it nor another store's day.
func TestMixedCurrencies(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, h := newAgent(t, t.TempDir()), newHub(t, t.TempDir())
		defer h.stop()
		a.add(strings.Replace(ticket("mixed", "1.00"), `"tenders":[{"type":"cash"`, `"tenders":[{"currency":"CAD","type":"cash"`, 1), ticket("after", "5.00"))
		connect(a, h)
		a.wantSettled(h)
		if got := h.booked(); len(got) != 1 || got["after"] != 500 {
			t.Errorf("booked %v", got)
		}
		if h.causes()[cases.Refused] != 1 {
			t.Errorf("cases %v", h.causes())
		}
	})
	usd, cad := entry(t, "USD"), entry(t, "CAD")
	day, err := rollup.Fold(nil, usd, 1)
	if err != nil {
		t.Fatal(err)
	}
	kept := day["tender:cash"]
	if _, err := rollup.Fold(day, cad, 1); err == nil {
		t.Error("dollars of two countries were added up")
	}
	if day["tender:cash"] != kept {
		t.Error("the entry that does not fit changed the day")
	}
	if other, err := rollup.Fold(nil, cad, 1); err != nil || other["tender:cash"] != money.Of(100, "CAD") {
		t.Errorf("another store's day: %v %v", other, err)
	}
}

func entry(t *testing.T, c string) ledger.Entry {
	t.Helper()
	x, err := retail.DecodeTicket([]byte(strings.ReplaceAll(ticket("1", "1.00"), "USD", c)))
	if err != nil {
		t.Fatal(err)
	}
	e, _, err := ledger.Post(x, "2026-11-20", now)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// Sums beyond 64 bits are an error, not a small number.
func TestOverflow(t *testing.T) {
	x := retail.Ticket{Key: retail.Key{ID: "o"}, Location: "S1", At: now, Kind: retail.Sale, Currency: "USD"}
	for _, n := range []int64{math.MaxInt64, math.MaxInt64, 2} {
		x.Lines = append(x.Lines, retail.Line{Kind: retail.Item, Amount: money.Of(n, "USD")})
	}
	if err := x.Validate(now); !fault.Is(err, fault.Invalid) {
		t.Errorf("validate: %v", err)
	}
	if total, err := x.Total(); err == nil {
		t.Errorf("total: %v", total)
	}
	big := ledger.Entry{Postings: []ledger.Posting{{Debit: "tender:cash", Credit: "control", Amount: money.Of(math.MaxInt64, "USD")}}}
	day, err := rollup.Fold(nil, big, 1)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := rollup.Fold(day, big, 1); err == nil {
		t.Errorf("a day of %v", got)
	}
}

// The business day on both days on which the clocks change: "local time minus the cutoff" is an hour wrong on each.
func TestDaylightSaving(t *testing.T) {
	zone, err := time.LoadLocation("America/New_York")
	if err != nil {
		t.Fatal(err)
	}
	g := retail.Trading{Zone: zone, Cutoff: retail.Clock{Hour: 4}}
	f := func(month time.Month, day, hour, minute int, want retail.BusinessDate) {
		t.Helper()
		at := time.Date(2026, month, day, hour, minute, 0, 0, zone)
		if got := g.Day(at); got != want {
			t.Errorf("%v: day %s, want %s", at, got, want)
		}
	}
	f(3, 8, 3, 59, "2026-03-07")
	f(3, 8, 4, 30, "2026-03-08") // minus four hours this is still the seventh
	f(11, 1, 3, 30, "2026-10-31")
	f(11, 1, 4, 0, "2026-11-01")
	first := time.Date(2026, 11, 1, 5, 30, 0, 0, time.UTC) // 01:30 the first time
	if a, b := g.Day(first), g.Day(first.Add(time.Hour)); a != b || a != "2026-10-31" {
		t.Errorf("the hour that comes twice: %s and %s", a, b)
	}
	for d := retail.BusinessDate("2026-01-01"); d < "2027-01-01"; d = d.AddDays(1) {
		if g.Day(g.Start(d)) != d || g.Day(g.End(d).Add(-1)) != d {
			t.Fatalf("%s does not hold its own first and last instant", d)
		}
	}
}
