package odoo

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/tillpost/tillpost/hub/ledger"
	"github.com/tillpost/tillpost/hub/rollup"
	"github.com/tillpost/tillpost/shared/money"
)

// levied is what Odoo's tax reports read of an item beside its amount. Lists are ids in ascending order with commas between, as a load takes them.
type levied struct {
	taxes  string // the taxes that the item is the base of
	tags   string // of a base or a tax
	base   int64  // of a tax line: what it is the tax of, minor units, as this Odoo signs it
	invert bool   // 17 and 18: the reports count it against its sign
}

func (l levied) String() string {
	if l == (levied{}) {
		return ""
	}
	return fmt.Sprintf(", base of taxes %q, tags %q, tax base %d, inverted %t", l.taxes, l.tags, l.base, l.invert)
}

// signed tells whether a tax line's base has the sign of its balance, as from 19 on. Before, it is positive on the side where the tax stands by nature,
// and 17 and 18 have a switch on each item that says which way the reports count it; their own for entries goes by debit and credit, and takes a
// discount for a refund.
func (ch *chart) signed() bool { return ch.version.Major >= 19 }

// inverts is that switch's field where there is one.
func (ch *chart) inverts() []string {
	if ch.signed() {
		return nil
	}
	return []string{"tax_tag_invert"}
}

// natural turns a base between our sign, debit positive, and Odoo's. It is its own inverse.
func natural(base int64, refund, signed bool) int64 {
	if signed || refund {
		return base
	}
	return -base
}

// taxOf is a tax line's part of the reports.
func (ch *chart) taxOf(l rollup.Line, r repartition) levied {
	return levied{tags: idList(r.tags), base: natural(l.Base.Minor, l.Refund, ch.signed()), invert: !l.Refund && !ch.signed()}
}

// baseOf is the part in the reports of an item that taxes are on: the taxes, with the tags of their base on one side. An item that is the base of taxes
// taken and of taxes given back, in an exchange, stands with those taken: tags of both sides mean the same figure.
func (ch *chart) baseOf(l rollup.Line) (b levied, err error) {
	refund := !slices.ContainsFunc(l.Levies, func(v rollup.Levy) bool { return !v.Refund })
	var taxes, tags []int64
	for _, v := range l.Levies {
		t, err := ch.taxNamed(v.Tax, l.Measure)
		if err != nil {
			return b, err
		}
		side := t.invoice
		if refund {
			side = t.refund
		}
		taxes, tags = append(taxes, t.id), append(tags, side.base...)
	}
	return levied{taxes: idList(taxes), tags: idList(tags), invert: !refund && !ch.signed()}, nil
}

// leviedFrom is the same of an item as it was read.
func (ch *chart) leviedFrom(m map[string]any) (levied, error) {
	base, err := Minor(m["tax_base_amount"], ch.currency)
	return levied{taxes: idList(ids(m["tax_ids"])), tags: idList(ids(m["tax_tag_ids"])), base: base.Minor, invert: yes(m["tax_tag_invert"])}, err
}

// baseColumns are added to a load when a document says what its taxes are on.
func (ch *chart) baseColumns() []string {
	out := []string{"line_ids/tax_ids/.id", "line_ids/tax_base_amount"}
	for _, f := range ch.inverts() {
		out = append(out, "line_ids/"+f)
	}
	return out
}

// baseCells are an item's cells of these columns.
func (i item) baseCells(c money.Currency, columns []string) []any {
	out := []any{i.taxes, "", ""}
	if i.repartition != 0 {
		out[1] = money.Of(i.base, c).Decimal()
	}
	if i.repartition != 0 || i.taxes != "" {
		out[2] = "False"
		if i.invert {
			out[2] = "True"
		}
	}
	return out[:len(columns)]
}

// said is an item as it is compared: what a document does not say of bases is Odoo's own affair.
func (e entry) said(i item) item {
	if e.based == nil {
		i.levied = levied{tags: i.tags}
	}
	return i
}

// taxesDiffer asks of an entry that was verified before whether a tax return reads something else of it now: the tax lines and their bases, and what stands under
// taxes, each by taxes and tags. Labels, accounts and the parting into items are not asked.
func (e entry) taxesDiffer(f *found) bool {
	type figures struct{ balance, base int64 }
	sums := map[item]figures{}
	add := func(i item, sign int64) {
		if i = e.said(i); i.repartition == 0 && i.levied == (levied{}) {
			return
		}
		key := item{repartition: i.repartition, levied: i.levied}
		key.base = 0
		sums[key] = figures{sums[key].balance + sign*i.minor, sums[key].base + sign*i.base}
	}
	for _, i := range e.items {
		add(i, 1)
	}
	for _, i := range f.items {
		add(i, -1)
	}
	for _, n := range sums {
		if n != (figures{}) {
			return true
		}
	}
	return false
}

// levies tells an adopted line what it is the base of: its label says on which side, Odoo which taxes.
func (r reverse) levies(l *rollup.Line, i item) {
	refund := !slices.ContainsFunc(l.Measure.Levies(), func(v ledger.Levy) bool { return !v.Back })
	for _, n := range strings.Split(i.taxes, ",") {
		if name, ok := r.names[n]; ok {
			l.Levies = append(l.Levies, rollup.Levy{Tax: name, Refund: refund})
		}
	}
	slices.SortFunc(l.Levies, func(a, b rollup.Levy) int { return strings.Compare(a.String(), b.String()) })
}

func idList(which []int64) string {
	which = slices.Clone(which)
	slices.Sort(which)
	var list []string
	for _, n := range slices.Compact(which) {
		list = append(list, strconv.FormatInt(n, 10))
	}
	return strings.Join(list, ",")
}
