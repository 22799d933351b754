package roll_test

import (
	"strings"
	"testing"
	"time"

	"github.com/tillpost/tillpost/hub/audit"
	"github.com/tillpost/tillpost/hub/cases"
	"github.com/tillpost/tillpost/hub/ledger"
	"github.com/tillpost/tillpost/hub/mapping"
	"github.com/tillpost/tillpost/hub/roll"
	"github.com/tillpost/tillpost/hub/rollup"
	"github.com/tillpost/tillpost/hub/view"
	"github.com/tillpost/tillpost/shared/money"
	"github.com/tillpost/tillpost/shared/retail"
)

var (
	key  = rollup.DayKey{Location: "S1", Day: "2026-11-20"}
	ends = time.Date(2026, 11, 21, 9, 0, 0, 0, time.UTC)
	opts = roll.Options{Rules: audit.Rules{Grace: time.Hour}, Books: rollup.Books{Journal: "TPOS", Suspense: "999"}, AutoApprove: true, Settle: 10 * time.Minute}
)

func usd(n int64) money.Amount { return money.Of(n, "USD") }

func day() roll.Day {
	return roll.Day{Facts: audit.Facts{Key: key, Ends: ends, Now: ends.Add(time.Minute), Marks: []audit.Mark{{Source: "a", Through: ends}}, Tickets: 1},
		Totals: rollup.Totals{"sales:Food": usd(-500), "tender:cash": usd(500)},
		Set:    mapping.Set{Rules: []mapping.Rule{{Role: ledger.Sales, Code: "*", Target: mapping.Target{Account: "400"}}, {Role: ledger.Tender, Code: "cash", Target: mapping.Target{Account: "101"}}}}}
}

func decide(t *testing.T, d roll.Day, o roll.Options) roll.Decision {
	t.Helper()
	dec, err := roll.Decide(d, o)
	if err != nil {
		t.Fatal(err)
	}
	return dec
}

func TestAProvenDayBecomesADocument(t *testing.T) {
	dec := decide(t, day(), opts)
	if dec.Document == nil || dec.State != roll.Posting || dec.Approved != "auto" || dec.Document.Number != 1 || len(dec.Document.Lines) != 2 || len(dec.Cases) != 0 {
		t.Errorf("got %+v", dec)
	}
}

func TestWhatHoldsADay(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*roll.Day, *roll.Options)
		says   string
	}{
		"a person":           {func(d *roll.Day, _ *roll.Options) { d.Hold = true }, "held"},
		"approval is asked":  {func(_ *roll.Day, o *roll.Options) { o.AutoApprove = false }, "approval"},
		"no books yet":       {func(_ *roll.Day, o *roll.Options) { o.Books = rollup.Books{} }, "odoo setup"},
		"too much suspense":  {func(d *roll.Day, o *roll.Options) { d.Totals["tender:gold"], o.SuspenseCap = usd(900), usd(100) }, "cap"},
		"the day still runs": {func(d *roll.Day, _ *roll.Options) { d.Now = ends.Add(-time.Hour) }, "ends at"},
	} {
		t.Run(name, func(t *testing.T) {
			d, o := day(), opts
			c.change(&d, &o)
			if dec := decide(t, d, o); dec.Document != nil || !strings.Contains(dec.Why, c.says) {
				t.Errorf("got %+v", dec)
			}
		})
	}
}

func TestAnUnknownCodeIsACaseAndStopsNothing(t *testing.T) {
	d := day()
	d.Totals["tender:gold"], d.Totals["tender:cash"] = usd(200), usd(300)
	dec := decide(t, d, opts)
	if dec.Document == nil || len(dec.Cases) != 1 || dec.Cases[0].ID != cases.ID(cases.UnknownCode, "tender:gold") || dec.Cases[0].Amount != usd(200) {
		t.Fatalf("got %+v", dec)
	}
	posted := *dec.Document
	// The code is mapped: what stood in suspense moves by a document of its own.
	d.Documents, d.States = []rollup.Document{posted}, []string{roll.Verified}
	d.Set.Rules = append(d.Set.Rules, mapping.Rule{Role: ledger.Tender, Code: "gold", Target: mapping.Target{Account: "102"}})
	dec = decide(t, d, opts)
	if dec.Document == nil || dec.Document.Kind != rollup.DeltaDocument || len(dec.Document.Lines) != 2 {
		t.Fatalf("got %+v", dec.Document)
	}
	for _, l := range dec.Document.Lines {
		if want := map[string]int64{"999": -200, "102": 200}[l.Account]; l.Amount.Minor != want {
			t.Errorf("%s on %s, want %d", l.Amount, l.Account, want)
		}
	}
}

func TestLateTicketsWaitUntilTheDayIsQuiet(t *testing.T) {
	d := day()
	first := *decide(t, d, opts).Document
	d.Documents, d.States, d.Totals = []rollup.Document{first}, []string{roll.Verified}, rollup.Totals{"sales:Food": usd(-700), "tender:cash": usd(700)}
	d.Changed = d.Now
	if dec := decide(t, d, opts); dec.Document != nil || !dec.Next.Equal(d.Now.Add(opts.Settle)) || dec.State != roll.Verified {
		t.Errorf("at once: %+v", dec)
	}
	d.Now = d.Now.Add(opts.Settle)
	dec := decide(t, d, opts)
	if dec.Document == nil || dec.Document.Number != 2 {
		t.Fatalf("later: %+v", dec)
	}
	for _, l := range dec.Document.Lines {
		if l.Amount.Minor != 200 && l.Amount.Minor != -200 {
			t.Errorf("the delta moves %s", l.Amount)
		}
	}
}

func TestWhatCameLateAndIsKeptBackIsSeen(t *testing.T) {
	for name, stop := range map[string]func(*roll.Day, *roll.Options){
		"a person holds it":      func(d *roll.Day, _ *roll.Options) { d.Hold = true },
		"of a till nobody knows": func(d *roll.Day, _ *roll.Options) { d.Unconfirmed = []string{"till T9"} },
		"too much in suspense":   func(d *roll.Day, o *roll.Options) { d.Totals["tender:gold"], o.SuspenseCap = usd(900), usd(100) },
	} {
		d, o := day(), opts
		d.Documents, d.States = []rollup.Document{*decide(t, d, o).Document}, []string{roll.Verified}
		d.Hold = true
		if dec := decide(t, d, o); dec.State != roll.Verified {
			t.Errorf("%s: nothing came late, and the day is %s", name, dec.State)
		}
		d.Hold = false
		d.Totals = rollup.Totals{"sales:Food": usd(-700), "tender:cash": usd(700)}
		if stop(&d, &o); d.Totals["tender:gold"].Minor != 0 {
			d.Totals["sales:Food"] = usd(-1600)
		}
		if dec := decide(t, d, o); dec.Document != nil || dec.State != roll.Waiting || dec.Why == "" {
			t.Errorf("%s: the day is %s (%q), and what came late of it is not in the books", name, dec.State, dec.Why)
		}
	}
}

func TestADaysStateIsItsWorstDocuments(t *testing.T) {
	d := day()
	d.Documents = []rollup.Document{*decide(t, d, opts).Document, {Key: key, Number: 2, Currency: "USD"}}
	for want, states := range map[string][]string{roll.Parked: {roll.Verified, roll.Parked}, roll.Waiting: {roll.Posted, roll.Waiting}, roll.Verified: {roll.Verified, roll.Verified}} {
		d.States = states
		if dec := decide(t, d, opts); dec.State != want {
			t.Errorf("%v: got %s, want %s", states, dec.State, want)
		}
	}
}

func TestWhoLetsADayGo(t *testing.T) {
	none := money.Of(0, "USD")
	for _, c := range []struct {
		name        string
		review      view.Review
		auto, stuck bool
		goes        bool
	}{
		{"head office says auto", view.ByDefault, true, false, true}, {"head office says a person", view.ByDefault, false, false, false},
		{"the location says auto", view.Auto, false, false, true}, {"the location says a person", view.ByPerson, true, false, false},
		{"auto, and something is in suspense", view.Auto, true, true, false},
	} {
		d := day()
		d.Review = c.review
		o := opts
		o.AutoApprove, o.SuspenseCap = c.auto, none // nothing in suspense goes by itself
		if c.stuck {
			d.Set.Rules = nil
		}
		if dec := decide(t, d, o); (dec.Document != nil) != c.goes {
			t.Errorf("%s: document %v, %s", c.name, dec.Document != nil, dec.Why)
		}
	}
}

func TestShadowKeepsDaysOutOfTheBooks(t *testing.T) {
	d := day()
	at := time.Date(2026, 11, 20, 9, 0, 0, 0, time.UTC)
	posted := rollup.Document{Key: d.Key, Number: 1}
	for _, c := range []struct {
		name   string
		rule   roll.ShadowRule
		begins time.Time
		until  retail.BusinessDate
		docs   []rollup.Document
		goes   bool
	}{
		{"never", roll.ShadowRule{}, at, "", nil, true},
		{"on", roll.ShadowRule{On: true}, at, "", nil, false},
		{"on, for a day that was posted before", roll.ShadowRule{On: true}, at, "", []rollup.Document{posted}, false},
		{"ended before it began", roll.ShadowRule{Ended: at.Add(-time.Second)}, at, "", nil, true},
		{"ended when it began", roll.ShadowRule{Ended: at}, at, "", nil, false},
		{"ended, and when it began is not known", roll.ShadowRule{Ended: at}, time.Time{}, "", nil, false},
		{"ended later, for a day that was posted before", roll.ShadowRule{Ended: at.Add(time.Hour)}, at, "", []rollup.Document{posted}, true},
		{"the location's first day is later", roll.ShadowRule{}, at, d.Key.Day.AddDays(1), nil, false},
		{"the location's first day is this one, whatever head office had", roll.ShadowRule{Ended: at.Add(time.Hour)}, at, d.Key.Day, nil, true},
		{"the location's first day has come, and head office's shadow is on", roll.ShadowRule{On: true}, at, d.Key.Day, nil, false},
	} {
		d := d
		d.Begins, d.ShadowUntil, d.Documents, d.ApprovedBy, d.Approved = c.begins, c.until, c.docs, "anna", true
		if len(c.docs) > 0 {
			d.States = []string{roll.Verified}
		}
		o := opts
		o.Shadow = c.rule
		dec := decide(t, d, o)
		if (dec.Document != nil) != c.goes {
			t.Errorf("%s: document %v, %s", c.name, dec.Document != nil, dec.Why)
		}
		v := roll.Voucher{Voucher: ledger.Voucher{Location: key.Location, Day: key.Day, Series: "dep-1", Kind: "deposit", Text: "deposit"}, Documents: c.docs, States: d.States, Begins: c.begins, ShadowUntil: c.until}
		if dec, err := roll.DecideVoucher(v, o); err != nil || strings.HasPrefix(dec.Why, "shadow") == c.goes {
			t.Errorf("%s: its deposit is %s: %s %v", c.name, dec.State, dec.Why, err)
		}
		if !c.goes && len(c.docs) == 0 && (dec.State != roll.Shadow || !strings.Contains(dec.Why, "shadow")) {
			t.Errorf("%s: it is %s: %s", c.name, dec.State, dec.Why)
		}
	}
}
