package odoo

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/tillpost/tillpost/hub/ledger"
	"github.com/tillpost/tillpost/hub/mapping"
	"github.com/tillpost/tillpost/hub/plan"
	"github.com/tillpost/tillpost/hub/rollup"
	"github.com/tillpost/tillpost/shared/fault"
	"github.com/tillpost/tillpost/shared/retail"
)

// SetupOptions is what head office has.
type SetupOptions struct {
	Locations map[retail.LocationCode]string // code → name
	Tenders   []string                       // tender types that get a clearing account each
	Taxes     []string                       // the tills' jurisdictions
	Codes     map[ledger.Role][]string       // what tills have said besides, by role
	Stations  []string                       // tills' codes: only a plan looks at them
	Banks     []string                       // short names of the bank accounts, which get an account each for what is on its way there
	Have      mapping.Set                    // rules that are in force: they are never changed
	DryRun    bool
	Fields    bool                  // make the field that carries the vendor's ids, see ExternalField
	Receipts  []retail.LocationCode // those whose days go as receipts or invoices: they need a sales journal and a walk-in customer each

	// What head office wants used instead of something new. It must exist.
	Journal  string            // code of a general journal
	Accounts map[string]string // "tender:cash", "sales:*", "suspense" → account code
	Books    rollup.Books      // found or made before, here or in another company: it gets the same codes, since rules name codes
	TaxNames map[string]string // jurisdiction → name of the Odoo tax
}

// Step is one thing that setup found or made.
type Step struct {
	What string `json:"what"`
	Done string `json:"done"` // "there", "made", "would be made"
}

// SetupReport tells what was found and made.
type SetupReport struct {
	Version string         `json:"version"`
	Company string         `json:"company"`
	Missing []string       `json:"missing_rights,omitempty"`
	Steps   []Step         `json:"steps"`
	Notes   []string       `json:"notes,omitempty"`
	Rules   []mapping.Rule `json:"-"` // to be stored by the caller
	Books   rollup.Books   `json:"books"`
}

// Journal is the code of the journal that setup makes.
const Journal = plan.OwnJournal

// SalesJournal is the code of the one for receipts and invoices.
const SalesJournal = plan.OwnSales

// Wish is what a plan is made for.
func (o SetupOptions) Wish() plan.Wish {
	w := plan.Wish{Locations: o.Locations, Stations: o.Stations, Banks: o.Banks, Receipts: o.Receipts, Have: o.Have, Books: o.Books, Journal: o.Journal, Accounts: o.Accounts, TaxNames: o.TaxNames,
		Codes: maps.Clone(o.Codes)}
	if w.Codes == nil {
		w.Codes = map[ledger.Role][]string{}
	}
	w.Codes[ledger.Tender], w.Codes[ledger.Tax] = o.Tenders, o.Taxes
	return w
}

// setup is one run.
type setup struct {
	SetupOptions
	c    *Client
	ch   *chart
	rep  *SetupReport
	dry  bool    // look only
	off  bool    // analytic accounting is off, and this is a dry run
	todo []right // what a dry run found missing

	plans   map[string]int64 // ids of analytic plans by name, as far as they were needed
	unseen  bool             // analytic accounting was turned on just now: what stands there was not seen when it was decided what to make
	manuals map[string]int64 // see manual
}

// Setup connects, tells the version and the missing rights, and finds or makes what the books need: analytic accounting, journal,
// accounts, taxes, a plan with one analytic account per location. It is a plan's sure lines, written at once (hub/plan). It looks at everything
// before it makes anything, so it may be run again and again, and a user who lacks a right for something that is missing changes nothing at all;
// rules that exist are left alone. Code unavailable or invalid, as the call that failed.
func Setup(ctx context.Context, c *Client, o SetupOptions) (rep SetupReport, err error) {
	v, err := c.Version(ctx)
	if err != nil {
		return rep, err
	}
	if rep.Version = v.Text; v.Major < 17 || v.Major > 19 {
		return rep, fault.Msg(fault.Invalid, "odoo setup", "this is Odoo "+v.Text+"; Tillpost writes to 17, 18 and 19")
	}
	seen := slices.DeleteFunc(slices.Clone(needs), func(r right) bool { return strings.HasPrefix(r.model, "account.analytic.") }) // setup can turn that on
	if rep.Missing, err = c.lacking(ctx, seen); err != nil {
		return rep, err
	}
	if len(rep.Missing) > 0 {
		return rep, lackOf(rep.Missing)
	}
	look := &setup{SetupOptions: o, c: c, rep: &rep, dry: true}
	if err := look.run(ctx); err != nil {
		return rep, err
	}
	if rep.Missing, err = c.lacking(ctx, look.todo); err != nil || o.DryRun {
		return rep, err
	}
	if len(rep.Missing) > 0 {
		return rep, lackOf(rep.Missing)
	}
	rep = SetupReport{Version: rep.Version}
	return rep, (&setup{SetupOptions: o, c: c, rep: &rep}).run(ctx)
}

func lackOf(missing []string) error {
	return fault.Msg(fault.Invalid, "odoo setup", "rights are missing, and nothing was changed: "+strings.Join(missing, "; ")+". Then run it again")
}

func (s *setup) run(ctx context.Context) error {
	for _, step := range []func(context.Context) error{s.open, s.books, s.receipts, s.payments, s.fields} {
		if err := step(ctx); err != nil {
			return err
		}
	}
	return nil
}

func (s *setup) open(ctx context.Context) (err error) {
	if s.ch, err = readChart(ctx, s.c, books{name: s.c.cfg.Company}); err != nil {
		return err
	}
	s.rep.Company = s.ch.name
	return nil
}

// books decides what is to be done and does it.
func (s *setup) books(ctx context.Context) error {
	ch, err := readPlan(ctx, s.c, s.ch)
	if err != nil {
		return err
	}
	w := s.Wish()
	w.Sure = true
	w.Receipts, w.Books.Sales, w.Books.Payments = nil, "", "" // the steps after this one make what receipts need
	p, err := plan.Decide(ch, w)
	if err != nil {
		return err
	}
	s.rep.Books, s.rep.Rules, s.rep.Notes = p.Books, p.Rules(), p.Notes
	s.found(ch, p)
	for _, t := range p.Create {
		if err := s.create(ctx, t); err != nil {
			return err
		}
	}
	return nil
}

// found tells what of the books is there: the journal, each account and tax that a rule leads to, the locations' analytic accounts.
func (s *setup) found(ch plan.Chart, p plan.Plan) {
	if _, ok := s.ch.journals[p.Books.Journal]; ok {
		s.there("journal " + p.Books.Journal)
	}
	seen := map[string]bool{}
	tell := func(what, code, name string, there bool) {
		if key := what + code + name; code+name != "" && there && !seen[key] {
			seen[key] = true
			s.there(strings.TrimSpace(what + " " + strings.TrimSpace(code+" "+name)))
		}
	}
	for _, a := range ch.Accounts {
		if a.Code == p.Books.Suspense {
			tell("account", a.Code, a.Name, !a.Dead)
		}
	}
	for _, l := range p.Lines {
		if a, ok := s.ch.accounts[l.Rule.Target.Account]; ok {
			name := l.Name
			if l.Rule.Target.Tax != "" {
				name = "" // the line is named by its tax
			}
			tell("account", l.Rule.Target.Account, name, !a.dead)
		}
		_, ok := s.ch.taxes[l.Rule.Target.Tax]
		tell("tax", l.Rule.Target.Tax, "", ok)
	}
	for _, l := range slices.Sorted(maps.Keys(s.Locations)) {
		_, ok := s.ch.analytic[l]
		tell("analytic account", string(l), "", ok)
	}
}

// make runs create, or in a dry run notes what it would take.
func (s *setup) make(ctx context.Context, what, model string, values map[string]any) (int64, error) {
	if s.dry {
		s.rep.Steps = append(s.rep.Steps, Step{what, "would be made"})
		if r := (right{model, "create"}); !slices.Contains(s.todo, r) && !s.off {
			s.todo = append(s.todo, r)
		}
		return 0, nil
	}
	in := map[string]any{"context": map[string]any{}}
	if s.ch != nil {
		in["context"] = s.ch.in()
	}
	got, err := s.c.Call(ctx, model, "create", []any{[]any{values}}, in)
	if err != nil {
		return 0, fmt.Errorf("make %s: %w", what, err)
	}
	s.rep.Steps = append(s.rep.Steps, Step{what, "made"})
	if made := ids(got); len(made) == 1 {
		return made[0], nil
	}
	return id(got), nil
}

func (s *setup) change(ctx context.Context, what, model string, id int64, values map[string]any) error {
	if s.dry {
		s.rep.Steps = append(s.rep.Steps, Step{what, "would be changed"})
		if r := (right{model, "write"}); !slices.Contains(s.todo, r) {
			s.todo = append(s.todo, r)
		}
		return nil
	}
	if _, err := s.c.Call(ctx, model, "write", []any{[]int64{id}, values}, map[string]any{"context": s.ch.in()}); err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	s.rep.Steps = append(s.rep.Steps, Step{what, "changed"})
	return nil
}

func (s *setup) there(what string) { s.rep.Steps = append(s.rep.Steps, Step{what, "there"}) }

// analyticOn turns analytic accounting on when it is not: without it even an administrator may not see analytic accounts.
func (s *setup) analyticOn(ctx context.Context) error {
	_, err := s.c.search(ctx, "account.analytic.plan", []any{}, []string{"name"}, nil)
	if KindOf(err) != Rights {
		if err == nil {
			s.there("analytic accounting")
		}
		return err
	}
	n, err := s.make(ctx, "analytic accounting", "res.config.settings", map[string]any{"group_analytic_accounting": true})
	if err != nil || s.dry {
		s.off = true
		return err
	}
	_, err = s.c.Call(ctx, "res.config.settings", "execute", []any{[]int64{n}}, nil)
	return err
}
