package store_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/tillpost/tillpost/hub/cases"
	"github.com/tillpost/tillpost/hub/meaning"
	"github.com/tillpost/tillpost/hub/store"
	"github.com/tillpost/tillpost/hub/view"
	"github.com/tillpost/tillpost/shared/decode"
	"github.com/tillpost/tillpost/shared/profile"
	"github.com/tillpost/tillpost/shared/retail"
)

// spread reads a till's file of lines and its file of payments, which together are its tickets.
const spread = `name='spread'
format='csv'
currency='USD'
zone='UTC'
times=['2006-01-02 15:04']
system='till'
scope='{Reg}'
spread='{Kind}{Line}'
[ticket]
id='{No}'
at='{Time}'
customer='{Customer?}'
[[line]]
kind='{Kind|lines}'
category='Toys'
amount='{Amount}'
[[tender]]
type='cash'
amount='{Paid}'
[table.lines]
L='item'
P='-'
`

// spreadRig reads by that profile.
func spreadRig(t *testing.T) *rig {
	t.Helper()
	g := newRig(t, t.TempDir())
	p, err := profile.Parse([]byte(spread))
	g.ok(err)
	read := meaning.Reader{Decoder: decode.Decoder{Profiles: func(_, _ string) (*profile.Profile, error) { return p, nil }}, Calendar: func(l retail.LocationCode) retail.Calendar {
		c, err := g.Calendar(t.Context(), l)
		g.ok(err)
		return c
	}}
	g.Clerk.Mean = read.Mean
	g.place()
	return g
}

// hand tells rows that one file has of ticket 7; each is Kind,Line,Amount,Paid,Customer.
func (g *rig) hand(file string, rows ...string) {
	g.t.Helper()
	g.handAs("R1", file, rows...)
}

func (g *rig) handAs(register, file string, rows ...string) {
	g.t.Helper()
	r := profile.Rows{Profile: "spread", File: file, Location: "S1", Header: []string{"Reg", "No", "Time", "Kind", "Line", "Amount", "Paid", "Customer"}}
	for i, text := range rows {
		r.Rows = append(r.Rows, profile.Row{N: i + 2, Cells: append([]string{register, "7", "2026-11-20 10:00"}, strings.Split(text, ",")...)})
	}
	e := g.line.seal(decode.Rows, "7", string(r.Body()))
	g.commit(e)
	g.roll()
}

// ticket is the one that register R1 rang up.
func (g *rig) ticket() view.TicketView {
	g.t.Helper()
	rows, err := g.FindTickets(g.t.Context(), view.TicketFilter{Find: "till|ticket|R1|7"})
	g.ok(err)
	if len(rows) != 1 {
		rows, err = g.FindTickets(g.t.Context(), view.TicketFilter{Find: "7"})
		g.ok(err)
	}
	if len(rows) == 0 {
		g.t.Fatal("there is no ticket")
	}
	v, err := g.TicketView(g.t.Context(), rows[0].ID)
	g.ok(err)
	return v
}

func (g *rig) openCases() (out []cases.Case) {
	g.t.Helper()
	all, err := g.Cases(g.t.Context(), false)
	g.ok(err)
	for _, c := range all {
		if c.Cause == cases.Refused || c.Cause == cases.Unbalanced {
			out = append(out, c)
		}
	}
	return out
}

func TestATicketSpreadOverFilesIsBookedOnceWhole(t *testing.T) {
	const one, two, pay = "L,1,10.00,,", "L,2,5.00,,", "P,1,,15.00,"
	for _, files := range [][][]string{
		{{one}, {two}, {pay}}, {{pay}, {two}, {one}}, {{one, two}, {pay}}, {{one}, {one, two}, {one, two, pay}}, {{pay}, {one, two}, {one, two}, {pay}}, {{one, pay}, {two, pay}},
	} {
		t.Run(fmt.Sprint(files), func(t *testing.T) {
			g := spreadRig(t)
			for i, rows := range files {
				g.hand(fmt.Sprintf("f%d.csv", i), rows...)
			}
			v := g.ticket()
			if v.Total.String() != "15.00 USD" || len(v.Lines) != 2 || len(v.Tenders) != 1 || v.Tenders[0].Amount.String() != "15.00 USD" || v.Decoding != "" {
				t.Errorf("the ticket is %s: %+v, %+v %s", v.Total, v.Lines, v.Tenders, v.Decoding)
			}
			if open := g.openCases(); len(open) > 0 {
				t.Errorf("cases stay open: %+v", open)
			}
			if d := g.day("2026-11-20"); d.Gross.String() != "15.00 USD" || d.Tickets != 1 {
				t.Errorf("the day has %s in %d tickets", d.Gross, d.Tickets)
			}
			if got := len(v.Shares) + 1; got < 2 {
				t.Errorf("its page shows %d records", got)
			}
		})
	}
}

// TestAnotherRegistersTicketUnderTheSameNumber is another ticket, and its troubles are its own.
func TestAnotherRegistersTicketUnderTheSameNumber(t *testing.T) {
	g := spreadRig(t)
	g.handAs("R2", "f1.csv", "L,1,99.00,,") // does not balance
	g.hand("f2.csv", "L,1,10.00,,")
	g.hand("f3.csv", "P,1,,10.00,")
	if d := g.day("2026-11-20"); d.Gross.String() != "10.00 USD" || d.Tickets != 1 {
		t.Errorf("the day has %s in %d tickets", d.Gross, d.Tickets)
	}
	open := g.openCases()
	if len(open) != 1 || open[0].Cause != cases.Unbalanced || !strings.Contains(open[0].Detail, "99.00") {
		t.Errorf("open cases: %+v", open)
	}
}

// TestAShareThatCannotBeReadHoldsItsTicketAlone: it is mended by a person, or by the till that tells it again.
func TestAShareThatCannotBeReadHoldsItsTicketAlone(t *testing.T) {
	t.Run("the till tells it again", func(t *testing.T) {
		g := spreadRig(t)
		g.hand("f1.csv", "L,1,ten,,")
		g.hand("f2.csv", "P,1,,10.00,")
		if open := g.openCases(); len(open) != 2 || !strings.Contains(open[1].Detail, "f1.csv, row 2") {
			t.Fatalf("open cases: %+v", open)
		}
		g.hand("f1.csv", "L,1,10.00,,")
		if open := g.openCases(); len(open) > 0 || g.ticket().Total.String() != "10.00 USD" {
			t.Errorf("it is %s, and open cases: %+v", g.ticket().Total, open)
		}
	})
	t.Run("a person mends it", func(t *testing.T) {
		g := spreadRig(t)
		g.hand("f1.csv", "L,1,ten,,")
		first := g.openCases()[0]
		g.hand("f2.csv", "P,1,,10.00,")
		v, err := g.CaseView(t.Context(), first.ID)
		g.ok(err)
		g.ok(g.Act(t.Context(), first.ID, view.Act{What: "edit", Body: strings.Replace(string(v.Raw.Body), "ten", "10.00", 1), Who: "anna", Reason: "typed"}))
		g.roll()
		got := g.ticket()
		if open := g.openCases(); len(open) > 0 || got.Total.String() != "10.00 USD" || got.Decoding != "" || len(got.Lines) != 1 {
			t.Errorf("it is %s (%s), and open cases: %+v", got.Total, got.Decoding, open)
		}
	})
}

func TestALateShareOfAPostedDayIsADelta(t *testing.T) {
	g := spreadRig(t)
	g.hand("f1.csv", "L,1,10.00,,", "P,1,,10.00,")
	g.later(48 * time.Hour)
	g.book()
	g.hand("f2.csv", "L,2,5.00,,", "P,2,,5.00,")
	g.later(48 * time.Hour)
	g.book()
	d := g.day("2026-11-20")
	if d.Gross.String() != "15.00 USD" || len(d.Documents) != 2 {
		t.Errorf("the day has %s in %d documents", d.Gross, len(d.Documents))
	}
}

func TestACustomerIsErasedFromEveryShare(t *testing.T) {
	g := spreadRig(t)
	g.hand("f1.csv", "L,1,10.00,,")
	g.hand("f2.csv", "P,1,,10.00,c9")
	n, err := g.Erase(t.Context(), "", "till", "c9", "anna", "asked")
	if err != nil || n != 2 {
		t.Fatalf("%d records, %v", n, err)
	}
	for id := range int64(2) {
		if _, err := g.Body(t.Context(), id+1); !errors.Is(err, store.ErrErased) {
			t.Errorf("record %d can still be read: %v", id+1, err)
		}
	}
	g.hand("f3.csv", "L,2,5.00,,")
	if d := g.day("2026-11-20"); d.Gross.String() != "10.00 USD" {
		t.Errorf("the day has %s", d.Gross)
	}
	if open := g.openCases(); len(open) != 1 || !strings.Contains(open[0].Detail, "erased") {
		t.Errorf("open cases: %+v", open)
	}
	if r, err := g.VerifyChain(t.Context()); err != nil || len(r.Bad) > 0 || r.Erased != 2 {
		t.Errorf("the chain: %+v, %v", r, err)
	}
}

func TestANumberUnderWhichEverythingStands(t *testing.T) {
	g := spreadRig(t)
	for i := range 202 {
		g.hand("f.csv", fmt.Sprintf("L,%d,1.00,,", i), fmt.Sprintf("P,%d,,1.00,", i))
	}
	if got := g.ticket().Total.String(); got != "200.00 USD" {
		t.Errorf("the ticket is %s", got)
	}
	if open := g.openCases(); len(open) != 2 || !strings.Contains(open[0].Detail, "more than 200") {
		t.Errorf("%d open cases: %.500v", len(open), open)
	}
}
