package odoo

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"strings"

	"github.com/tillpost/tillpost/shared/money"
	"github.com/tillpost/tillpost/shared/retail"
)

// Taxes adds up what a tax return reads of this hub's posted entries, for store-days of a span: per company and tax, grouped by repartition line and
// tags. They are found by their references, whoever knows them still. own is the id of the settings' company.
func (w *Writer) Taxes(ctx context.Context, from, to retail.BusinessDate, companies ...string) (out []TaxProof, own int64, err error) {
	defer func() { w.Met(err) }()
	seen := map[int64]bool{}
	for _, name := range append([]string{""}, companies...) {
		ch, err := w.charts.get(ctx, books{name: name}, true)
		if err != nil {
			return nil, 0, err
		}
		if name == "" {
			own = ch.company
		}
		if seen[ch.company] {
			continue
		}
		seen[ch.company] = true
		ps, err := w.taxesOf(ctx, ch, from, to)
		if err != nil {
			return nil, 0, err
		}
		out = append(out, ps...)
	}
	return out, own, nil
}

func (w *Writer) taxesOf(ctx context.Context, ch *chart, from, to retail.BusinessDate) (out []TaxProof, err error) {
	got, err := w.client.search(ctx, "account.move.line", []any{[]any{"ref", "=like", refStart(w.Hub) + "%"}, []any{"company_id", "=", ch.company}, []any{"parent_state", "=", "posted"},
		"|", []any{"tax_repartition_line_id", "!=", false}, []any{"tax_ids", "!=", false}}, []string{"ref", "balance", "tax_repartition_line_id", "tax_ids", "tax_tag_ids", "tax_base_amount"}, ch.in())
	if err != nil {
		return nil, err
	}
	sums, side := newTaxSums(ch), ch.reversed()
	for _, m := range got {
		d := refForm.FindStringSubmatch(text(m["ref"]))
		if d == nil || retail.BusinessDate(d[2]) < from || retail.BusinessDate(d[2]) > to {
			continue
		}
		balance, err := Minor(m["balance"], ch.currency)
		if err != nil {
			return nil, err
		}
		l, err := ch.leviedFrom(m)
		if err != nil {
			return nil, err
		}
		if t, ok := side.taxes[id(m["tax_repartition_line_id"])]; ok && id(m["tax_repartition_line_id"]) != 0 {
			sums.line(t, l.tags, balance.Minor, natural(l.base, t.refund, ch.signed()))
		}
		for _, n := range strings.Split(l.taxes, ",") {
			if name, ok := side.names[n]; ok {
				sums.under(name, l.tags, balance.Minor)
			}
		}
	}
	return sums.named(ctx, w.client)
}

// taxSums grows item by item.
type taxSums struct {
	ch     *chart
	by     map[string]*TaxProof
	groups map[taxGroup]*TaxGroup
}

type taxGroup struct{ tax, side, tags string }

func newTaxSums(ch *chart) taxSums {
	return taxSums{ch, map[string]*TaxProof{}, map[taxGroup]*TaxGroup{}}
}

func (s taxSums) of(tax string) *TaxProof {
	p := s.by[tax]
	if p == nil {
		zero := money.Of(0, s.ch.currency)
		none := TaxFigures{Sold: zero, SoldBase: zero, Back: zero, BackBase: zero, Under: zero}
		p = &TaxProof{Home: s.ch.company, Company: s.ch.name, Tax: tax, Sent: none, Odoo: none, Unbased: zero}
		s.by[tax] = p
	}
	return p
}

func (s taxSums) group(g taxGroup, balance, base int64) {
	v := s.groups[g]
	if v == nil {
		zero := money.Of(0, s.ch.currency)
		v = &TaxGroup{Side: g.side, Balance: zero, Base: zero}
		s.groups[g] = v
	}
	v.Items++
	v.Balance.Minor += balance
	v.Base.Minor += base
}

// line is a tax line; base is signed as balance is.
func (s taxSums) line(t taxSide, tags string, balance, base int64) {
	f := &s.of(t.name).Odoo
	if t.refund {
		f.Back.Minor += balance
		f.BackBase.Minor += base
		s.group(taxGroup{t.name, "taken back", tags}, balance, base)
		return
	}
	f.Sold.Minor -= balance
	f.SoldBase.Minor -= base
	s.group(taxGroup{t.name, "sold", tags}, balance, -base)
}

// under is an item that a tax is on.
func (s taxSums) under(tax, tags string, balance int64) {
	s.of(tax).Odoo.Under.Minor -= balance
	s.group(taxGroup{tax, "base", tags}, balance, 0)
}

// named are the sums in a fixed order, with the tags' names.
func (s taxSums) named(ctx context.Context, c *Client) (out []TaxProof, err error) {
	names, err := s.tagNames(ctx, c)
	if err != nil {
		return nil, err
	}
	for _, g := range slices.SortedFunc(maps.Keys(s.groups), func(a, b taxGroup) int {
		return cmp.Or(cmp.Compare(a.side, b.side), cmp.Compare(a.tags, b.tags))
	}) {
		v := *s.groups[g]
		for _, n := range strings.Split(g.tags, ",") {
			if n != "" {
				v.Tags = append(v.Tags, cmp.Or(names[n], "tag "+n))
			}
		}
		p := s.of(g.tax)
		p.Groups = append(p.Groups, v)
	}
	for _, tax := range slices.Sorted(maps.Keys(s.by)) {
		out = append(out, *s.by[tax])
	}
	return out, nil
}

// tagNames are the names of the tags that occur. A user who may not read tags sees their ids.
func (s taxSums) tagNames(ctx context.Context, c *Client) (map[string]string, error) {
	out := map[string]string{}
	for g := range s.groups {
		if g.tags != "" {
			out[g.tags] = ""
		}
	}
	if len(out) == 0 {
		return out, nil
	}
	got, err := c.search(ctx, "account.account.tag", []any{[]any{"applicability", "=", "taxes"}}, []string{"name"}, s.ch.in())
	if KindOf(err) == Rights {
		return out, nil
	}
	for _, m := range got {
		out[idList([]int64{id(m["id"])})] = text(m["name"])
	}
	return out, err
}
