package app

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/tillpost/tillpost/hub/odoo"
	"github.com/tillpost/tillpost/hub/store"
	"github.com/tillpost/tillpost/shared/money"
	"github.com/tillpost/tillpost/shared/retail"
)

// taxProof puts what documents say of each tax beside what stands posted in a database.
func (a *App) taxProof(ctx context.Context, l *lane, first, last retail.BusinessDate, companies []string) ([]odoo.TaxProof, error) {
	ps, own, err := l.writer.Taxes(ctx, first, last, companies...)
	if err != nil {
		return nil, err
	}
	sent, unbased, err := a.Store.TaxesSent(ctx, first, last)
	if err != nil {
		return nil, err
	}
	for i := range ps {
		ps[i].Book = l.name
	}
	keys := slices.SortedFunc(maps.Keys(sent), func(a, b store.TaxKey) int {
		return cmp.Or(cmp.Compare(a.Home, b.Home), strings.Compare(a.Tax, b.Tax))
	})
	for _, k := range keys {
		if k.Book != l.name {
			continue
		}
		home := cmp.Or(k.Home, own)
		i := slices.IndexFunc(ps, func(p odoo.TaxProof) bool { return p.Home == home && p.Tax == k.Tax })
		if i < 0 { // nothing of it stands in Odoo
			zero := money.Of(0, sent[k].Sold.Currency)
			none := odoo.TaxFigures{Sold: zero, SoldBase: zero, Back: zero, BackBase: zero, Under: zero}
			i, ps = len(ps), append(ps, odoo.TaxProof{Book: l.name, Home: home, Company: fmt.Sprintf("company with id %d", home), Tax: k.Tax, Sent: none, Odoo: none, Unbased: zero})
		}
		f, g := &ps[i].Sent, sent[k]
		for _, x := range []struct {
			into *money.Amount
			n    money.Amount
		}{{&f.Sold, g.Sold}, {&f.SoldBase, g.SoldBase}, {&f.Back, g.Back}, {&f.BackBase, g.BackBase}, {&f.Under, g.Under}, {&ps[i].Unbased, unbased[k]}} {
			x.into.Minor += x.n.Minor
		}
	}
	return ps, nil
}

func printTaxes(w io.Writer, ps []odoo.TaxProof) {
	if len(ps) == 0 {
		return
	}
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "COMPANY\tTAX\t\tSOLD\tON\tTAKEN BACK\tON\tBASE ITEMS")
	row := func(p odoo.TaxProof, whose string, f odoo.TaxFigures) {
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n", p.Company, p.Tax, whose, f.Sold, f.SoldBase, f.Back, f.BackBase, f.Under)
	}
	for _, p := range ps {
		row(p, "documents", p.Sent)
		row(p, map[bool]string{true: "Odoo", false: "Odoo DIFFERS"}[p.Good()], p.Odoo)
		for _, g := range p.Groups {
			fmt.Fprintf(t, "\t\t%s\t%d items, tags %s\tbalance %s\ttax base amount %s\n", g.Side, g.Items, cmp.Or(strings.Join(g.Tags, ", "), "none"), g.Balance, g.Base)
		}
	}
	t.Flush()
	for _, p := range ps {
		if !p.Unbased.IsZero() {
			fmt.Fprintf(w, "%s: %s stand in Odoo without a base: the tills do not say what is taxed.\n", p.Tax, p.Unbased)
		}
	}
}
