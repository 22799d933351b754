package odoo

import (
	"maps"
	"slices"
)

// sync is what Odoo does to lines with taxes and no tax line of their own: it adds the tax, and when that no longer balances, a line that
// nobody asked for.
func (s *Server) sync(m *move) {
	isTax := func(l record) bool { return l["tax_repartition_line_id"] != false }
	isBase := func(l record) bool { return len(l["tax_ids"].([]any)) > 0 }
	sum, added := 0.0, false
	if slices.ContainsFunc(m.lines, isTax) {
		if s.Version >= 18 || slices.ContainsFunc(m.lines, isBase) {
			return
		}
		m.lines, added = slices.DeleteFunc(m.lines, isTax), true // 17 takes away a tax that has no base
	}
	for _, l := range slices.Clone(m.lines) {
		base := l["balance"].(float64)
		sum += base
		taxes, _ := l["tax_ids"].([]any)
		if len(taxes) == 0 {
			continue
		}
		t := s.b.Models["account.tax"][taxes[0].(int64)]
		rate, _ := t["amount"].(float64)
		part := s.taxLine(taxes[0].(int64))
		add := blankLine()
		maps.Copy(add, record{"balance": cents(base * rate / 100), "name": t["name"], "account_id": s.b.Models["account.tax.repartition.line"][part]["account_id"], "tax_repartition_line_id": part,
			"tax_base_amount": s.base(base)})
		m.lines = append(m.lines, add)
		sum, added = sum+add["balance"].(float64), true
	}
	if sum = cents(sum); added && sum != 0 {
		add := blankLine()
		maps.Copy(add, record{"balance": -sum, "name": "Automatic Balancing Line", "account_id": int64(suspense)})
		m.lines = append(m.lines, add)
	}
}

// base is a tax line's base: of a sale it is positive until 18 and signed from 19 on.
func (s *Server) base(balance float64) float64 {
	if s.Version >= 19 {
		return balance
	}
	return -balance
}

// taxLine is the repartition line of a tax's own amount on the invoice side.
func (s *Server) taxLine(tax int64) int64 {
	for id, r := range s.b.Models["account.tax.repartition.line"] {
		if r["tax_id"] == tax && r["document_type"] == "invoice" && r["repartition_type"] == "tax" {
			return id
		}
	}
	return 0
}

func (s *Server) repartition(tax, account int64) {
	for _, doc := range []string{"invoice", "refund"} {
		s.add("account.tax.repartition.line", record{"tax_id": tax, "document_type": doc, "repartition_type": "base", "account_id": false, "factor_percent": 100.0, "company_id": s.here(), "tag_ids": []any{}})
		s.add("account.tax.repartition.line", record{"tax_id": tax, "document_type": doc, "repartition_type": "tax", "account_id": account, "factor_percent": 100.0, "company_id": s.here(), "tag_ids": []any{}})
	}
}
