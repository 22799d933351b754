package odoo

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/tillpost/tillpost/hub/plan"
	"github.com/tillpost/tillpost/shared/fault"
	"github.com/tillpost/tillpost/shared/retail"
)

// ReadPlan reads what a plan is made from: accounts, journals, sales taxes, analytic plans and accounts, warehouses where the stock app is
// installed. It changes nothing. A user who may not read the books is told what is lacking, code invalid; what is only beside them is told in
// Blind.
func ReadPlan(ctx context.Context, c *Client) (out plan.Chart, err error) {
	if _, err := c.mayRead(ctx, needs); err != nil {
		return out, err
	}
	ch, err := readChart(ctx, c, books{name: c.cfg.Company})
	if err != nil {
		return out, err
	}
	return readPlan(ctx, c, ch)
}

func readPlan(ctx context.Context, c *Client, ch *chart) (out plan.Chart, err error) {
	r := planReader{c: c, ch: ch, codes: map[int64]string{}}
	r.out.Version, r.out.Company = ch.version.Text, ch.name
	for _, read := range []func(context.Context) error{r.accounts, r.journals, r.taxes, r.analytic, r.warehouses, r.receipts} {
		if err := read(ctx); err != nil {
			return out, err
		}
	}
	return r.out, nil
}

// mayRead looks for the server's version and the rights of the daily work, but for analytic accounts: those can be off.
func (c *Client) mayRead(ctx context.Context, ask []right) (v Version, err error) {
	if v, err = c.Version(ctx); err != nil {
		return v, err
	}
	if v.Major < 17 || v.Major > 19 {
		return v, fault.Msg(fault.Invalid, "odoo setup", "this is Odoo "+v.Text+"; Tillpost writes to 17, 18 and 19")
	}
	seen := slices.DeleteFunc(slices.Clone(ask), func(r right) bool { return strings.HasPrefix(r.model, "account.analytic.") })
	missing, err := c.lacking(ctx, seen)
	if err == nil && len(missing) > 0 {
		err = lackOf(missing)
	}
	return v, err
}

// planReader reads one company.
type planReader struct {
	c     *Client
	ch    *chart
	out   plan.Chart
	codes map[int64]string // of accounts by their ids
}

func (r *planReader) accounts(ctx context.Context) error {
	fields, domain := []string{"code", "name", "account_type", "reconcile"}, []any{}
	if r.ch.version.Major < 19 {
		fields = append(fields, "deprecated")
	} else { // 19 archives instead: a rule may name one that is
		fields, domain = append(fields, "active"), append(domain, []any{"active", "in", []any{true, false}})
	}
	if r.ch.version.Major < 18 {
		domain = append(domain, []any{"company_id", "=", r.ch.company})
	}
	got, err := r.c.search(ctx, "account.account", domain, fields, r.ch.in())
	for _, m := range got {
		code := text(m["code"])
		if code == "" { // 18 and 19: an account that this company has no code for
			continue
		}
		r.codes[id(m["id"])] = code
		r.out.Accounts = append(r.out.Accounts, plan.Account{Code: code, Name: text(m["name"]), Type: text(m["account_type"]), Open: yes(m["reconcile"]),
			Dead: yes(m["deprecated"]) || r.ch.version.Major >= 19 && !yes(m["active"])})
	}
	return err
}

func (r *planReader) journals(ctx context.Context) error {
	got, err := r.c.search(ctx, "account.journal", []any{[]any{"company_id", "=", r.ch.company}}, []string{"code", "name", "type", "default_account_id", "suspense_account_id"}, r.ch.in())
	for _, m := range got {
		r.out.Journals = append(r.out.Journals, plan.Journal{Code: text(m["code"]), Name: text(m["name"]), Type: text(m["type"]),
			Account: r.codes[id(m["default_account_id"])], Suspense: r.codes[id(m["suspense_account_id"])]})
	}
	return err
}

func (r *planReader) taxes(ctx context.Context) error {
	got, err := r.c.search(ctx, "account.tax", []any{[]any{"company_id", "=", r.ch.company}, []any{"type_tax_use", "=", "sale"}}, []string{"name", "amount", "amount_type"}, r.ch.in())
	for _, m := range got {
		t := plan.Tax{Name: text(m["name"])}
		if text(m["amount_type"]) == "percent" {
			t.Rate = Rate(m["amount"])
		}
		if known, ok := r.ch.taxes[t.Name]; ok && known.id == id(m["id"]) {
			t.Lines, t.Account, t.Refund = known.parts, r.codes[known.invoice.account], r.codes[known.refund.account]
			r.out.Taxes = append(r.out.Taxes, t)
		}
	}
	return err
}

// analytic reads the plans and their accounts by the plan at the root: that is what a line can have one account of.
func (r *planReader) analytic(ctx context.Context) error {
	plans, err := r.c.search(ctx, "account.analytic.plan", []any{}, []string{"name", "parent_id"}, r.ch.in())
	if KindOf(err) == Rights {
		r.out.NoAnalytic = true
		return nil
	}
	if err != nil {
		return err
	}
	names := map[int64]string{}
	for _, m := range plans {
		names[id(m["id"])] = text(m["name"])
		if id(m["parent_id"]) == 0 {
			r.out.Plans = append(r.out.Plans, text(m["name"]))
		}
	}
	got, err := r.c.search(ctx, "account.analytic.account", []any{[]any{"company_id", "in", []any{r.ch.company, false}}}, []string{"code", "name", "root_plan_id"}, r.ch.in())
	for _, m := range got {
		r.out.Analytic = append(r.out.Analytic, plan.Analytic{Plan: names[id(m["root_plan_id"])], Code: text(m["code"]), Name: text(m["name"])})
	}
	return err
}

// receipts are what days need that go as receipts or invoices.
func (r *planReader) receipts(context.Context) error {
	codes := map[int64]string{}
	for code, j := range r.ch.journals {
		codes[j.id] = code
	}
	for _, m := range r.ch.methods {
		r.out.Methods = append(r.out.Methods, plan.Method{Journal: codes[m.journal], Account: r.codes[m.account], Name: m.name, In: m.in})
	}
	for ref := range r.ch.customers {
		r.out.WalkIns = append(r.out.WalkIns, retail.LocationCode(strings.TrimPrefix(ref, plan.WalkInStart)))
	}
	return nil
}

// warehouses are there where the stock app is: without it Odoo does not know the model and refuses the call.
func (r *planReader) warehouses(ctx context.Context) error {
	got, err := r.c.search(ctx, "stock.warehouse", []any{[]any{"company_id", "=", r.ch.company}}, []string{"code", "name"}, r.ch.in())
	switch KindOf(err) {
	case Refused:
		return nil
	case Rights:
		r.out.Blind = append(r.out.Blind, fmt.Sprintf("warehouses cannot be read: user %s lacks the right; give it the group %q in Odoo under Settings > Users, or leave them out", r.c.cfg.User, r.c.groupName(ctx, "base.group_user")))
		return nil
	}
	for _, m := range got {
		r.out.Warehouses = append(r.out.Warehouses, plan.Warehouse{Code: text(m["code"]), Name: text(m["name"])})
	}
	return err
}
