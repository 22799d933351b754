package app

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/tillpost/tillpost/hub/mapping"
	"github.com/tillpost/tillpost/hub/odoo"
	"github.com/tillpost/tillpost/hub/plan"
	"github.com/tillpost/tillpost/hub/store"
	"github.com/tillpost/tillpost/hub/view"
	"github.com/tillpost/tillpost/shared/fault"
	"github.com/tillpost/tillpost/shared/retail"
)

// applyNow as the plan to apply is the one that is shown in the same breath.
const applyNow = "now"

// planOptions is what the command line says of a plan.
type planOptions struct {
	show  bool
	apply string // hash of the plan that was shown, applyNow, "" = only show
	from  retail.BusinessDate
}

// planned is the plan of one company's books.
type planned struct {
	plan.Plan
	Database string               `json:"database,omitempty"`       // as the settings call it, "" = the first
	Missing  []string             `json:"missing_rights,omitempty"` // for what is to be created
	Moves    []view.MappingEffect `json:"moves,omitempty"`          // lines of store-days that would stand elsewhere
	Stops    string               `json:"stops,omitempty"`          // why it cannot be written as it is
	client   *odoo.Client
}

// plans are those of all companies, the settings' own first: together they are written or not at all.
type plans []planned

// hash names all of them.
func (ps plans) hash() string {
	var all []string
	for _, p := range ps {
		all = append(all, p.Hash)
	}
	return strings.Join(all, "-")
}

// rules are those that all of them add or change.
func (ps plans) rules() (out []mapping.Rule) {
	for _, p := range ps {
		out = append(out, p.Rules()...)
	}
	return out
}

// stops is the first reason why they cannot be written.
func (ps plans) stops() error {
	for _, p := range ps {
		switch {
		case p.Stops != "":
			return fault.Msg(fault.Conflict, "apply plan", p.Stops)
		case len(p.Missing) > 0:
			return fault.Msg(fault.Invalid, "apply plan", "rights are missing, and nothing was changed: "+strings.Join(p.Missing, "; ")+". Then plan again")
		}
	}
	return nil
}

// Plan makes the plans of all companies and writes nothing.
func Plan(ctx context.Context, s *store.Store, cfg OdooConfig, o odoo.SetupOptions, from retail.BusinessDate) (ps plans, err error) {
	w, err := wishOf(ctx, s, o)
	if err != nil {
		return nil, err
	}
	w.From = from
	ls, err := placesOf(ctx, s)
	if err != nil {
		return nil, err
	}
	all, receipts := w.Locations, w.Receipts
	if len(receipts) > 0 { // somewhere: every company gets the same codes
		w.Books.Sales = plan.OwnSales
	}
	for i, b := range booksOf(cfg, ls) {
		p := planned{Database: b.name}
		if p.client, err = OpenOdoo(b.cfg); err != nil {
			return nil, err
		}
		w.Locations = map[retail.LocationCode]string{}
		for _, l := range b.locations {
			w.Locations[l.Code] = all[l.Code]
		}
		w.Receipts = slices.DeleteFunc(slices.Clone(receipts), func(l retail.LocationCode) bool { _, here := w.Locations[l]; return !here })
		ch, err := odoo.ReadPlan(ctx, p.client)
		if err != nil {
			return nil, err
		}
		if p.Plan, err = plan.Decide(ch, w); err != nil {
			return nil, err
		}
		if p.Missing, err = odoo.LacksForPlan(ctx, p.client, p.Plan); err != nil {
			return nil, err
		}
		if i > 0 && p.Books != ps[0].Books {
			p.Stops = fmt.Sprintf("company %s has the journal %s and the suspense account %s, %s has %s and %s; documents name them by code, so make those codes free there and plan again",
				p.Company, p.Books.Journal, p.Books.Suspense, ps[0].Company, ps[0].Books.Journal, ps[0].Books.Suspense)
		}
		ps = append(ps, p)
		// Rules name codes and hold for all companies: the next one gets what the first have.
		w.Have.Rules, w.Books = over(w.Have.Rules, p.Rules()), ps[0].Books
		w.Accounts, w.TaxNames, w.Journal = nil, nil, ""
	}
	return ps, ps.effects(ctx, s)
}

// effects says what the rules would do to store-days, or why they may not be written.
func (ps plans) effects(ctx context.Context, s *store.Store) error {
	if len(ps) == 0 {
		return nil
	}
	moves, err := s.MappingEffect(ctx, ps.rules())
	if fault.Is(err, fault.Conflict) {
		ps[0].Stops = err.Error() + ". With --from, the plan's rules hold from that day on"
		return nil
	}
	ps[0].Moves = moves
	return err
}

// over is rules with others in place of those that say the same.
func over(have, more []mapping.Rule) []mapping.Rule {
	out := slices.Clone(have)
	for _, r := range more {
		out = slices.DeleteFunc(out, func(h mapping.Rule) bool {
			return h.Role == r.Role && h.Code == r.Code && h.Location == r.Location && h.From == r.From
		})
		out = append(out, r)
	}
	return out
}

// wishOf is what the hub knows of its tills, and what head office says.
func wishOf(ctx context.Context, s *store.Store, o odoo.SetupOptions) (w plan.Wish, err error) {
	if err := complete(ctx, s, &o); err != nil {
		return w, err
	}
	return o.Wish(), nil
}

// Apply writes plans: first what Odoo lacks, company by company, then the rules and books in one transaction that fails when somebody has changed the
// rules meanwhile.
func (ps plans) Apply(ctx context.Context, s *store.Store, who string) (made []odoo.Step, err error) {
	if err := ps.stops(); err != nil || len(ps) == 0 {
		return nil, err
	}
	for _, p := range ps {
		done, err := odoo.ApplyPlan(ctx, p.client, p.Plan)
		if made = append(made, done...); err != nil {
			return made, err
		}
	}
	return made, s.SetPlan(ctx, ps.rules(), &ps[0].Books, ps[0].Mapping, who, ps.hash())
}

// plan shows what setup would do, and does it when it is told to.
func (c *cli) plan(ctx context.Context, s *desk, o odoo.SetupOptions, how planOptions) error {
	if how.from != "" && !how.from.Valid() {
		return fault.Msg(fault.Invalid, "plan", fmt.Sprintf("--from %q is not a date like 2026-12-01", how.from))
	}
	ps, err := Plan(ctx, s.Store, s.cfg.Odoo, o, how.from)
	if err != nil {
		return err
	}
	changed := how.apply != "" && how.apply != applyNow && how.apply != ps.hash()
	var made []odoo.Step
	if how.apply != "" && !changed {
		made, err = ps.Apply(ctx, s.Store, s.who)
		s.Done()
	}
	applied := how.apply != "" && !changed && err == nil
	terr := c.tell(map[string]any{"hash": ps.hash(), "applied": applied, "changed": changed, "plans": ps, "made": made}, func(w io.Writer) {
		for _, p := range ps {
			printPlan(w, p)
		}
		printPlanEnd(w, ps, made, applied)
	})
	switch {
	case terr != nil:
		return terr
	case changed:
		return fault.Msg(fault.Conflict, "apply plan", fmt.Sprintf("Odoo, the tills' codes or the rules have changed since plan %s was shown; above is the new one, %s. Nothing was written", how.apply, ps.hash()))
	}
	return err
}

func printPlan(w io.Writer, p planned) {
	fmt.Fprintf(w, "Odoo %s, company %s: journal %s, suspense account %s\n", p.Version, p.Company, p.Books.Journal, p.Books.Suspense)
	if p.Books.Sales != "" {
		fmt.Fprintf(w, "  receipts and invoices in %s, their payments in %s where a tender's rule names no journal\n", p.Books.Sales, p.Books.Payments)
	}
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, l := range p.Lines {
		sign := map[plan.Change]string{plan.Added: "+", plan.Changed: "~", plan.Same: "="}[l.Change]
		is, unsure := l.Rule.Target.String(), ""
		if l.Name != "" && l.Name != l.Rule.Target.Tax {
			is += " " + l.Name
		}
		if l.Change == plan.Changed {
			is += " (was " + l.Was.String() + ")"
		}
		if l.New {
			is += " [new]"
		}
		if l.Sure != plan.Sure {
			unsure = map[plan.Certainty]string{plan.Likely: "likely", plan.Unsure: "? look"}[l.Sure]
		}
		fmt.Fprintf(t, "  %s %s\t%s\t%s\t%s\n", sign, ruleText(l.Rule), strings.TrimSpace(is), unsure, l.Why)
	}
	t.Flush()
	for _, x := range p.Create {
		fmt.Fprintf(w, "  create %s %s: %s\n", x.Kind, strings.TrimSpace(x.Code+" "+x.Name+map[string]string{"inbound": " (in)", "outbound": " (out)"}[x.Type]), x.Why)
	}
	for _, m := range p.Missing {
		fmt.Fprintf(w, "  missing right: %s\n", m)
	}
	for _, n := range p.Notes {
		fmt.Fprintf(w, "  note: %s\n", n)
	}
	fmt.Fprintf(w, "%d rules added, %d changed, %d stay as they are; %d things to create in Odoo; %d lines that a person should look at.\n",
		p.Count(plan.Added), p.Count(plan.Changed), p.Count(plan.Same), len(p.Create), len(p.Unsure()))
}

func printPlanEnd(w io.Writer, ps plans, made []odoo.Step, applied bool) {
	for _, p := range ps {
		if len(p.Moves) > 0 {
			printEffects(w, len(ps.rules()), !applied, p.Moves)
		}
	}
	for _, m := range made {
		fmt.Fprintf(w, "  %-40s %s\n", m.What, m.Done)
	}
	switch {
	case applied:
		fmt.Fprintf(w, "Plan %s was written.\n", ps.hash())
	case ps.stops() == nil:
		fmt.Fprintf(w, "Nothing was written. To write just this: hub odoo setup --apply=%s, with the same other options.\n", ps.hash())
	default:
		fmt.Fprintf(w, "Nothing was written, and it cannot be yet: %v\n", ps.stops())
	}
}

// ruleText is a rule's head as people type it.
func ruleText(r mapping.Rule) string {
	s := string(r.Role)
	if r.Code != "" {
		s += ":" + r.Code
	}
	if r.Location != "" {
		s += " at " + string(r.Location)
	}
	if r.From != "" {
		s += " from " + string(r.From)
	}
	return s
}
