package plan

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/tillpost/tillpost/hub/ledger"
	"github.com/tillpost/tillpost/hub/mapping"
	"github.com/tillpost/tillpost/shared/fault"
)

// OwnJournal is the code of the journal that is made for store-days.
const OwnJournal = "TPOS"

// everAfter is a day on which every rule of a set holds that is in it at all.
const everAfter = "9999-12-31"

// work is one decision.
type work struct {
	Wish
	ch    Chart
	p     Plan
	used  map[string]bool   // account codes that nothing new may get
	taken map[string]string // account codes with what they are for: two things never share one by accident
	tax   string            // the account of taxes that are made, "" = not looked for yet
}

// Decide makes the plan. Code invalid: something that head office wants used is not there; all of it at once.
func Decide(ch Chart, w Wish) (Plan, error) {
	ch, w = ch.sorted(), w.sorted()
	d := &work{Wish: w, ch: ch, used: map[string]bool{}, taken: map[string]string{}}
	d.p = Plan{Version: ch.Version, Company: ch.Company, Books: w.Books, Mapping: w.Have.Version}
	if !w.Sure { // what is only beside accounts is a plan's matter
		d.p.Notes = slices.Clone(ch.Blind)
	}
	for _, a := range ch.Accounts {
		d.used[a.Code] = true
	}
	wants := chartOf(w)
	if err := fault.New(fault.Invalid, "plan", errors.Join(append(d.check(), d.checkSure(wants)...)...)); err != nil {
		return d.p, err
	}
	if ch.NoAnalytic {
		d.make(Thing{Kind: AnalyticOn, Why: "it is off, and each location needs an analytic account"})
	}
	d.journal()
	d.told()
	d.inForce(wants)
	for _, x := range wants {
		d.want(x)
	}
	d.homes()
	d.taxes()
	d.named()
	d.places()
	d.receipts()
	if len(w.Banks) == 0 {
		d.p.Notes = append(d.p.Notes, "the settings name no bank account: nothing is planned for deposits; name it there and plan again")
	}
	return d.p, d.p.seal()
}

// check refuses what head office wants used and Odoo does not have.
func (d *work) check() (bad []error) {
	for _, k := range slices.Sorted(maps.Keys(d.Accounts)) {
		role, code, _ := strings.Cut(k, ":")
		r := rule(ledger.Role(role), code)
		if r.Target.Account = d.Accounts[k]; k != "suspense" {
			if err := r.Check(); err != nil {
				bad = append(bad, fmt.Errorf("--account %s: %w; it is like tender:cash, sales:* or suspense", k, err))
				continue
			}
		}
		if a, ok := d.ch.account(d.Accounts[k]); !ok || a.Dead {
			bad = append(bad, fmt.Errorf("--account %s=%s: Odoo has no account %s in use", k, d.Accounts[k], d.Accounts[k]))
		}
	}
	for _, name := range slices.Sorted(maps.Keys(d.TaxNames)) {
		if t, ok := d.ch.tax(d.TaxNames[name]); !ok || t.Lines != 1 {
			bad = append(bad, fmt.Errorf("--tax-as %q=%q: Odoo has no sales tax of that name with exactly one tax line", name, d.TaxNames[name]))
		}
	}
	switch j, ok := d.ch.journal(d.Journal); {
	case d.Journal == "":
	case !ok:
		bad = append(bad, fmt.Errorf("--journal %s: Odoo has no journal with that code", d.Journal))
	case j.Type != "general":
		bad = append(bad, fmt.Errorf("--journal %s: it is of type %s; store-days need a general one", d.Journal, j.Type))
	}
	return bad
}

// checkSure refuses what nobody would see before it is written: an account for a code that no till says (mistyped, most likely), one in place of a
// rule in force, and a journal that cannot take store-days.
func (d *work) checkSure(wants []want) (bad []error) {
	if !d.Sure {
		return nil
	}
	for _, k := range slices.Sorted(maps.Keys(d.Accounts)) {
		role, code, _ := strings.Cut(k, ":")
		r := rule(ledger.Role(role), code)
		had, mapped := d.exact(r)
		switch {
		case k == "suspense":
		case mapped && had.Target.Account != d.Accounts[k]:
			bad = append(bad, fmt.Errorf("%s is mapped to account %s already: change it with `hub mapping set`, or by a plan (--plan); setup alone changes no rule", k, had.Target.Account))
		case !mapped && !slices.Contains(d.Codes[r.Role], code) && !slices.ContainsFunc(wants, func(x want) bool {
			return slices.ContainsFunc(x.rules, func(o mapping.Rule) bool { return o.Role == r.Role && o.Code == code })
		}):
			bad = append(bad, fmt.Errorf("--account %s: setup books no such thing; it is like tender:cash, sales:* or suspense", k))
		}
	}
	code := cmp.Or(d.Journal, d.Books.Journal, OwnJournal)
	if j, ok := d.ch.journal(code); ok && d.Journal == "" && j.Type != "general" {
		bad = append(bad, fmt.Errorf("Odoo's journal %s is of type %s; store-days need a general one: name another with --journal", code, j.Type))
	}
	return bad
}

func (d *work) make(t Thing) {
	if !slices.ContainsFunc(d.p.Create, func(o Thing) bool {
		return o.Kind == t.Kind && o.Code == t.Code && o.Name == t.Name && o.Type == t.Type && o.Account == t.Account
	}) {
		d.p.Create = append(d.p.Create, t)
	}
}

func (d *work) journal() {
	code := cmp.Or(d.Journal, d.Books.Journal, OwnJournal)
	j, ok := d.ch.journal(code)
	switch d.p.Books.Journal = code; {
	case !ok:
		d.make(Thing{Kind: JournalThing, Code: code, Name: "Tillpost store-days", Type: "general", Why: "store-days have a journal of their own: Odoo numbers one journal's entries one after the other"})
	case j.Type != "general":
		d.p.Notes = append(d.p.Notes, fmt.Sprintf("journal %s is of type %s; store-days need a general one: name another with --journal", code, j.Type))
	}
}

// told are rules that head office gives an account: they are the only ones in force that a plan changes without need.
func (d *work) told() {
	for _, k := range slices.Sorted(maps.Keys(d.Accounts)) {
		code := d.Accounts[k]
		a, _ := d.ch.account(code)
		if k == "suspense" {
			d.p.Books.Suspense = code
			d.taken[code] = k
			continue
		}
		role, of, _ := strings.Cut(k, ":")
		r := rule(ledger.Role(role), of)
		l := Line{Rule: r, Name: a.Name, Sure: Sure, Change: Added, Why: "head office says so"}
		l.Rule.Target.Account = code
		if had, ok := d.exact(r); ok {
			l.Change, l.Was, l.Rule.From = Changed, had.Target, had.From
			l.Rule.Target = had.Target
			l.Rule.Target.Account = code
			if d.From != "" {
				l.Rule.From = d.From
			}
			if l.Rule.Target == had.Target {
				l.Change, l.Was, l.Rule.From = Same, mapping.Target{}, had.From
			}
		}
		d.p.Lines = append(d.p.Lines, l)
	}
}

// exact finds the rule in force that says just this everywhere, the latest.
func (d *work) exact(r mapping.Rule) (best mapping.Rule, ok bool) {
	for _, h := range d.Have.Rules {
		if h.Role == r.Role && h.Code == r.Code && h.Location == r.Location && (!ok || h.From > best.From) {
			best, ok = h, true
		}
	}
	return best, ok
}

// line finds what the plan says of a code already.
func (d *work) line(r ledger.Role, code string) (Line, bool) {
	at := slices.IndexFunc(d.p.Lines, func(l Line) bool { return l.Rule.Role == r && l.Rule.Code == code && l.Rule.Location == "" })
	if at < 0 {
		return Line{}, false
	}
	return d.p.Lines[at], true
}

// answered reports whether a rule in force or of the plan says where a code goes.
func (d *work) answered(r mapping.Rule) bool {
	if _, ok := d.line(r.Role, r.Code); ok {
		return true
	}
	_, ok := d.Have.Find(r.Role, r.Code, "", everAfter)
	return ok
}

// want finds or makes one account and offers the rules that nothing answers yet.
func (d *work) want(x want) {
	var rest []mapping.Rule
	for _, r := range x.rules {
		if !d.answered(r) {
			rest = append(rest, r)
		}
	}
	if x.rules == nil {
		if d.p.Books.Suspense == "" {
			d.p.Books.Suspense = d.choose(x).code
		} else if _, ok := d.ch.account(d.p.Books.Suspense); !ok {
			d.account(x, d.p.Books.Suspense, "the suspense account in force; this company has none of that code")
		}
		return
	}
	if len(rest) == 0 || x.only && !d.seen(rest) && !d.has(x) {
		return
	}
	c := d.choose(x)
	for _, r := range rest {
		if x.only && r.Role == ledger.OverShort { // only beside an account that takes losses alone
			if all, ok := d.line(ledger.OverShort, mapping.Any); !ok || holds(words(all.Name), "over") {
				continue
			}
		}
		r.Target = mapping.Target{Account: c.code, Journal: d.payment(r)}
		d.p.Lines = append(d.p.Lines, Line{Rule: r, Name: c.name, Why: c.why, Sure: c.sure, Change: Added, New: c.made})
	}
}

// seen reports whether tills have said a code of the rules' roles.
func (d *work) seen(rs []mapping.Rule) bool {
	return slices.ContainsFunc(rs, func(r mapping.Rule) bool { return len(d.Codes[r.Role]) > 0 && r.Role != ledger.OverShort })
}

// payment is the journal in which a tender's payments are booked when a day goes as receipt or invoice, when just one is named for it.
func (d *work) payment(r mapping.Rule) string {
	if r.Role != ledger.Tender || d.Sure {
		return ""
	}
	var fit []string
	for _, j := range d.ch.Journals {
		if j.Code == OwnPayments {
			continue
		}
		if j.Type == "cash" && natureOf(r.Code) == cash || (j.Type == "bank" || j.Type == "cash" || j.Type == "credit") && holds(words(j.Name), words(r.Code)) {
			fit = append(fit, j.Code)
		}
	}
	if len(fit) == 1 {
		return fit[0]
	}
	return ""
}

// homes maps tenders that are no money on its way to what they are.
func (d *work) homes() {
	for _, code := range d.Codes[ledger.Tender] {
		home := homeOf(code)
		r := rule(ledger.Tender, code)
		if home == "" || d.answered(r) {
			continue
		}
		role, _ := home.Split()
		l, ok := d.line(role, "")
		if !ok {
			continue
		}
		r.Target.Account = l.Rule.Target.Account
		d.p.Lines = append(d.p.Lines, Line{Rule: r, Name: l.Name, Sure: l.Sure, Change: Added, New: l.New, Why: fmt.Sprintf("what is paid with %s takes from what stands as %s", code, role)})
	}
}
