package odoo

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/shopspring/decimal"

	"github.com/tillpost/tillpost/hub/plan"
	"github.com/tillpost/tillpost/shared/fault"
	"github.com/tillpost/tillpost/shared/money"
	"github.com/tillpost/tillpost/shared/retail"
)

// chart is Odoo's names with their ids: what a document names by code is sent by id. It belongs to one connection.
type chart struct {
	version   Version
	company   int64
	name      string // of the company
	currency  money.Currency
	journals  map[string]journal // by code
	accounts  map[string]account // by code
	taxes     map[string]tax     // by name
	analytic  map[retail.LocationCode]int64
	analytics []analytic // all analytic accounts

	methods   []method            // of payments
	customers map[string]customer // by reference
	marks     map[string]bool     // models that have the field for the vendor's ids
	named     *sync.Map           // customers whom tickets name, as they were met
	read      time.Time
}

type journal struct {
	id       int64
	kind     string // "general" is what documents go to
	own      int64  // of a bank journal: the account of the bank itself
	suspense int64  // of a bank journal: where a statement line's other side stands until it is explained
}

type account struct {
	id   int64
	kind string // Odoo's account_type
	dead bool   // archived or deprecated
	open bool   // its items can be reconciled
}

// tax is where a tax's own lines go, sold and refunded.
type tax struct {
	id              int64
	name            string
	parts           int             // tax lines on the invoice side: we can book exactly one
	included        decimal.Decimal // 17: percent that a receipt's line is taken to contain of it, 0 = it is not included in the price
	tangled         bool            // 17: it is included in the price, and no percentage says how
	invoice, refund repartition
}

type repartition struct {
	id, account int64
	tags        []int64
	base        []int64 // tags of what the tax is on
}

func readChart(ctx context.Context, c *Client, company books) (*chart, error) {
	ch := &chart{journals: map[string]journal{}, accounts: map[string]account{}, taxes: map[string]tax{}, analytic: map[retail.LocationCode]int64{}, customers: map[string]customer{}, named: &sync.Map{}}
	var err error
	if ch.version, err = c.Version(ctx); err != nil {
		return nil, err
	}
	if err = ch.readCompany(ctx, c, company); err != nil {
		return nil, err
	}
	for _, read := range []func(context.Context, *Client) error{ch.readJournals, ch.readAccounts, ch.readTaxes, ch.readAnalytic, ch.readMethods, ch.readCustomers, ch.readMarks} {
		if err := read(ctx, c); err != nil {
			return nil, err
		}
	}
	return ch, nil
}

// in is the context of every call: Odoo computes account codes and lock dates for the company that stands here.
func (ch *chart) in() map[string]any {
	return map[string]any{"allowed_company_ids": []int64{ch.company}, "lang": "en_US"}
}

func (ch *chart) readCompany(ctx context.Context, c *Client, b books) error {
	uid, _, err := c.Login(ctx)
	if err != nil {
		return err
	}
	domain := []any{[]any{"user_ids", "in", []int64{uid}}}
	switch {
	case b.id != 0:
		domain = append(domain, []any{"id", "=", b.id})
	case b.name != "":
		domain = append(domain, []any{"name", "=", b.name})
	}
	got, err := c.search(ctx, "res.company", domain, []string{"name", "currency_id"}, nil)
	if err != nil {
		return err
	}
	if b == (books{}) && len(got) > 1 {
		me, err := c.read(ctx, "res.users", []int64{uid}, []string{"company_id"}, nil)
		if err != nil {
			return err
		}
		for _, m := range me {
			got = only(got, id(m["company_id"]))
		}
	}
	if len(got) != 1 {
		return &Error{Kind: Rights, Text: fmt.Sprintf("user %s sees no company %s: name it in [odoo] company or at the location as Odoo does, and allow it to the user", c.cfg.User, b), Err: errNoCompany}
	}
	ch.company, ch.name = id(got[0]["id"]), text(got[0]["name"])
	cur, err := c.read(ctx, "res.currency", []int64{id(got[0]["currency_id"])}, []string{"name"}, nil)
	if err != nil || len(cur) != 1 {
		return cannot("read the company's currency", err)
	}
	ch.currency = money.Currency(text(cur[0]["name"]))
	return nil
}

// errNoCompany is a company that is not there, or not the user's.
var errNoCompany = errors.New("no such company")

func only(all []map[string]any, want int64) (out []map[string]any) {
	for _, m := range all {
		if id(m["id"]) == want {
			out = append(out, m)
		}
	}
	return out
}

func (ch *chart) readJournals(ctx context.Context, c *Client) error {
	got, err := c.search(ctx, "account.journal", []any{[]any{"company_id", "=", ch.company}}, []string{"code", "type", "default_account_id", "suspense_account_id"}, ch.in())
	for _, m := range got {
		ch.journals[text(m["code"])] = journal{id(m["id"]), text(m["type"]), id(m["default_account_id"]), id(m["suspense_account_id"])}
	}
	return err
}

func (ch *chart) readAccounts(ctx context.Context, c *Client) error {
	fields := []string{"code", "account_type", "reconcile"}
	if ch.version.Major < 19 {
		fields = append(fields, "deprecated") // 19 archives instead, and a search leaves archived ones out
	}
	domain := []any{}
	if ch.version.Major < 18 {
		domain = append(domain, []any{"company_id", "=", ch.company})
	}
	got, err := c.search(ctx, "account.account", domain, fields, ch.in())
	for _, m := range got {
		if code := text(m["code"]); code != "" { // 18 and 19: an account that this company has no code for
			ch.accounts[code] = account{id(m["id"]), text(m["account_type"]), yes(m["deprecated"]), yes(m["reconcile"])}
		}
	}
	return err
}

func (ch *chart) readTaxes(ctx context.Context, c *Client) error {
	fields := []string{"name"}
	if ch.version.Major < 18 {
		fields = append(fields, includedFields...)
	}
	got, err := c.search(ctx, "account.tax", []any{[]any{"company_id", "=", ch.company}, []any{"type_tax_use", "=", "sale"}}, fields, ch.in())
	if err != nil {
		return err
	}
	byID := map[int64]*tax{}
	for _, m := range got {
		t := &tax{id: id(m["id"]), name: text(m["name"])}
		t.contained(m)
		byID[t.id] = t
	}
	lines, err := c.search(ctx, "account.tax.repartition.line", []any{[]any{"company_id", "=", ch.company}},
		[]string{"tax_id", "document_type", "repartition_type", "account_id", "factor_percent", "tag_ids"}, ch.in())
	for _, l := range lines {
		t := byID[id(l["tax_id"])]
		if t == nil {
			continue
		}
		side := &t.invoice
		if text(l["document_type"]) == "refund" {
			side = &t.refund
		}
		if text(l["repartition_type"]) == "base" {
			side.base = ids(l["tag_ids"])
			continue
		}
		side.id, side.account, side.tags = id(l["id"]), id(l["account_id"]), ids(l["tag_ids"])
		if side == &t.invoice {
			t.parts++
		}
	}
	for _, t := range byID {
		ch.taxes[t.name] = *t
	}
	return err
}

// readAnalytic finds one analytic account per location: its code is the location's. Without the right to see analytic accounts there are
// none, and documents wait for them.
func (ch *chart) readAnalytic(ctx context.Context, c *Client) error {
	plans, err := c.search(ctx, "account.analytic.plan", []any{}, []string{"name"}, ch.in())
	if KindOf(err) == Rights {
		return nil
	}
	if err != nil {
		return err
	}
	names := map[int64]string{}
	for _, m := range plans {
		names[id(m["id"])] = text(m["name"])
	}
	got, err := c.search(ctx, "account.analytic.account", []any{[]any{"company_id", "in", []any{ch.company, false}}}, []string{"code", "name", "root_plan_id"}, ch.in())
	if KindOf(err) == Rights {
		return nil
	}
	for _, m := range got {
		a := analytic{id: id(m["id"]), root: id(m["root_plan_id"]), plan: names[id(m["root_plan_id"])], code: text(m["code"]), name: text(m["name"])}
		ch.analytics = append(ch.analytics, a)
		if _, twice := ch.analytic[retail.LocationCode(a.code)]; a.code != "" && !twice {
			ch.analytic[retail.LocationCode(a.code)] = a.id
		}
	}
	return err
}

// readCustomers finds the partners that receipts are for, by their reference. Only locations whose days go as receipts need any.
func (ch *chart) readCustomers(ctx context.Context, c *Client) error {
	got, err := c.search(ctx, "res.partner", []any{[]any{"ref", "=like", plan.WalkInStart + "%"}, []any{"company_id", "in", []any{ch.company, false}}},
		[]string{"ref", "property_account_receivable_id"}, ch.in())
	if KindOf(err) == Rights {
		return nil
	}
	for _, m := range got {
		if _, twice := ch.customers[text(m["ref"])]; !twice {
			ch.customers[text(m["ref"])] = customer{id(m["id"]), id(m["property_account_receivable_id"])}
		}
	}
	return err
}

func cannot(what string, err error) error {
	if err != nil {
		return err
	}
	return fault.Msg(fault.Internal, what, "Odoo answers with nothing")
}
