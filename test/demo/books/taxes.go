package books

import (
	"context"
	"fmt"
	"slices"
	"strings"
)

// TaxItem is what a tax return reads of a journal item: its part of one tax. An item that several taxes are on is one of each.
type TaxItem struct {
	Item
	Company string
	Tax     string   // its name in Odoo
	Refund  bool     // of a tax line: it stands on the side of refunds
	Tags    []string // names
	IsBase  bool     // the item is what the tax is on; else it is the tax
	Base    int64    // tax_base_amount in cents, positive on the side where the tax stands by nature
}

// Do calls a method of a model as the user of o.
func Do(ctx context.Context, o Odoo, model, method string, args []any, kw map[string]any) (any, error) {
	uid, err := call(ctx, o.URL+"/xmlrpc/2/common", "authenticate", o.DB, o.User, o.Key, map[string]any{})
	if err != nil {
		return nil, err
	}
	if _, ok := uid.(number); !ok {
		return nil, fmt.Errorf("Odoo refuses user %s", o.User)
	}
	return call(ctx, o.URL+"/xmlrpc/2/object", "execute_kw", o.DB, integer(uid), o.Key, model, method, args, kw)
}

func rowsOf(ctx context.Context, o Odoo, model string, domain []any, fields ...any) ([]map[string]any, error) {
	got, err := Do(ctx, o, model, "search_read", []any{domain}, map[string]any{"fields": fields, "order": "id"})
	if err != nil {
		return nil, err
	}
	list, _ := got.([]any)
	out := make([]map[string]any, len(list))
	for i, r := range list {
		out[i], _ = r.(map[string]any)
	}
	return out, nil
}

// Create makes a record and returns its id.
func Create(ctx context.Context, o Odoo, model string, values map[string]any) (int, error) {
	made, err := Do(ctx, o, model, "create", []any{values}, map[string]any{})
	if l, ok := made.([]any); ok && len(l) == 1 {
		made = l[0]
	}
	return integer(made), err
}

// First is a reference of the first record that a domain finds, 0 = it has none.
func First(ctx context.Context, o Odoo, model string, domain []any, field string) (int, error) {
	rs, err := rowsOf(ctx, o, model, domain, field)
	if err != nil || len(rs) == 0 {
		return 0, err
	}
	return first(rs[0][field]), nil
}

// Version is Odoo's major version.
func Version(ctx context.Context, o Odoo) (int, error) {
	got, err := call(ctx, o.URL+"/xmlrpc/2/common", "version")
	if err != nil {
		return 0, err
	}
	m, _ := got.(map[string]any)
	info, _ := m["server_version_info"].([]any)
	if len(info) == 0 {
		return 0, fmt.Errorf("Odoo tells no version: %v", got)
	}
	return integer(info[0]), nil
}

// ReadTaxes returns what a tax return reads of the journals' entries.
func ReadTaxes(ctx context.Context, o Odoo, journals ...string) (out []TaxItem, err error) {
	version, err := Version(ctx, o)
	if err != nil {
		return nil, err
	}
	names := map[string]map[int]string{}
	for _, model := range []string{"account.tax", "account.account.tag", "res.company"} {
		rs, err := rowsOf(ctx, o, model, []any{}, "name")
		if err != nil {
			return nil, err
		}
		names[model] = map[int]string{}
		for _, r := range rs {
			names[model][integer(r["id"])], _ = r["name"].(string)
		}
	}
	parts, err := rowsOf(ctx, o, "account.tax.repartition.line", []any{}, "tax_id", "document_type")
	if err != nil {
		return nil, err
	}
	part := map[int]map[string]any{}
	for _, p := range parts {
		part[integer(p["id"])] = p
	}
	items, err := Read(ctx, o, journals...)
	if err != nil {
		return nil, err
	}
	lines, err := rowsOf(ctx, o, "account.move.line", []any{[]any{"move_id.journal_id.code", "in", anyOf(journals)}}, "tax_repartition_line_id", "tax_ids", "tax_tag_ids", "tax_base_amount", "company_id")
	if err != nil {
		return nil, err
	}
	if len(lines) != len(items) {
		return nil, fmt.Errorf("the journals changed while it was read: %d items, then %d", len(items), len(lines))
	}
	for n, l := range lines {
		x := TaxItem{Item: items[n], Company: names["res.company"][first(l["company_id"])]}
		for _, t := range list(l["tax_tag_ids"]) {
			x.Tags = append(x.Tags, names["account.account.tag"][t])
		}
		slices.Sort(x.Tags)
		if p := part[first(l["tax_repartition_line_id"])]; p != nil {
			tax := x
			tax.Tax, tax.Refund = names["account.tax"][first(p["tax_id"])], p["document_type"] == "refund"
			if tax.Base, err = cents(l["tax_base_amount"]); err != nil {
				return nil, err
			}
			if version >= 19 && !tax.Refund {
				tax.Base = -tax.Base
			}
			out = append(out, tax)
		}
		for _, t := range list(l["tax_ids"]) {
			base := x
			base.Tax, base.IsBase = names["account.tax"][t], true
			out = append(out, base)
		}
	}
	return out, nil
}

func list(v any) (out []int) {
	l, _ := v.([]any)
	for _, e := range l {
		out = append(out, integer(e))
	}
	return out
}

// Group names what posted items are grouped by: the tax's repartition line or its base, tags, and company.
func (t TaxItem) Group() string {
	side := "base"
	if !t.IsBase {
		side = map[bool]string{false: "sold", true: "back"}[t.Refund]
	}
	return strings.Join([]string{t.Company, t.Tax, side, strings.Join(t.Tags, ",")}, "\x00")
}
