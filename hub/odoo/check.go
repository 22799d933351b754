package odoo

import (
	"context"
	"fmt"
	"time"

	"github.com/tillpost/tillpost/shared/retail"
)

// needs are the rights of the daily work; makes are those that setup needs besides.
var (
	needs = []right{{"account.move", "create"}, {"account.move", "write"}, {"account.move.line", "read"}, {"account.journal", "read"}, {"account.account", "read"},
		{"account.tax", "read"}, {"account.analytic.account", "read"}}
	makes = []right{{"account.journal", "create"}, {"account.account", "create"}, {"account.tax", "create"}}
)

// right is an operation on a model.
type right struct{ model, operation string }

// groups says which of Odoo's groups gives a right, as people see them in the user's form.
var groups = map[string]string{
	"account.move": "Accounting: Billing", "account.move.line": "Accounting: Billing", "account.journal": "Accounting: Administrator",
	"account.account": "Accounting: Administrator", "account.tax": "Accounting: Administrator", "account.analytic.account": "Analytic Accounting",
}

// MissingRights lists what the user may not do and should, each with the group that would allow it.
func MissingRights(ctx context.Context, c *Client, setup bool) (missing []string, err error) {
	v, err := c.Version(ctx)
	if err != nil {
		return nil, err
	}
	ask := needs
	if setup {
		ask = append(append([]right{}, needs...), makes...)
	}
	for _, r := range ask {
		if setup && r.model == "account.analytic.account" {
			continue // setup turns the feature on, which brings the right
		}
		ok, err := c.may(ctx, v, r)
		if err != nil {
			return nil, err
		}
		if !ok {
			missing = append(missing, fmt.Sprintf("%s %s (give the group %s)", r.operation, r.model, groups[r.model]))
		}
	}
	return missing, nil
}

func (c *Client) may(ctx context.Context, v Version, r right) (bool, error) {
	method, args := "check_access_rights", []any{r.operation, false}
	if v.Major >= 18 {
		method, args = "has_access", []any{[]int64{}, r.operation}
	}
	got, err := c.Call(ctx, r.model, method, args, nil)
	if KindOf(err) == Rights {
		return false, nil
	}
	return yes(got), err
}

// CheckReport is what `hub odoo check` tells.
type CheckReport struct {
	Version  string              `json:"version"`
	Company  string              `json:"company"`
	Currency string              `json:"currency"`
	Missing  []string            `json:"missing_rights,omitempty"`
	Locked   retail.BusinessDate `json:"books_closed_up_to,omitempty"`
	TaxLock  retail.BusinessDate `json:"taxes_closed_up_to,omitempty"`
	Lacks    []string            `json:"lacks,omitempty"` // what documents will wait for
	Answer   time.Duration       `json:"answer_time"`
	Wrong    []string            `json:"wrong,omitempty"`
}

// Good reports that documents can go.
func (r CheckReport) Good() bool { return len(r.Missing)+len(r.Lacks)+len(r.Wrong) == 0 }

// Check looks whether documents of these locations can go. currencies are the locations'.
func Check(ctx context.Context, c *Client, o SetupOptions, journal string, currencies []string) (r CheckReport, err error) {
	begun := time.Now()
	v, err := c.Version(ctx)
	if err != nil {
		return r, err
	}
	r.Answer, r.Version = time.Since(begun), v.Text
	if r.Missing, err = MissingRights(ctx, c, false); err != nil {
		return r, err
	}
	ch, err := readChart(ctx, c, c.cfg.Company)
	if err != nil {
		return r, err
	}
	r.Company, r.Currency = ch.name, string(ch.currency)
	l, err := ch.locks(ctx, c)
	if err != nil {
		return r, err
	}
	r.Locked, r.TaxLock = l.All, l.Tax
	if _, ok := ch.journals[journal]; !ok {
		r.Lacks = append(r.Lacks, "journal "+journal)
	}
	for code := range o.Locations {
		if _, ok := ch.analytic[code]; !ok {
			r.Lacks = append(r.Lacks, "analytic account "+string(code))
		}
	}
	for _, m := range o.Have.Rules {
		if a, ok := ch.accounts[m.Target.Account]; m.Target.Account != "" && (!ok || a.dead) {
			r.Lacks = append(r.Lacks, fmt.Sprintf("account %s for %s:%s", m.Target.Account, m.Role, m.Code))
		}
		if _, ok := ch.taxes[m.Target.Tax]; m.Target.Tax != "" && !ok {
			r.Lacks = append(r.Lacks, fmt.Sprintf("tax %s for %s:%s", m.Target.Tax, m.Role, m.Code))
		}
	}
	for _, cur := range currencies {
		if cur != "" && cur != r.Currency {
			r.Wrong = append(r.Wrong, fmt.Sprintf("a location sells in %s, company %s keeps its books in %s: its documents would wait", cur, r.Company, r.Currency))
		}
	}
	return r, nil
}
