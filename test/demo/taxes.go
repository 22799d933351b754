package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"

	"github.com/tillpost/tillpost/test/demo/books"
	"github.com/tillpost/tillpost/test/fake/till"
)

// ownTaxes makes taxes of head office's own for the first store's jurisdictions, as its accountant has them for the tax return: base and tax have
// tags, sold and taken back. Where the user may not make tags there are none, and the taxes are setup's.
func (d *demo) ownTaxes(ctx context.Context) (names map[string]string, err error) {
	as := d.odoo
	if user := os.Getenv("ODOO_ADMIN"); user != "" {
		as.User, as.Key = user, os.Getenv("ODOO_ADMIN_KEY")
	}
	version, err := books.Version(ctx, as)
	if err != nil {
		return nil, err
	}
	account, country, err := d.taxPlace(ctx, as)
	if err != nil {
		return nil, err
	}
	names = map[string]string{}
	for _, j := range d.shops[0].Taxes {
		name := j.Name + " " + strconv.FormatInt(d.began.Unix(), 36)
		tags := map[string]any{}
		for _, what := range []string{"base", "tax"} {
			for _, side := range []string{"invoice", "refund"} {
				if version >= 19 && side == "refund" {
					tags["refund "+what] = tags["invoice "+what]
					continue
				}
				v := map[string]any{"name": map[string]string{"invoice": "+", "refund": "-"}[side] + name + " " + what, "applicability": "taxes"}
				if country != 0 {
					v["country_id"] = country
				}
				if version < 19 {
					v["tax_negate"] = side == "refund"
				}
				made, err := books.Create(ctx, as, "account.account.tag", v)
				if err != nil && len(names) == 0 {
					fmt.Fprintf(d.out, "Odoo lets %s make no tags for the tax return (ODOO_ADMIN and ODOO_ADMIN_KEY name who may): taxes have none.\n", as.User)
					return nil, nil
				}
				if err != nil {
					return nil, err
				}
				tags[side+" "+what] = made
			}
		}
		lines := func(side string) []any {
			return []any{[]any{0, 0, map[string]any{"repartition_type": "base", "tag_ids": []any{[]any{6, 0, []any{tags[side+" base"]}}}}},
				[]any{0, 0, map[string]any{"repartition_type": "tax", "account_id": account, "tag_ids": []any{[]any{6, 0, []any{tags[side+" tax"]}}}}}}
		}
		if _, err := books.Create(ctx, as, "account.tax", map[string]any{"name": name, "type_tax_use": "sale", "amount_type": "percent", "amount": int(j.Rate / 1000),
			"invoice_repartition_line_ids": lines("invoice"), "refund_repartition_line_ids": lines("refund")}); err != nil {
			return nil, err
		}
		names[j.Name] = name
	}
	return names, nil
}

// taxPlace is the account of Odoo's own tax, and the company's country.
func (d *demo) taxPlace(ctx context.Context, as books.Odoo) (account, country int, err error) {
	part, err := books.First(ctx, as, "account.tax.repartition.line", []any{[]any{"repartition_type", "=", "tax"}, []any{"account_id", "!=", false}}, "account_id")
	if err != nil {
		return 0, 0, err
	}
	country, err = books.First(ctx, as, "res.company", []any{[]any{"id", "=", 1}}, "account_fiscal_country_id")
	return part, country, err
}

// taxesAgree holds what a tax return reads of Odoo against the tills: per jurisdiction, tax and base, sold and taken back. What no till tells has no
// base in Odoo either.
func (d *demo) taxesAgree(ctx context.Context, truths []till.Truth, hub string) error {
	all, err := books.ReadTaxes(ctx, d.odoo, ownJournals...)
	if err != nil {
		return err
	}
	days := map[string]bool{}
	for _, t := range truths {
		days[t.Location+" "+t.Day] = true
	}
	items := slices.DeleteFunc(all, func(i books.TaxItem) bool { return !strings.Contains(i.Ref, hub) || !days[i.Location+" "+i.Day] })
	t := tabwriter.NewWriter(d.out, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(t, "tax\ttills: sold\ton\ttaken back\ton\tOdoo: sold\ton\ttaken back\ton\titems under it\t")
	var wrong []error
	known := map[string]bool{}
	for _, s := range d.shops {
		for _, j := range s.Taxes {
			var told till.Taxed
			for _, x := range truths {
				if x.Location == s.Code {
					y := x.Taxed[j.Name]
					told = till.Taxed{Sold: told.Sold + y.Sold, SoldBase: told.SoldBase + y.SoldBase, Back: told.Back + y.Back, BackBase: told.BackBase + y.BackBase}
				}
			}
			name := d.taxNames[j.Name]
			if name == "" {
				name = "Till " + j.Name
			}
			known[name] = true
			got, net, err := taxOf(items, name, j.Name)
			if err != nil {
				wrong = append(wrong, err)
			}
			fmt.Fprintf(t, "%s %s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t\n", s.Code, j.Name, books.Text(told.Sold), books.Text(told.SoldBase), books.Text(told.Back), books.Text(told.BackBase),
				books.Text(got.Sold), books.Text(got.SoldBase), books.Text(got.Back), books.Text(got.BackBase), books.Text(net))
			if got != told || net != told.SoldBase-told.BackBase || s.TellsTaxes == (told.SoldBase == 0) {
				wrong = append(wrong, fmt.Errorf("tax %s at %s: the tills have %s; Odoo has %s, and %s under its items", j.Name, s.Code, taxText(told), taxText(got), books.Text(net)))
			}
		}
	}
	t.Flush()
	for _, i := range items {
		if !known[i.Tax] {
			wrong = append(wrong, fmt.Errorf("entry %s has an item of the tax %q, which no till knows", i.Entry, i.Tax))
		}
	}
	if len(wrong) == 0 {
		d.printGroups(items)
	}
	return errors.Join(wrong...)
}

func taxText(x till.Taxed) string {
	return fmt.Sprintf("%s on %s sold, %s on %s taken back", books.Text(x.Sold), books.Text(x.SoldBase), books.Text(x.Back), books.Text(x.BackBase))
}

// taxOf adds up a tax: its own lines per side with the bases they tell, and net what stands under it. A document that has a base and no cent of the
// tax tells it by its items alone; the till's own words in their labels say of which side.
func taxOf(items []books.TaxItem, name, code string) (x till.Taxed, net int64, err error) {
	type place struct {
		move int
		back bool
	}
	under, told := map[place]int64{}, map[place]bool{}
	for _, i := range items {
		switch at := (place{i.Move, i.Refund}); {
		case i.Tax != name:
		case i.State != "posted":
			err = fmt.Errorf("entry %s is %s", i.Entry, i.State)
		case i.IsBase:
			net -= i.Cents
			at.back = strings.Contains(i.Label+" ⊕", " ⊖"+code+" ⊕") || strings.Contains(i.Label+" ⊖", " ⊖"+code+" ⊖")
			under[at] -= i.Cents
		case i.Refund:
			x.Back, x.BackBase, told[at] = x.Back+i.Cents, x.BackBase+i.Base, true
			under[at] += i.Base
		default:
			x.Sold, x.SoldBase, told[at] = x.Sold-i.Cents, x.SoldBase+i.Base, true
			under[at] -= i.Base
		}
	}
	for at, left := range under {
		switch {
		case told[at] && left != 0:
			err = fmt.Errorf("entry %d: the tax %s tells another base than its items, by %s", at.move, name, books.Text(left))
		case at.back:
			x.BackBase -= left
		default:
			x.SoldBase += left
		}
	}
	return x, net, err
}

// printGroups shows posted items as a tax return groups them.
func (d *demo) printGroups(items []books.TaxItem) {
	sums := map[string][3]int64{}
	for _, i := range items {
		g := sums[i.Group()]
		sums[i.Group()] = [3]int64{g[0] + 1, g[1] + i.Cents, g[2] + i.Base}
	}
	t := tabwriter.NewWriter(d.out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "company\ttax\tside\ttags\titems\tbalance\ttax base amount")
	for _, k := range slices.Sorted(maps.Keys(sums)) {
		p := strings.Split(k, "\x00")
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%d\t%s\t%s\n", p[0], p[1], p[2], p[3], sums[k][0], books.Text(sums[k][1]), books.Text(sums[k][2]))
	}
	t.Flush()
	fmt.Fprintf(d.out, "Taxes: tax and base of every jurisdiction, sold and taken back, are the tills'.\n")
}
