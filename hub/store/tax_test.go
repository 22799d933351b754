package store_test

import (
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tillpost/tillpost/hub/ledger"
	"github.com/tillpost/tillpost/hub/mapping"
	"github.com/tillpost/tillpost/hub/odoo"
	"github.com/tillpost/tillpost/hub/rollup"
	"github.com/tillpost/tillpost/hub/store"
	"github.com/tillpost/tillpost/hub/view"
)

// taxedTicket is one of 10.00 of toys, 5.00 less 1.00 of food, 1.12 of the state's tax and 0.45 of the city's. taxes are members of its lines, "" = its till
// does not say what is taxed.
func (g *rig) taxedTicket(id, toys, food string) {
	g.t.Helper()
	g.tell("ticket.v1", id, strings.NewReplacer("ID", id, "TOYS", toys, "FOOD", food).Replace(`{"id":"ID","number":"ID","location":"S1","till":"T1","at":"2026-11-20T10:00:00Z","currency":"USD","kind":"sale",
		"lines":[{"kind":"item","category":"Toys","amount":"10.00"TOYS},{"kind":"item","category":"Food 2 @ 5","amount":"5.00"FOOD},{"kind":"discount","code":"1 off ~ food","amount":"-1.00"FOOD},
		{"kind":"tax","code":"NY","amount":"1.12"},{"kind":"tax","code":"NYC","amount":"0.45"}],"tenders":[{"type":"cash","amount":"15.57"}]}`))
}

func newTaxRig(t *testing.T) *rig {
	g := newRig(t, t.TempDir())
	rule := func(r ledger.Role, code, account, tax string) mapping.Rule {
		return mapping.Rule{Role: r, Code: code, Target: mapping.Target{Account: account, Tax: tax}}
	}
	g.ok(g.SetRules(t.Context(), []mapping.Rule{rule(ledger.Tax, "NY", "251", "State tax"), rule(ledger.Tax, "NYC", "251", "City tax"), rule(ledger.TaxRefund, "*", "251", ""),
		rule(ledger.Discount, "*", "402", ""), rule(ledger.Returns, "*", "401", "")}, "test", ""))
	return g
}

// open confirms the location: until then its days wait.
func (g *rig) open() {
	g.t.Helper()
	g.place()
	g.ok(g.ConfirmTill(g.t.Context(), "S1", "T1", "anna"))
	g.later(24 * time.Hour)
}

// What tills told before they could say what is taxed is posted as it always was: the hash is that of a hub of that time.
func TestATicketThatDoesNotSayWhatIsTaxedIsPostedAsBefore(t *testing.T) {
	g := newTaxRig(t)
	g.taxedTicket("a", "", "")
	g.open()
	g.book()
	d := g.day("2026-11-20")
	if len(d.Documents) != 1 || d.Documents[0].Number != 1 {
		t.Fatalf("got documents %+v", d.Documents)
	}
	const before = "beeb7f7b5fd7170f48758f87e1b07a75bf6d305a4214b489bf3141c6064834b3"
	if got := d.Documents[0].Hash; got != before {
		t.Errorf("the document's hash is %s, want %s", got, before)
	}
	g.taxedTicket("a", "", "") // read again, by an agent of today
	g.later(time.Hour)
	if d := g.day("2026-11-20"); len(d.Documents) != 1 || len(d.Pending) != 0 || d.Tickets != 1 {
		t.Errorf("reading it again made %d documents, %d lines pending", len(d.Documents), len(d.Pending))
	}
}

const bothTaxes, stateTax = `,"taxes":["NY","NYC"]`, `,"taxes":["NY"]`

// bases are what the tax lines of a task's document tell, by tax and side, and what its items stand under.
func bases(ls []rollup.Line) map[string]int64 {
	out := map[string]int64{}
	for _, l := range ls {
		if l.Tax != "" {
			out[l.Tax+" tells"] += l.Base.Minor
		}
		for _, v := range l.Levies {
			out[v.Tax+" under "+map[bool]string{true: "back", false: "sold"}[v.Refund]] += l.Amount.Minor
		}
	}
	return out
}

func TestADayNamesTheTaxWhoseBaseNoTillTells(t *testing.T) {
	g := newTaxRig(t)
	g.taxedTicket("a", bothTaxes, stateTax)
	g.taxedTicket("b", "", "")
	g.open()
	box := store.Outbox{Store: g.Store}
	tasks, err := box.Claim(t.Context(), 10)
	g.ok(err)
	if len(tasks) != 1 {
		t.Fatalf("there are %d documents", len(tasks))
	}
	want := map[string]int64{"State tax tells": -1400, "State tax under sold": -1400, "City tax tells": -1000, "City tax under sold": -1000}
	if got := bases(tasks[0].Document.Lines); !maps.Equal(got, want) {
		t.Errorf("the document says %v, want %v", got, want)
	}
	d := g.day("2026-11-20")
	if len(d.Unbased) != 2 || d.Unbased[0].Label != "NY" || d.Unbased[0].Amount.Minor != 112 || d.Unbased[1].Label != "NYC" || d.Unbased[1].Amount.Minor != 45 {
		t.Errorf("without a base: %+v, want 1.12 of NY and 0.45 of NYC, of the ticket that tells nothing", d.Unbased)
	}
	g.book()

	// The till's new version says of the other ticket too what is taxed: the books get its base, and no tax and no revenue twice.
	g.tell("ticket.v1", "b", strings.Replace(`{"id":"b","number":"b","revision":2,"location":"S1","till":"T1","at":"2026-11-20T10:00:00Z","currency":"USD","kind":"sale","lines":[{"kind":"item","category":"Toys","amount":"10.00"BOTH},
		{"kind":"item","category":"Food 2 @ 5","amount":"5.00","taxes":["NY"]},{"kind":"discount","code":"1 off ~ food","amount":"-1.00","taxes":["NY"]},{"kind":"tax","code":"NY","amount":"1.12"},{"kind":"tax","code":"NYC","amount":"0.45"}],
		"tenders":[{"type":"cash","amount":"15.57"}]}`, "BOTH", bothTaxes, 1))
	g.later(time.Hour)
	tasks, err = box.Claim(t.Context(), 10)
	g.ok(err)
	if len(tasks) != 1 {
		t.Fatalf("there are %d documents", len(tasks))
	}
	sums := map[string]int64{}
	for _, l := range tasks[0].Document.Lines {
		sums[l.Account] += l.Amount.Minor
	}
	for account, n := range sums {
		if n != 0 {
			t.Errorf("account %s gets %d once more", account, n)
		}
	}
	if got := bases(tasks[0].Document.Lines); got["State tax under sold"] != -1400 || got["City tax under sold"] != -1000 {
		t.Errorf("the second document says %v", got)
	}
	if d := g.day("2026-11-20"); len(d.Unbased) != 0 {
		t.Errorf("still without a base: %+v", d.Unbased)
	}
	g.book()
	sent, unbased, err := g.TaxesSent(t.Context(), "2026-11-20", "2026-11-20")
	g.ok(err)
	state := sent[store.TaxKey{Tax: "State tax"}]
	if state.Sold.Minor != 224 || state.SoldBase.Minor != 1400 || state.Under.Minor != 2800 || len(unbased) != 0 {
		t.Errorf("sent: %+v, without a base %v", state, unbased)
	}
}

// A jurisdiction that moves to another tax in Odoo takes along what it is on: on days that are not posted, at once.
func TestARuleForATaxMovesItsBase(t *testing.T) {
	g := newTaxRig(t)
	g.taxedTicket("a", bothTaxes, stateTax)
	g.ok(g.SetRules(t.Context(), []mapping.Rule{{Role: ledger.Tax, Code: "NYC", Target: mapping.Target{Account: "252", Tax: "City tax, new"}}}, "test", ""))
	g.open()
	tasks, err := store.Outbox{Store: g.Store}.Claim(t.Context(), 10)
	g.ok(err)
	if got := bases(tasks[0].Document.Lines); got["City tax, new tells"] != -1000 || got["City tax tells"] != 0 || got["State tax under sold"] != -1400 {
		t.Errorf("the document says %v", got)
	}
}

// A rule for a tax is refused backwards once days were posted with what it is on, though not a cent of it was; a tax whose code is shorter has nothing to
// do with that.
func TestARuleForATaxIsRefusedWhereItsBaseIsPosted(t *testing.T) {
	g := newTaxRig(t)
	rule := func(code, tax string) error {
		return g.SetRules(t.Context(), []mapping.Rule{{Role: ledger.Tax, Code: code, Target: mapping.Target{Account: "299", Tax: tax}}}, "test", "")
	}
	g.ok(rule("N", "Short"))
	g.ok(rule("NY9", "Small"))
	g.taxedTicket("a", stateTax, `,"taxes":["NY9"]`)
	g.open()
	g.book()
	if err := rule("NY9", "Small, new"); err == nil {
		t.Error("the base of NY9 is posted, and its tax was changed backwards")
	}
	if err := rule("N", "Short, new"); err != nil {
		t.Errorf("nothing of N is posted: %v", err)
	}
}

// After a restore, a tax line whose rule leaves the account to the tax is not posted again because Odoo says which account that was.
func TestAnAdoptedTaxLineStaysAsItsRuleHasIt(t *testing.T) {
	g := newTaxRig(t)
	g.ok(g.SetRules(t.Context(), []mapping.Rule{{Role: ledger.Tax, Code: "NY", Target: mapping.Target{Tax: "State tax"}}}, "test", ""))
	g.taxedTicket("a", bothTaxes, stateTax)
	g.open()
	tasks, err := store.Outbox{Store: g.Store}.Claim(t.Context(), 10)
	g.ok(err)
	d := tasks[0].Document
	g.ok(g.Store.InTx(t.Context(), func(tx *store.Tx) error {
		_, err := tx.ExecContext(t.Context(), `DELETE FROM document`)
		return err
	}))
	d.Lines = slices.Clone(d.Lines)
	for i, l := range d.Lines {
		if l.Tax == "State tax" {
			d.Lines[i].Account = "251000"
		}
	}
	n, err := g.Adopt(t.Context(), []odoo.Adopted{{Document: d, Move: 7, Entry: "TPOS/1", Posted: true}})
	g.ok(err)
	g.later(time.Hour)
	if d := g.day("2026-11-20"); n != 1 || len(d.Documents) != 1 || len(d.Pending) != 0 {
		t.Errorf("%d adopted; then %d documents and %+v pending", n, len(d.Documents), d.Pending)
	}
}

// A line of what is taxed opens to its tickets, as every line does.
func TestALineOfWhatIsTaxedOpensToItsTickets(t *testing.T) {
	g := newTaxRig(t)
	g.taxedTicket("a", bothTaxes, stateTax)
	g.taxedTicket("b", "", "")
	g.open()
	lines := map[ledger.Account]int64{}
	for _, doc := range g.day("2026-11-20").Documents {
		for _, l := range doc.Lines {
			lines[l.Measure] = l.Amount.Minor
		}
	}
	both := ledger.Levied("sales:Toys", []ledger.Levy{{Code: "NY"}, {Code: "NYC"}})
	if lines[both] != -1000 || lines["sales:Toys"] != -1000 {
		t.Fatalf("the document has %v", lines)
	}
	for _, m := range []ledger.Account{both, "sales:Toys"} {
		p, err := g.LineTickets(t.Context(), view.LineKey{Location: "S1", Day: "2026-11-20", Document: 1, Measure: m, Limit: 10})
		if err != nil || p.Count != 1 || p.Sum.Minor != lines[m] {
			t.Errorf("%s: %d tickets of %s %v", m, p.Count, p.Sum, err)
		}
	}
	codes, err := g.Codes(t.Context(), "sales")
	if err != nil || !slices.Equal(codes, []string{"Food 2 @ 5", "Toys"}) {
		t.Errorf("codes: %q %v", codes, err)
	}
}
