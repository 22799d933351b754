package odoo

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/tillpost/tillpost/hub/mapping"
	"github.com/tillpost/tillpost/shared/retail"
)

// CheckReport is what `hub odoo check` tells.
type CheckReport struct {
	Version  string              `json:"version"`
	Company  string              `json:"company"`
	Currency string              `json:"currency"`
	Missing  []string            `json:"missing_rights,omitempty"`
	Locked   retail.BusinessDate `json:"books_closed_up_to,omitempty"`
	TaxLock  retail.BusinessDate `json:"taxes_closed_up_to,omitempty"`
	SaleLock retail.BusinessDate `json:"sales_closed_up_to,omitempty"` // binds journals of type sale only
	Lacks    []string            `json:"lacks,omitempty"`              // what documents will wait for
	Answer   time.Duration       `json:"answer_time"`
	Wrong    []string            `json:"wrong,omitempty"`
	Key      KeyEnd              `json:"key"`
}

// Good reports that documents can go.
func (r CheckReport) Good() bool { return len(r.Missing)+len(r.Lacks)+len(r.Wrong) == 0 }

// Location is what a location says of its money.
type Location struct {
	Code     retail.LocationCode
	Currency string // "" = the company's
	Company  string // Odoo company, "" = the one that the settings name
}

// Check looks whether documents of these locations can go to this journal.
func Check(ctx context.Context, c *Client, o SetupOptions, journal string, locations []Location) (r CheckReport, err error) {
	if err := r.server(ctx, c); err != nil || len(r.Missing) > 0 {
		return r, err // without rights the rest cannot be read
	}
	ch, err := readChart(ctx, c, books{name: c.cfg.Company})
	if errors.Is(err, errNoCompany) {
		r.Company = c.cfg.Company
		r.Wrong = append(r.Wrong, err.(*Error).Text)
		return r, nil
	}
	if err != nil {
		return r, err
	}
	if err := r.company(ctx, c, ch); err != nil {
		return r, err
	}
	if j, ok := ch.journals[journal]; !ok {
		r.Lacks = append(r.Lacks, "journal "+journal)
	} else if j.kind != "general" {
		r.Wrong = append(r.Wrong, fmt.Sprintf("journal %s is of type %s; store-days need a general one", journal, j.kind))
	}
	for code := range o.Locations {
		if _, ok := ch.analytic[code]; !ok {
			r.Lacks = append(r.Lacks, "analytic account "+string(code))
		}
	}
	if err := r.receipts(ctx, c, ch, o); err != nil {
		return r, err
	}
	placed := ch.placed(o.Locations)
	for _, m := range o.Have.Rules {
		if err := r.rule(ctx, c, ch, m, placed); err != nil {
			return r, err
		}
	}
	for _, l := range locations {
		r.location(l)
	}
	return r, nil
}

// server looks who answers and what it lets us do.
func (r *CheckReport) server(ctx context.Context, c *Client) error {
	begun := time.Now()
	v, err := c.Version(ctx)
	if err != nil {
		return err
	}
	r.Answer, r.Version = time.Since(begun), v.Text
	if r.Key, err = KeyEnds(ctx, c); err != nil {
		return err
	}
	r.Missing, err = MissingRights(ctx, c)
	return err
}

// company looks at whose books these are and up to which day they are closed.
func (r *CheckReport) company(ctx context.Context, c *Client, ch *chart) error {
	r.Company, r.Currency = ch.name, string(ch.currency)
	l, err := ch.locks(ctx, c)
	if err != nil {
		return err
	}
	r.Locked, r.TaxLock, r.SaleLock = max(l.Year, l.Hard), l.Tax, l.Sale
	unseen, err := ch.unseen(ctx, c)
	if err == nil && unseen != "" {
		r.Wrong = append(r.Wrong, unseen)
	}
	return err
}

// receipts looks for what tickets need that go one by one.
func (r *CheckReport) receipts(ctx context.Context, c *Client, ch *chart, o SetupOptions) (err error) {
	if len(o.Receipts) == 0 {
		return nil
	}
	if ch.journals[SalesJournal].kind != "sale" {
		r.Lacks = append(r.Lacks, "sales journal "+SalesJournal)
	}
	if r.Missing, err = c.lacking(ctx, []right{{"account.payment", "read"}, {"account.payment", "create"}, {"account.payment", "write"}, {"account.payment.method.line", "read"}}); err != nil {
		return err
	}
	r.Lacks = append(r.Lacks, ch.lackingMethods(o.Have.Rules)...)
	for _, l := range o.Receipts {
		if _, ok := ch.customers[WalkInRef(l)]; !ok {
			r.Lacks = append(r.Lacks, "walk-in customer of "+string(l))
		}
	}
	return nil
}

// rule looks for what a rule of the mapping names.
func (r *CheckReport) rule(ctx context.Context, c *Client, ch *chart, m mapping.Rule, placed []int64) error {
	if a, ok := ch.accounts[m.Target.Account]; m.Target.Account != "" && (!ok || a.dead) {
		r.Lacks = append(r.Lacks, fmt.Sprintf("account %s for %s:%s", m.Target.Account, m.Role, m.Code))
	}
	if _, ok := ch.taxes[m.Target.Tax]; m.Target.Tax != "" && !ok {
		r.Lacks = append(r.Lacks, fmt.Sprintf("tax %s for %s:%s", m.Target.Tax, m.Role, m.Code))
	}
	return r.besides(ctx, c, ch, m, placed)
}

// location looks whether a location's money and company are those of the books.
func (r *CheckReport) location(l Location) {
	if l.Currency != "" && l.Currency != r.Currency {
		r.Wrong = append(r.Wrong, fmt.Sprintf("location %s sells in %s, company %s keeps its books in %s: its documents will wait. Correct the location, or give it a hub whose settings name a company in %s",
			l.Code, l.Currency, r.Company, r.Currency, l.Currency))
	}
	if l.Company != "" && l.Company != r.Company {
		r.Wrong = append(r.Wrong, fmt.Sprintf("location %s belongs to company %q, the settings post to %q: correct the location, or [odoo] company", l.Code, l.Company, r.Company))
	}
}

// besides looks for what a rule names besides accounts and taxes.
func (r *CheckReport) besides(ctx context.Context, c *Client, ch *chart, m mapping.Rule, placed []int64) error {
	if _, ok := ch.journals[m.Target.Journal]; m.Target.Journal != "" && !ok {
		r.Lacks = append(r.Lacks, fmt.Sprintf("journal %s for %s:%s", m.Target.Journal, m.Role, m.Code))
	}
	for _, n := range mapping.Names(m.Target.Analytic) {
		a, err := ch.find(n)
		if err != nil {
			r.Lacks = append(r.Lacks, fmt.Sprintf("analytic account %q for %s:%s", n, m.Role, m.Code))
			continue
		}
		if m.Role != mapping.Location && slices.Contains(placed, a.root) {
			r.Wrong = append(r.Wrong, fmt.Sprintf("the rule for %s:%s names the analytic account %q of the plan %q, where the locations' own stand: an item has one of each plan, so documents with it will wait. Name an account of another plan",
				m.Role, m.Code, n, a.plan))
		}
	}
	if m.Target.Warehouse == "" {
		return nil
	}
	got, err := c.search(ctx, "stock.warehouse", []any{[]any{"company_id", "=", ch.company}, []any{"code", "=", m.Target.Warehouse}}, []string{"code"}, ch.in())
	if kind := KindOf(err); err != nil && kind != Refused && kind != Rights {
		return err
	}
	if len(got) == 0 {
		r.Lacks = append(r.Lacks, fmt.Sprintf("warehouse %s for %s:%s", m.Target.Warehouse, m.Role, m.Code))
	}
	return nil
}

// placed are the plans in which locations have their own accounts.
func (ch *chart) placed(locations map[retail.LocationCode]string) (roots []int64) {
	for _, a := range ch.analytics {
		if _, ok := locations[retail.LocationCode(a.code)]; ok && a.code != "" && !slices.Contains(roots, a.root) {
			roots = append(roots, a.root)
		}
	}
	return roots
}
