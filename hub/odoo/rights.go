package odoo

import (
	"context"
	"fmt"
	"slices"
	"strings"
)

// needs are the rights of the daily work.
var needs = []right{{"account.move", "read"}, {"account.move", "create"}, {"account.move", "write"}, {"account.move.line", "read"}, {"account.move.line", "create"},
	{"account.journal", "read"}, {"account.account", "read"}, {"account.tax", "read"}, {"account.tax.repartition.line", "read"}, {"account.analytic.account", "read"}}

// right is an operation on a model.
type right struct{ model, operation string }

// what names models as people know them.
var what = map[string]string{"account.move": "journal entries", "account.move.line": "journal items", "account.journal": "journals", "account.account": "accounts",
	"account.tax": "taxes", "account.tax.repartition.line": "taxes", "account.analytic.account": "analytic accounts", "account.analytic.plan": "analytic plans",
	"res.config.settings": "settings", "res.partner": "customers", "ir.model.fields": "fields", "account.payment": "payments", "account.payment.method.line": "payment methods"}

// biller and manager are the groups that give the rights. Odoo says their names itself: they differ by version and edition.
const (
	biller  = "account.group_account_invoice"
	manager = "account.group_account_manager"
	contact = "base.group_partner_manager"
	system  = "base.group_system"
)

// group is the one that gives a right: entries are a biller's, what they are made of is an administrator's.
func (r right) group() string {
	if r.operation == "read" || r.model == "account.move" || r.model == "account.move.line" || r.model == "account.payment" {
		return biller
	}
	switch r.model {
	case "res.partner":
		return contact
	case "ir.model.fields":
		return system
	}
	return manager
}

// MissingRights lists what the user may not do and should, each with the group that gives it: nobody has to be an administrator for the
// daily work.
func MissingRights(ctx context.Context, c *Client) (missing []string, err error) {
	return c.lacking(ctx, needs)
}

func (c *Client) lacking(ctx context.Context, ask []right) (missing []string, err error) {
	v, err := c.Version(ctx)
	if err != nil {
		return nil, err
	}
	byGroup, order := map[string][]right{}, []string{}
	for _, r := range ask {
		ok, err := c.may(ctx, v, r)
		if err != nil {
			return nil, err
		}
		if ok {
			continue
		}
		if strings.HasPrefix(r.model, "account.analytic.") || r.model == "res.config.settings" {
			missing = append(missing, c.analyticOff())
			continue
		}
		g := r.group()
		if byGroup[g] == nil {
			order = append(order, g)
		}
		byGroup[g] = append(byGroup[g], r)
	}
	for _, g := range order {
		missing = append(missing, fmt.Sprintf("user %s may not %s: give it the group %q in Odoo under Settings > Users", c.cfg.User, wording(byGroup[g]), c.groupName(ctx, g)))
	}
	return missing, nil
}

// wording says rights as people do: "read, create, change journal entries; read journals".
func wording(rs []right) string {
	verbs, order := map[string][]string{}, []string{}
	for _, r := range rs {
		thing := what[r.model]
		if verbs[thing] == nil {
			order = append(order, thing)
		}
		verb := r.operation
		if verb == "write" {
			verb = "change"
		}
		if !slices.Contains(verbs[thing], verb) {
			verbs[thing] = append(verbs[thing], verb)
		}
	}
	var out []string
	for _, thing := range order {
		out = append(out, strings.Join(verbs[thing], ", ")+" "+thing)
	}
	return strings.Join(out, "; ")
}

// analyticOff is worded for itself: no group of the user's brings the right, the feature does.
func (c *Client) analyticOff() string {
	return fmt.Sprintf("user %s cannot use analytic accounts: they are switched off in Odoo. An Odoo administrator turns on Analytic Accounting in the settings of Invoicing "+
		"(or Accounting), or runs `hub odoo setup` once with an administrator's login", c.cfg.User)
}

// groupName is a group's name as it stands in the user's form; when that cannot be read, its technical one.
func (c *Client) groupName(ctx context.Context, group string) string {
	module, name, _ := strings.Cut(group, ".")
	got, err := c.Call(ctx, "ir.model.data", "check_object_reference", []any{module, name}, nil)
	pair, _ := got.([]any)
	if err != nil || len(pair) != 2 {
		return group
	}
	g, err := c.read(ctx, "res.groups", []int64{id(pair[1])}, []string{"full_name"}, nil)
	if err != nil || len(g) != 1 || text(g[0]["full_name"]) == "" {
		return group
	}
	return text(g[0]["full_name"])
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
