package store_test

import (
	"strings"
	"testing"
	"time"

	"github.com/tillpost/tillpost/hub/ingest"
	"github.com/tillpost/tillpost/hub/meaning"
	"github.com/tillpost/tillpost/hub/store"
	"github.com/tillpost/tillpost/hub/view"
	"github.com/tillpost/tillpost/shared/decode"
	"github.com/tillpost/tillpost/shared/envelope"
	"github.com/tillpost/tillpost/shared/profile"
	"github.com/tillpost/tillpost/shared/retail"
)

// A profile and its fixes: they differ in what "1.234" is, and in the form of times.
const (
	pointText = "name='own'\nformat='csv'\ncurrency='USD'\nzone='UTC'\ntimes=['2006-01-02 15:04']\nsystem='till'\n[ticket]\nid='{No}'\nat='{Time}'\n[[line]]\nkind='item'\ncategory='Toys'\namount='{Amount}'\n[[tender]]\ntype='cash'\n"
	commaText = "decimal=','\ngroup='.'\n" + pointText
)

var timesText = strings.Replace(commaText, "'2006-01-02 15:04'", "'2006-01-02 15:04', '02.01.2006 15:04'", 1)

// profileRig reads rows by what the store knows of their profiles, as the hub does.
func profileRig(t *testing.T, dir string) *rig {
	t.Helper()
	g := newRig(t, dir)
	read := meaning.Reader{Decoder: decode.Decoder{Profiles: func(name, version string) (*profile.Profile, error) {
		text, err := g.Profile(t.Context(), name, version)
		g.ok(err)
		if p, ok := decode.Shipped(name, version); ok && len(text) == 0 {
			return p, nil
		}
		if len(text) == 0 {
			return nil, decode.Unknown(name, version)
		}
		return profile.Parse(text)
	}}, Calendar: func(l retail.LocationCode) retail.Calendar {
		c, err := g.Calendar(t.Context(), l)
		g.ok(err)
		return c
	}}
	g.Clerk.Mean = read.Mean
	g.place()
	return g
}

func (g *rig) sendProfile(text string) {
	g.t.Helper()
	g.tell(decode.Profile, "own", text)
}

// file tells one ticket's row, made with a profile's text; "" = by an agent that does not say it.
func (g *rig) file(text, id, at, amount string) {
	g.t.Helper()
	r := profile.Rows{Profile: "own", File: "f.csv", Location: "S1", Header: []string{"No", "Time", "Amount"}, Rows: []profile.Row{{N: 2, Cells: []string{id, at, amount}}}}
	if text != "" {
		r.Version = profile.VersionOf([]byte(text))
	}
	g.tell(decode.Rows, id, string(r.Body()))
}

func (g *rig) mend() (booked, left int) {
	g.t.Helper()
	booked, left, err := g.Reprocess(g.t.Context(), "", g.Mean, "anna")
	g.ok(err)
	g.roll()
	return booked, left
}

// totals are the day's gross and the reasons of what is refused.
func (g *rig) totals(want string, refused ...string) {
	g.t.Helper()
	if got := g.day("2026-11-20").Gross.String(); got != want {
		g.t.Errorf("the day has %s, want %s", got, want)
	}
	open := g.openCases()
	if len(open) != len(refused) {
		g.t.Errorf("cases: %+v, want %d", open, len(refused))
		return
	}
	for i, c := range open {
		if !strings.Contains(c.Detail, refused[i]) {
			g.t.Errorf("the case says %q, want %q", c.Detail, refused[i])
		}
	}
}

const at = "2026-11-20 10:00"

func TestRowsAreReadByTheVersionTheyWereMadeWith(t *testing.T) {
	g := profileRig(t, t.TempDir())
	g.sendProfile(pointText)
	g.file(pointText, "1", at, "1.234")
	g.sendProfile(commaText)
	g.file(commaText, "2", at, "1.234")
	g.file(pointText, "3", at, "1.234") // waited in the buffer while the profile was changed
	g.totals("1236.46 USD")
	g.file("", "4", at, "2.000") // an agent of before: by the last that came
	g.totals("3236.46 USD")
	for id, want := range map[string]string{"1": "1.23 USD", "2": "1234.00 USD", "3": "1.23 USD"} {
		if v := g.see("till|ticket||" + id); v.Total.String() != want || len(v.Lines) != 1 || v.Lines[0].Amount.String() != want || v.Decoding != "" {
			t.Errorf("ticket %s is shown as %s with %+v %s, want %s", id, v.Total, v.Lines, v.Decoding, want)
		}
	}
	if booked, left := g.mend(); booked != 0 || left != 0 {
		t.Errorf("booked %d, left %d of nothing", booked, left)
	}
	g.totals("3236.46 USD")
	known, err := g.Profiles(t.Context(), nil)
	g.ok(err)
	if len(known) != 1 || known[0].Versions != 2 {
		t.Errorf("known are %+v", known)
	}
}

// Rows whose version has not come wait for it and for no other, and are booked by it when it comes.
func TestRowsWaitForTheirVersion(t *testing.T) {
	g := profileRig(t, t.TempDir())
	g.sendProfile(commaText)
	g.file(pointText, "1", at, "1.234")
	g.sell("j1", "2026-11-20T10:00:00Z")
	g.totals("10.00 USD", "has not come")
	if booked, left := g.mend(); booked != 0 || left != 1 {
		t.Errorf("booked %d, left %d: they were read by another's", booked, left)
	}
	g.sendProfile(pointText)
	if booked, left := g.mend(); booked != 1 || left != 0 {
		t.Errorf("booked %d, left %d", booked, left)
	}
	g.totals("11.23 USD")
}

// What a profile refuses is read again by its fix; what it booked is not.
func TestAFixBooksWhatWasRefused(t *testing.T) {
	g := profileRig(t, t.TempDir())
	g.sendProfile(pointText)
	g.file(pointText, "1", at, "1.234")
	g.file(pointText, "2", "20.11.2026 10:00", "1.234")
	g.file(pointText, "3", "20/11/2026 10:00", "1.234")
	g.totals("1.23 USD", "not a time", "not a time")
	if booked, left := g.mend(); booked != 0 || left != 2 {
		t.Errorf("booked %d, left %d before the fix", booked, left)
	}
	g.sendProfile(timesText)
	if booked, left := g.mend(); booked != 1 || left != 1 {
		t.Errorf("booked %d, left %d by the fix", booked, left)
	}
	g.totals("1235.23 USD", "by the profile as the store sent it since")
	g.sendProfile(pointText) // whatever comes after: it stays as it was booked
	if v := g.see("till|ticket||2"); v.Total.String() != "1234.00 USD" || len(v.Lines) != 1 || v.Lines[0].Amount.String() != "1234.00 USD" || v.Decoding != "" {
		t.Errorf("shown as %s with %+v %s", v.Total, v.Lines, v.Decoding)
	}
	g.ok(g.SetProfile(t.Context(), "own", []byte(strings.Replace(timesText, "15:04']", "15:04', '02/01/2006 15:04']", 1)), "anna", "a till writes strokes"))
	if booked, left := g.mend(); booked != 1 || left != 0 {
		t.Errorf("booked %d, left %d by the hub's own", booked, left)
	}
	g.totals("2469.23 USD")
}

// Another store's text of the same name fixes nothing here.
func TestAnotherStoresTextFixesNothing(t *testing.T) {
	g := profileRig(t, t.TempDir())
	g.sendProfile(pointText)
	g.sell("j1", "2026-11-20T10:00:00Z")
	g.file(pointText, "2", "20.11.2026 10:00", "1.234")
	g.otherSends(timesText)
	if booked, left := g.mend(); booked != 0 || left != 1 {
		t.Errorf("booked %d, left %d", booked, left)
	}
	g.totals("10.00 USD", "not a time")
}

// Each share of a ticket is read by its version; a fix reads what was refused, together with what was not.
func TestSharesAreReadByTheirVersions(t *testing.T) {
	comma := "decimal=','\ngroup='.'\n" + spread
	for name, c := range map[string]struct {
		first, second string // texts
		line, pay     string
		fix           string // comes between them
		want          string
	}{
		"changed between":    {spread, comma, "L,1,1.230,,", "P,1,,1-23,", comma, "1.23 USD"},
		"the other way":      {comma, spread, "L,1,1.230,,", "P,1,,1230.00,", spread, "1230.00 USD"},
		"the first is fixed": {spread, comma, "L,1,1-23,,", "P,1,,1-23,", comma, "1.23 USD"},
	} {
		t.Run(name, func(t *testing.T) {
			g := profileRig(t, t.TempDir())
			g.tell(decode.Profile, "spread", c.first)
			g.handBy(c.first, "a.csv", c.line)
			g.tell(decode.Profile, "spread", c.fix)
			g.mend()
			g.handBy(c.second, "b.csv", c.pay)
			v := g.ticket()
			if v.Total.String() != c.want || len(v.Lines) != 1 || v.Lines[0].Amount.String() != c.want || v.Decoding != "" {
				t.Errorf("it is %s with %+v %s, want %s", v.Total, v.Lines, v.Decoding, c.want)
			}
			if open := g.openCases(); len(open) > 0 {
				t.Errorf("cases stay open: %+v", open)
			}
		})
	}
}

// A share whose version has not come is not read by another to make a ticket whole; it counts from when that comes.
func TestAShareWaitsForItsVersion(t *testing.T) {
	comma := "decimal=','\ngroup='.'\n" + spread
	g := profileRig(t, t.TempDir())
	g.tell(decode.Profile, "spread", comma)
	g.handBy(spread, "a.csv", "L,1,1.230,,")
	g.handBy(comma, "b.csv", "P,1,,1230-00,")
	if rows, err := g.FindTickets(t.Context(), view.TicketFilter{Find: "till|ticket|R1|7"}); err != nil || len(rows) != 0 {
		t.Errorf("it is booked by a version that is not its own: %+v, %v", rows, err)
	}
	g.handBy(comma, "c.csv", "P,1,,1-23,")
	g.tell(decode.Profile, "spread", spread)
	g.mend()
	if v := g.ticket(); v.Total.String() != "1.23 USD" || v.Lines[0].Amount.String() != "1.23 USD" {
		t.Errorf("it is %s with %+v", v.Total, v.Lines)
	}
	if open := g.openCases(); len(open) > 0 {
		t.Errorf("cases stay open: %+v", open)
	}
}

// handBy tells rows of ticket 7 that were made with a text; a cell's "-" is a comma.
func (g *rig) handBy(text, file, row string) {
	g.t.Helper()
	r := profile.Rows{Profile: "spread", Version: profile.VersionOf([]byte(text)), File: file, Location: "S1", Header: []string{"Reg", "No", "Time", "Kind", "Line", "Amount", "Paid", "Customer"}}
	cells := append([]string{"R1", "7", at}, strings.Split(row, ",")...)
	for i := 5; i < len(cells); i++ {
		cells[i] = strings.ReplaceAll(cells[i], "-", ",")
	}
	r.Rows = []profile.Row{{N: 2, Cells: cells}}
	g.tell(decode.Rows, "7", string(r.Body()))
}

// otherSends has the device of another store send a profile.
func (g *rig) otherSends(text string) {
	g.t.Helper()
	g.ok(g.Store.InTx(g.t.Context(), func(tx *store.Tx) error { return tx.AddDevice(g.t.Context(), "d2", "y", "test") }))
	g.ok(g.Store.InTx(g.t.Context(), func(tx *store.Tx) error { return tx.Assign(g.t.Context(), "d2", "S2", time.Unix(0, 0), "anna") }))
	other := line{device: "d2", epoch: envelope.NewEpoch()}
	e := other.seal(decode.Profile, "own", text)
	e.Location, e.Part, e.Parts = "", 1, 1
	g.ok(g.Store.Commit(g.t.Context(), []ingest.Advance{{Envs: []ingest.Accepted{{Env: &e}}}}))
}

// see is the page of a ticket by its key.
func (g *rig) see(key string) view.TicketView {
	g.t.Helper()
	rows, err := g.FindTickets(g.t.Context(), view.TicketFilter{Find: key})
	g.ok(err)
	if len(rows) != 1 {
		g.t.Fatalf("there are %d tickets %s", len(rows), key)
	}
	v, err := g.TicketView(g.t.Context(), rows[0].ID)
	g.ok(err)
	return v
}
