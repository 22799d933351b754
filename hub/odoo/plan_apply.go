package odoo

import (
	"context"
	"fmt"

	"github.com/tillpost/tillpost/hub/plan"
	"github.com/tillpost/tillpost/shared/retail"
)

// LacksForPlan says which rights the user lacks to create what a plan wants created, each with the group that gives it.
func LacksForPlan(ctx context.Context, c *Client, p plan.Plan) ([]string, error) {
	var ask []right
	seen := map[right]bool{}
	for _, t := range p.Create {
		r := needOf(t.Kind)
		if r.model == "" || seen[r] {
			continue
		}
		seen[r], ask = true, append(ask, r)
	}
	return c.lacking(ctx, ask)
}

// needOf is the right that a thing takes. Analytic accounting that is off is the whole question: what stands in it needs nothing more.
func needOf(k plan.Kind) right {
	switch k {
	case plan.AnalyticOn:
		return right{"res.config.settings", "create"}
	case plan.JournalThing:
		return right{"account.journal", "create"}
	case plan.AccountThing:
		return right{"account.account", "create"}
	case plan.ReconcileThing:
		return right{"account.account", "write"}
	case plan.TaxThing:
		return right{"account.tax", "create"}
	case plan.CustomerThing:
		return right{"res.partner", "create"}
	case plan.MethodThing:
		return right{"account.payment.method.line", "create"}
	}
	return right{}
}

// ApplyPlan creates in Odoo what a plan wants created, in its order. Rights are looked at before anything is made: who lacks one changes nothing,
// code invalid. A call that fails ends it; what was made before is found by the next plan.
func ApplyPlan(ctx context.Context, c *Client, p plan.Plan) (done []Step, err error) {
	missing, err := LacksForPlan(ctx, c, p)
	if err == nil && len(missing) > 0 {
		err = lackOf(missing)
	}
	if err != nil {
		return nil, err
	}
	rep := SetupReport{}
	s := &setup{c: c, rep: &rep}
	if s.ch, err = readChart(ctx, c, books{name: c.cfg.Company}); err != nil {
		return nil, err
	}
	for _, t := range p.Create {
		if err := s.create(ctx, t); err != nil {
			return rep.Steps, fmt.Errorf("%w; what was made before stays, run it again", err)
		}
	}
	return rep.Steps, nil
}

// create makes one thing of a plan, or in a dry run says that it would.
func (s *setup) create(ctx context.Context, t plan.Thing) (err error) {
	what := string(t.Kind) + " " + t.Code
	switch t.Kind {
	case plan.AnalyticOn:
		if err = s.analyticOn(ctx); err == nil && !s.dry {
			s.unseen = true
			s.ch, err = readChart(ctx, s.c, books{name: s.c.cfg.Company})
		}
	case plan.JournalThing:
		var n int64
		n, err = s.make(ctx, what, "account.journal", map[string]any{"name": t.Name, "code": t.Code, "type": t.Type, "company_id": s.ch.company})
		s.ch.journals[t.Code] = journal{id: n, kind: t.Type}
	case plan.AccountThing:
		var n int64
		n, err = s.make(ctx, what+" "+t.Name, "account.account", map[string]any{"name": t.Name, "code": t.Code, "account_type": t.Type, "reconcile": t.Clear})
		s.ch.accounts[t.Code] = account{id: n, kind: t.Type, open: t.Clear}
	case plan.ReconcileThing:
		err = s.change(ctx, "account "+t.Code+": let its items be reconciled", "account.account", s.ch.accounts[t.Code].id, map[string]any{"reconcile": true})
	case plan.TaxThing:
		err = s.makeTax(ctx, t.Name, s.ch.accounts[t.Account].id)
	case plan.PlanThing:
		err = s.analyticPlan(ctx, t.Name)
	case plan.AnalyticAccount:
		err = s.analyticAccount(ctx, t)
	case plan.CustomerThing:
		_, err = s.make(ctx, what, "res.partner", map[string]any{"name": t.Name, "ref": WalkInRef(retail.LocationCode(t.Code)), "company_id": s.ch.company})
	case plan.MethodThing:
		var manual map[string]int64
		if manual, err = s.manual(ctx); err == nil {
			_, err = s.make(ctx, fmt.Sprintf("%s %s, %s, in %s", t.Kind, t.Name, t.Type, t.Code), "account.payment.method.line",
				map[string]any{"name": t.Name, "journal_id": s.ch.journals[t.Code].id, "payment_method_id": manual[t.Type], "payment_account_id": s.ch.accounts[t.Account].id})
		}
	}
	return err
}

// analyticPlan makes a plan, unless it comes to light now that analytic accounting is on.
func (s *setup) analyticPlan(ctx context.Context, name string) (err error) {
	if s.unseen {
		if n, err := s.planID(ctx, name); err != nil || n != 0 {
			return err
		}
	}
	n, err := s.make(ctx, "analytic plan "+name, "account.analytic.plan", map[string]any{"name": name})
	s.plans = map[string]int64{name: n}
	return err
}

// planID is the id of an analytic plan by its name, 0 = there is none.
func (s *setup) planID(ctx context.Context, name string) (int64, error) {
	if n := s.plans[name]; n != 0 || s.dry {
		return n, nil
	}
	got, err := s.c.search(ctx, "account.analytic.plan", []any{[]any{"name", "=", name}, []any{"parent_id", "=", false}}, []string{"name"}, s.ch.in())
	if err != nil || len(got) == 0 {
		return 0, err
	}
	s.plans = map[string]int64{name: id(got[0]["id"])}
	return s.plans[name], nil
}

func (s *setup) analyticAccount(ctx context.Context, t plan.Thing) error {
	what := "analytic account " + t.Code
	if _, ok := s.ch.analytic[retail.LocationCode(t.Code)]; ok {
		s.there(what)
		return nil
	}
	in, err := s.planID(ctx, t.Plan)
	if err != nil || in == 0 && !s.dry {
		return cannot("find the analytic plan "+t.Plan, err)
	}
	_, err = s.make(ctx, what, "account.analytic.account", map[string]any{"name": t.Name, "code": t.Code, "plan_id": in, "company_id": s.ch.company})
	return err
}

// makeTax makes a tax of rate zero: the till's cents are booked as they are, never computed anew, and the tax report shows them under its name.
func (s *setup) makeTax(ctx context.Context, name string, payable int64) error {
	lines := func() []any {
		return []any{[]any{0, 0, map[string]any{"repartition_type": "base"}}, []any{0, 0, map[string]any{"repartition_type": "tax", "account_id": payable}}}
	}
	_, err := s.make(ctx, "tax "+name, "account.tax", map[string]any{"name": name, "type_tax_use": "sale", "amount_type": "percent", "amount": 0,
		"company_id": s.ch.company, "invoice_repartition_line_ids": lines(), "refund_repartition_line_ids": lines()})
	return err
}
