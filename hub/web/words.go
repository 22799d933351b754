package web

import (
	"cmp"
	"slices"
	"strings"

	"github.com/tillpost/tillpost/hub/ledger"
	"github.com/tillpost/tillpost/hub/lockdate"
	"github.com/tillpost/tillpost/hub/rollup"
	"github.com/tillpost/tillpost/hub/view"
	"github.com/tillpost/tillpost/shared/breaker"
	"github.com/tillpost/tillpost/shared/money"
)

// badge is a state in a word, a colour, and the sentence behind it.
type badge struct{ Text, Tone, Hint string }

// states words the life of a store-day or document (DESIGN D10).
var states = map[string]badge{
	"open":     {"open", "calm", "The day is running, or tickets may still come."},
	"complete": {"complete", "calm", "All its tickets are here."},
	"audited":  {"audited", "calm", "Its figures were checked; it waits for approval."},
	"approved": {"approved", "calm", "It goes to Odoo next."},
	"posting":  {"posting", "calm", "It is on its way into Odoo."},
	"posted":   {"posted", "good", "It is in Odoo's books; reading back what stands there is next."},
	"verified": {"verified", "good", "It is in Odoo's books, read back and equal to the cent."},
	"parked":   {"parked", "bad", "Odoo refuses it: see its case."},
	"accepted": {"accepted", "warn", "A person lives with it as it stands in Odoo: its steps say who and why."},
	"shadow":   {"shadow", "calm", "It runs beside the old way: compared with what that posted, and not posted."},
	"waiting":  {"waiting", "warn", "It, or what came late of it, is not in Odoo yet: what it waits for stands beside it."},
}

// dayStates is what the list of days can be narrowed to, in the order of a day's life.
var dayStates = []string{"open", "complete", "audited", "shadow", "posting", "posted", "verified", "waiting", "parked", "accepted"}

// connections words how a connection to another system stands.
var connections = map[breaker.State]badge{
	breaker.Closed:   {"works", "good", "It answers."},
	breaker.Open:     {"rests", "warn", "It did not answer; it is asked again by itself."},
	breaker.HalfOpen: {"being tried", "warn", "It did not answer; it is being asked again."},
	breaker.Refused:  {"refused", "bad", "It refuses us for good: see its case."},
}

func connectionOf(s breaker.State) badge {
	if b, ok := connections[s]; ok {
		return b
	}
	return badge{string(s), "warn", ""}
}

func stateOf(d view.DayView) badge {
	if d.Hold {
		return badge{"on hold", "warn", "A person holds it back; nothing is posted until it is released."}
	}
	return wordOf(d.State)
}

func docState(state string) badge {
	if state == "" {
		return badge{"preview", "calm", "What would be posted if the day closed now."}
	}
	return wordOf(state)
}

func wordOf(state string) badge {
	if b, ok := states[state]; ok {
		return b
	}
	return badge{state, "calm", ""}
}

// roles orders and names the measures as a controller reads a day: what was sold, what was owed, how it was paid.
var roles = []struct {
	role  ledger.Role
	title string
	hint  string
}{
	{ledger.Sales, "Sales", "by category, without tax"},
	{ledger.Returns, "Returns", "by category, without tax"},
	{ledger.Discount, "Discounts", ""},
	{ledger.Shipping, "Shipping", ""},
	{ledger.Fee, "Fees", ""},
	{ledger.Tax, "Tax on sales", "the till's own cents, by jurisdiction"},
	{ledger.TaxRefund, "Tax on returns", "the till's own cents, by jurisdiction"},
	{ledger.GiftCard, "Gift cards sold", "a liability, not a sale"},
	{ledger.Tip, "Tips", "owed to staff"},
	{ledger.Deposit, "Customer deposits", ""},
	{ledger.House, "House accounts", ""},
	{ledger.PaidIn, "Paid in", ""},
	{ledger.PaidOut, "Paid out", ""},
	{ledger.OverShort, "Cash over and short", ""},
	{ledger.Rounding, "Cash rounding", ""},
	{ledger.Tender, "Tenders", "one clearing line each"},
	{ledger.Bank, "At the bank", "by account"},
	{ledger.Charge, "Kept back", "by processor or bank"},
	{ledger.Dispute, "In dispute", "neither won nor lost"},
	{ledger.Loss, "Lost", ""},
	{ledger.Role("reversed"), "Taken back, and matched already", "for a person to decide"},
	{ledger.Control, "Control", "nets to zero in each entry"},
}

func roleTitle(r ledger.Role) string {
	for _, x := range roles {
		if x.role == r {
			return x.title
		}
	}
	return string(r)
}

func roleHint(r ledger.Role) string {
	for _, x := range roles {
		if x.role == r {
			return x.hint
		}
	}
	return ""
}

func roleRank(r ledger.Role) int {
	for i, x := range roles {
		if x.role == r {
			return i
		}
	}
	return len(roles)
}

// measureLabel is a measure for people: "Tenders: cash".
func measureLabel(a ledger.Account) string {
	if a == "" {
		return "All tickets"
	}
	r, code := a.Split()
	if code == "" {
		return roleTitle(r) + taxed(a)
	}
	return roleTitle(r) + ": " + code + taxed(a)
}

// taxed says which taxes a measure is the base of. An exchange has goods sold whose tax was given back and goods taken back that lessen a sale's tax:
// they stand on lines of their own and must not look like those beside them.
func taxed(a ledger.Account) string {
	role, _ := a.Split()
	var usual, across []string
	for _, l := range a.Levies() {
		if l.Back == (role == ledger.Returns) {
			usual = append(usual, l.Code)
		} else {
			across = append(across, l.Code)
		}
	}
	words := "tax given back: "
	if role == ledger.Returns {
		words = "off a sale's tax: "
	}
	return within("taxed ", usual) + within(words, across)
}

func within(words string, codes []string) string {
	if len(codes) == 0 {
		return ""
	}
	return " (" + words + strings.Join(codes, ", ") + ")"
}

// lineLabel is a line's name under its group's title: its own label, or the till's code.
func lineLabel(l view.LineView) string {
	if r, code := l.Measure.Split(); l.Label == string(l.Measure) {
		if code == "" {
			return roleTitle(r) + taxed(l.Measure)
		}
		return code + taxed(l.Measure)
	}
	return l.Label
}

// group is the lines of one role, as a document shows them.
type group struct {
	Role  ledger.Role
	Title string
	Lines []view.LineView
}

func groups(lines []view.LineView) []group {
	sorted := slices.Clone(lines)
	slices.SortStableFunc(sorted, func(a, b view.LineView) int {
		ra, ca := a.Measure.Split()
		rb, cb := b.Measure.Split()
		return cmp.Or(cmp.Compare(roleRank(ra), roleRank(rb)), strings.Compare(ca, cb))
	})
	var out []group
	for _, l := range sorted {
		r, _ := l.Measure.Split()
		if n := len(out); n == 0 || out[n-1].Role != r {
			out = append(out, group{Role: r, Title: roleTitle(r)})
		}
		g := &out[len(out)-1]
		g.Lines = append(g.Lines, l)
	}
	return out
}

// sums are the feet of a document's columns.
type sums struct {
	Debit, Credit, Odoo, Difference money.Amount
	Known                           bool // every line was read back
	Bad                             bool // a sum could not be made: two currencies or an overflow
}

func sumUp(lines []view.LineView) (s sums) {
	s.Known = len(lines) > 0
	add := func(to *money.Amount, a money.Amount) {
		sum, err := to.Add(a)
		if err != nil {
			s.Bad = true
			return
		}
		*to = sum
	}
	for _, l := range lines {
		if l.Amount.Minor > 0 {
			add(&s.Debit, l.Amount)
		} else {
			add(&s.Credit, l.Amount.Neg())
		}
		s.Known = s.Known && l.Known
		if l.Known {
			add(&s.Difference, abs(difference(l)))
		}
	}
	return s
}

// difference is ours minus Odoo's.
func difference(l view.LineView) money.Amount {
	d, err := l.Amount.Sub(l.Odoo)
	if err != nil {
		return l.Amount
	}
	return d
}

func abs(a money.Amount) money.Amount {
	if a.Minor < 0 {
		return a.Neg()
	}
	return a
}

// outcomeText words what became of a version of a ticket.
func outcomeText(outcome string, void bool) string {
	text := map[string]string{"first": "first told", "replaces": "replaces the one before", "clash": "contradicts; kept aside, not booked",
		"conflict": "contradicts; kept aside, not booked", "older": "older word; not booked", "duplicate": "the same again"}[outcome]
	if text == "" {
		text = outcome
	}
	if void {
		text += ", void"
	}
	return text
}

func periods() []lockdate.Policy {
	return []lockdate.Policy{lockdate.Hold, lockdate.Ask, lockdate.Next}
}

// periodText words what becomes of a location's day whose period is closed.
func periodText(p lockdate.Policy) string {
	switch p {
	case lockdate.Hold:
		return "wait for a person"
	case lockdate.Next:
		return "go to the first open date"
	case lockdate.Ask:
		return "wait, and offer the first open date"
	}
	return "as head office says for all"
}

// modeText words as what a location's days go to the books.
func modeText(m rollup.Mode) string {
	switch m.Or() {
	case rollup.ByReceipt:
		return "one sales receipt a day, with its payments"
	case rollup.ByInvoice:
		return "one customer invoice a day, with its payments"
	case rollup.ByTicket:
		return "a receipt or invoice per ticket, with its payments"
	}
	return "one journal entry a day"
}

// reviewText words who lets a location's complete days go.
func reviewText(r view.Review) string {
	switch r {
	case view.Auto:
		return "by themselves"
	case view.ByPerson:
		return "when a person approves"
	}
	return "as head office says for all"
}
