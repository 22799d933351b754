package odoo

import (
	"cmp"
	"context"
	"slices"
)

// Place is an account or a sales tax of the books, as people choose it when they map a till's code.
type Place struct {
	Code string // of an account, "" for a tax
	Name string
	Tax  bool
}

// Places lists the accounts in use and the sales taxes that a till's amount can be booked on, by code and name.
func Places(ctx context.Context, c *Client) (out []Place, err error) {
	ch, err := readChart(ctx, c, books{name: c.cfg.Company})
	if err != nil {
		return nil, err
	}
	domain := []any{}
	if ch.version.Major < 18 {
		domain = append(domain, []any{"company_id", "=", ch.company})
	}
	got, err := c.search(ctx, "account.account", domain, []string{"code", "name"}, ch.in())
	if err != nil {
		return nil, err
	}
	for _, m := range got {
		if code := text(m["code"]); code != "" && !ch.accounts[code].dead {
			out = append(out, Place{Code: code, Name: text(m["name"])})
		}
	}
	for name, t := range ch.taxes {
		if t.parts == 1 {
			out = append(out, Place{Name: name, Tax: true})
		}
	}
	slices.SortFunc(out, func(a, b Place) int { return cmp.Or(cmp.Compare(a.Code, b.Code), cmp.Compare(a.Name, b.Name)) })
	return out, nil
}
