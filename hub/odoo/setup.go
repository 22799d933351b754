package odoo

import (
	"context"
	"fmt"
	"strings"

	"github.com/tillpost/tillpost/hub/ledger"
	"github.com/tillpost/tillpost/hub/mapping"
	"github.com/tillpost/tillpost/hub/rollup"
	"github.com/tillpost/tillpost/shared/fault"
	"github.com/tillpost/tillpost/shared/retail"
)

// SetupOptions is what head office has.
type SetupOptions struct {
	Locations map[retail.LocationCode]string // code → name
	Tenders   []string                       // tender types that get a clearing account each
	Taxes     []string                       // the tills' jurisdictions
	Have      mapping.Set                    // rules that are in force: they are never changed
	DryRun    bool
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
	Rules   []mapping.Rule `json:"-"` // to be stored by the caller
	Books   rollup.Books   `json:"books"`
}

// Journal is the code of the journal that setup makes.
const Journal = "TPOS"

// planName is the analytic plan with one account per location.
const planName = "Locations"

// wanted is one account of the books and the rules that lead to it.
type wanted struct {
	name  string
	kind  string // Odoo's account_type
	first string // where the search for a free code begins
	rules []mapping.Rule
}

func rule(r ledger.Role, code string) mapping.Rule { return mapping.Rule{Role: r, Code: code} }

// chartOf is the default chart of a retailer (finance.md): a clearing account per tender, contra accounts for what is given back.
func chartOf(tenders []string) []wanted {
	out := []wanted{
		{"Till suspense", "asset_current", "101980", nil},
		{"Till sales", "income", "401900", []mapping.Rule{rule(ledger.Sales, mapping.Any), rule(ledger.Fee, mapping.Any), rule(ledger.Shipping, "")}},
		{"Till returns", "income", "401910", []mapping.Rule{rule(ledger.Returns, mapping.Any)}},
		{"Till discounts", "income", "401920", []mapping.Rule{rule(ledger.Discount, mapping.Any)}},
		{"Till gift cards outstanding", "liability_current", "251910", []mapping.Rule{rule(ledger.GiftCard, ""), rule(ledger.Tender, "gift_card")}},
		{"Till tips payable", "liability_current", "251920", []mapping.Rule{rule(ledger.Tip, "")}},
		{"Till customer deposits", "liability_current", "251930", []mapping.Rule{rule(ledger.Deposit, "")}},
		{"Till house accounts", "asset_current", "101970", []mapping.Rule{rule(ledger.House, ""), rule(ledger.Tender, "on_account")}},
		{"Till cash over and short", "expense", "601910", []mapping.Rule{rule(ledger.OverShort, mapping.Any)}},
		{"Till cash rounding", "expense", "601920", []mapping.Rule{rule(ledger.Rounding, "")}},
		{"Till paid in", "income", "401930", []mapping.Rule{rule(ledger.PaidIn, mapping.Any)}},
		{"Till paid out", "expense", "601930", []mapping.Rule{rule(ledger.PaidOut, mapping.Any)}},
	}
	for _, t := range tenders {
		if t != "gift_card" && t != "on_account" {
			out = append(out, wanted{"Till clearing: " + t, "asset_current", "101900", []mapping.Rule{rule(ledger.Tender, t)}})
		}
	}
	return out
}

// setup is one run.
type setup struct {
	SetupOptions
	c    *Client
	ch   *chart
	rep  *SetupReport
	used map[string]bool // account codes

	byName map[string]string // accounts made by an earlier run: name → code
}

// Setup connects, tells the version and the missing rights, and finds or makes what the books need: analytic accounting, journal,
// accounts, taxes, a plan with one analytic account per location. It looks everything up before it makes it, so it may be run again and
// again; rules that exist are left alone. Code unavailable or invalid, as the call that failed.
func Setup(ctx context.Context, c *Client, o SetupOptions) (rep SetupReport, err error) {
	s := &setup{SetupOptions: o, c: c, rep: &rep, used: map[string]bool{}}
	if rep.Missing, err = MissingRights(ctx, c, true); err != nil {
		return rep, err
	}
	v, err := c.Version(ctx)
	if err != nil {
		return rep, err
	}
	if rep.Version = v.Text; v.Major < 17 || v.Major > 19 {
		return rep, fault.Msg(fault.Invalid, "odoo setup", "this is Odoo "+v.Text+"; Tillpost writes to 17, 18 and 19")
	}
	if len(rep.Missing) > 0 && !o.DryRun {
		return rep, fault.Msg(fault.Invalid, "odoo setup", "the user lacks rights: "+strings.Join(rep.Missing, "; ")+". Nothing was changed")
	}
	for _, step := range []func(context.Context) error{s.analyticOn, s.open, s.journal, s.accounts, s.taxes, s.locations} {
		if err := step(ctx); err != nil {
			return rep, err
		}
	}
	return rep, nil
}

func (s *setup) open(ctx context.Context) (err error) {
	if s.ch, err = readChart(ctx, s.c, s.c.cfg.Company); err != nil {
		return err
	}
	s.rep.Company = s.ch.name
	for code := range s.ch.accounts {
		s.used[code] = true
	}
	return nil
}

// make runs create unless this is a dry run, and notes the step.
func (s *setup) make(ctx context.Context, what, model string, values map[string]any) (int64, error) {
	if s.DryRun {
		s.rep.Steps = append(s.rep.Steps, Step{what, "would be made"})
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
	if err != nil || s.DryRun {
		return err
	}
	_, err = s.c.Call(ctx, "res.config.settings", "execute", []any{[]int64{n}}, nil)
	return err
}

func (s *setup) journal(ctx context.Context) error {
	s.rep.Books.Journal = Journal
	what := "journal " + Journal
	if j, ok := s.ch.journals[Journal]; ok {
		if j.kind != "general" {
			return fault.Msg(fault.Invalid, "odoo setup", "Odoo's journal "+Journal+" is of type "+j.kind+"; Tillpost needs a general one: rename that journal's code")
		}
		s.there(what)
		return nil
	}
	_, err := s.make(ctx, what, "account.journal", map[string]any{"name": "Tillpost store-days", "code": Journal, "type": "general", "company_id": s.ch.company})
	return err
}

// accounts finds each account by the rule that names it, then by its name; else it makes it with a free code.
func (s *setup) accounts(ctx context.Context) error {
	domain := []any{[]any{"name", "=like", "Till %"}}
	got, err := s.c.search(ctx, "account.account", domain, []string{"name", "code"}, s.ch.in())
	if err != nil {
		return err
	}
	s.byName = map[string]string{}
	for _, m := range got {
		s.byName[text(m["name"])] = text(m["code"])
	}
	for _, w := range chartOf(s.Tenders) {
		code, err := s.account(ctx, w)
		if err != nil {
			return err
		}
		if w.rules == nil {
			s.rep.Books.Suspense = code
		}
		for _, r := range w.rules {
			r.Target = mapping.Target{Account: code}
			s.offer(r)
		}
	}
	return nil
}

func (s *setup) account(ctx context.Context, w wanted) (code string, err error) {
	for _, r := range w.rules {
		if t, ok := s.exact(r); ok && t.Account != "" {
			if a, ok := s.ch.accounts[t.Account]; ok && !a.dead {
				s.there("account " + t.Account + " for " + w.name)
				return t.Account, nil
			}
		}
	}
	if code = s.byName[w.name]; code != "" {
		s.there("account " + code + " " + w.name)
		return code, nil
	}
	code = s.free(w.first)
	_, err = s.make(ctx, "account "+code+" "+w.name, "account.account", map[string]any{"name": w.name, "code": code, "account_type": w.kind})
	return code, err
}

// exact finds a rule that says just this.
func (s *setup) exact(r mapping.Rule) (mapping.Target, bool) {
	for _, h := range s.Have.Rules {
		if h.Role == r.Role && h.Code == r.Code && h.Location == r.Location {
			return h.Target, true
		}
	}
	return mapping.Target{}, false
}

// offer adds a rule unless one says the same thing already.
func (s *setup) offer(r mapping.Rule) {
	if _, ok := s.exact(r); !ok {
		s.rep.Rules = append(s.rep.Rules, r)
	}
}

// free counts a code up until nobody has it.
func (s *setup) free(first string) string {
	var n int64
	_, _ = fmt.Sscan(first, &n)
	for ; ; n++ {
		if code := fmt.Sprint(n); !s.used[code] {
			s.used[code] = true
			return code
		}
	}
}

// taxes finds or makes one Odoo tax per jurisdiction. Its rate is zero: the till's cents are booked as they are, never computed anew, and
// the tax report shows them under the tax's name.
func (s *setup) taxes(ctx context.Context) error {
	if len(s.Taxes) == 0 {
		return nil
	}
	payable, err := s.account(ctx, wanted{"Till sales tax payable", "liability_current", "251900", nil})
	if err != nil {
		return err
	}
	if !s.DryRun {
		if s.ch, err = readChart(ctx, s.c, s.c.cfg.Company); err != nil {
			return err
		}
	}
	for _, name := range s.Taxes {
		if t, ok := s.exact(rule(ledger.Tax, name)); ok {
			s.there("tax " + t.Tax + " for " + name)
			continue
		}
		odooName := "Till " + name
		if t, ok := s.ch.taxes[odooName]; ok && t.parts == 1 {
			s.there("tax " + odooName)
		} else if err := s.makeTax(ctx, odooName, s.ch.accounts[payable].id); err != nil {
			return err
		}
		for _, r := range []ledger.Role{ledger.Tax, ledger.TaxRefund} {
			s.offer(mapping.Rule{Role: r, Code: name, Target: mapping.Target{Account: payable, Tax: odooName}})
		}
	}
	return nil
}

func (s *setup) makeTax(ctx context.Context, name string, payable int64) error {
	lines := func() []any {
		return []any{[]any{0, 0, map[string]any{"repartition_type": "base"}}, []any{0, 0, map[string]any{"repartition_type": "tax", "account_id": payable}}}
	}
	_, err := s.make(ctx, "tax "+name, "account.tax", map[string]any{"name": name, "type_tax_use": "sale", "amount_type": "percent", "amount": 0,
		"company_id": s.ch.company, "invoice_repartition_line_ids": lines(), "refund_repartition_line_ids": lines()})
	return err
}

// locations makes one analytic account per location, whose code is the location's.
func (s *setup) locations(ctx context.Context) error {
	plans, err := s.c.search(ctx, "account.analytic.plan", []any{[]any{"name", "=", planName}}, []string{"name"}, s.ch.in())
	if err != nil {
		return err
	}
	var plan int64
	if len(plans) > 0 {
		plan = id(plans[0]["id"])
		s.there("analytic plan " + planName)
	} else if plan, err = s.make(ctx, "analytic plan "+planName, "account.analytic.plan", map[string]any{"name": planName}); err != nil {
		return err
	}
	for code, name := range s.Locations {
		if _, ok := s.ch.analytic[code]; ok {
			s.there("analytic account " + string(code))
			continue
		}
		if name == "" {
			name = string(code)
		}
		if _, err := s.make(ctx, "analytic account "+string(code), "account.analytic.account",
			map[string]any{"name": name, "code": string(code), "plan_id": plan, "company_id": s.ch.company}); err != nil {
			return err
		}
	}
	return nil
}
