package odoo

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
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
		doc := "invoice"
		if base >= 0 { // an entry's item is taken for a refund by its side
			doc = "refund"
		}
		var tags []any
		for _, n := range idList(taxes) {
			t := s.b.Models["account.tax"][n]
			rate, _ := double(t["amount"])
			part := s.partOf(n, doc, "tax")
			r := s.b.Models["account.tax.repartition.line"][part]
			add := blankLine()
			maps.Copy(add, record{"balance": cents(base * rate / 100), "name": t["name"], "account_id": r["account_id"], "tax_repartition_line_id": part,
				"tax_tag_ids": r["tag_ids"], "tax_base_amount": s.base(base)})
			m.lines = append(m.lines, add)
			sum, added = sum+add["balance"].(float64), true
			own, _ := s.b.Models["account.tax.repartition.line"][s.partOf(n, doc, "base")]["tag_ids"].([]any)
			tags = append(tags, own...)
		}
		l["tax_tag_ids"] = tags
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
	return max(balance, -balance)
}

// partOf is a repartition line of a tax.
func (s *Server) partOf(tax int64, doc, kind string) int64 {
	for id, r := range s.b.Models["account.tax.repartition.line"] {
		if r["tax_id"] == tax && r["document_type"] == doc && r["repartition_type"] == kind {
			return id
		}
	}
	return 0
}

func (s *Server) repartition(tax, account int64) {
	for _, doc := range []string{"invoice", "refund"} {
		s.part(tax, doc, record{"repartition_type": "base"})
		s.part(tax, doc, record{"repartition_type": "tax", "account_id": account})
	}
}

func (s *Server) part(tax int64, doc string, own record) {
	s.add("account.tax.repartition.line", record{"tax_id": tax, "document_type": doc, "account_id": false, "factor_percent": 100.0, "company_id": s.here(), "tag_ids": []any{}}.with(own))
}

// createTax makes a tax with the repartition lines that it is given: [0, 0, values], with tags by [6, 0, ids].
func (s *Server) createTax(r record) int64 {
	if r["company_id"] == nil {
		r["company_id"] = s.here()
	}
	id := s.add("account.tax", r)
	for _, doc := range []string{"invoice", "refund"} {
		lines, _ := r[doc+"_repartition_line_ids"].([]any)
		for _, l := range lines {
			cmd, _ := l.([]any)
			v, ok := cmd[len(cmd)-1].(map[string]any)
			if !ok {
				continue
			}
			own := record{"repartition_type": v["repartition_type"]}
			if account, ok := v["account_id"].(int64); ok {
				own["account_id"] = account
			}
			if tags, ok := setTo(v["tag_ids"]); ok {
				own["tag_ids"] = tags
			}
			s.part(id, doc, own)
		}
	}
	return id
}

// setTo is the list in the command [[6, 0, ids]].
func setTo(v any) (list any, ok bool) {
	commands, _ := v.([]any)
	if len(commands) != 1 {
		return nil, false
	}
	c, _ := commands[0].([]any)
	if len(c) != 3 || c[0] != int64(6) {
		return nil, false
	}
	return c[2], true
}

// taxCell reads the cells of a load that only tax reports need.
func (s *Server) taxCell(l record, name, cell string) (known bool, err error) {
	switch {
	case name == "tax_base_amount":
		if cell == "" {
			return true, nil
		}
		f, err := strconv.ParseFloat(cell, 64)
		if err != nil {
			return true, fmt.Errorf("'%s' does not seem to be a number for field 'Base Amount'", cell)
		}
		l[name] = cents(f)
	case name == "tax_tag_invert" && s.Version < 19:
		switch cell {
		case "True", "False":
			l[name] = cell == "True"
		case "":
		default:
			return true, fmt.Errorf("Unknown value '%s' for boolean field 'Invert Tags'", cell)
		}
	default:
		return false, nil
	}
	return true, nil
}

// inverted tells which way reports of 17 and 18 count an item: what was given, else by the tax's side, and a base by its own.
func (s *Server) inverted(l record) any {
	if given, ok := l["tax_tag_invert"].(bool); ok {
		return given
	}
	if part, ok := l["tax_repartition_line_id"].(int64); ok {
		return s.b.Models["account.tax.repartition.line"][part]["document_type"] == "invoice"
	}
	return len(idList(l["tax_ids"])) > 0 && l["balance"].(float64) < 0
}

// refs are references in one cell, with commas between.
func (s *Server) refs(model, cell string) (any, error) {
	out := []any{}
	for part := range strings.SplitSeq(cell, ",") {
		if part = strings.TrimSpace(part); part == "" {
			continue
		}
		n, err := s.ref(model, part)
		if err != nil {
			return nil, err
		}
		out = append(out, n)
	}
	return out, nil
}
