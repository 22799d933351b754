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
	plans := map[string]int64{}
	for _, t := range p.Create {
		if err := s.create(ctx, t, plans); err != nil {
			return rep.Steps, fmt.Errorf("%w; what was made before stays, run it again", err)
		}
	}
	return rep.Steps, nil
}

// create makes one thing of a plan. plans remembers the ids of analytic plans.
func (s *setup) create(ctx context.Context, t plan.Thing, plans map[string]int64) (err error) {
	what := string(t.Kind) + " " + t.Code
	switch t.Kind {
	case plan.AnalyticOn:
		return s.analyticOn(ctx)
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
		plans[t.Name], err = s.make(ctx, "analytic plan "+t.Name, "account.analytic.plan", map[string]any{"name": t.Name})
	case plan.AnalyticAccount:
		err = s.analyticAccount(ctx, t, plans)
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

func (s *setup) analyticAccount(ctx context.Context, t plan.Thing, plans map[string]int64) error {
	if plans[t.Plan] == 0 {
		got, err := s.c.search(ctx, "account.analytic.plan", []any{[]any{"name", "=", t.Plan}, []any{"parent_id", "=", false}}, []string{"name"}, s.ch.in())
		if err != nil || len(got) == 0 {
			return cannot("find the analytic plan "+t.Plan, err)
		}
		plans[t.Plan] = id(got[0]["id"])
	}
	_, err := s.make(ctx, "analytic account "+t.Code, "account.analytic.account", map[string]any{"name": t.Name, "code": t.Code, "plan_id": plans[t.Plan], "company_id": s.ch.company})
	return err
}
