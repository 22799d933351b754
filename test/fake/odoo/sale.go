package odoo

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
)

// sold tells receipts, invoices and credit notes from plain entries.
func sold(m record) bool {
	kind, _ := m["move_type"].(string)
	return kind == "out_receipt" || kind == "out_invoice" || kind == "out_refund"
}

// retax is what 18 and 19 do to a receipt that goes back to draft: a tax line without a base is taken away, and less is owed.
func (s *Server) retax(id int64, m record) {
	if !sold(m) || s.Version < 18 {
		return
	}
	items := s.items(id)
	if slices.ContainsFunc(items, func(l record) bool { list, _ := l["tax_ids"].([]any); return len(list) > 0 }) {
		return
	}
	gone := 0.0
	for _, l := range items {
		if l["tax_repartition_line_id"] != false {
			gone += l["balance"].(float64)
			s.remove("account.move.line", l["id"].(int64))
		}
	}
	for _, l := range items {
		if l["display_type"] == "payment_term" {
			s.put("account.move.line", l["id"].(int64), l.with(record{"balance": cents(l["balance"].(float64) + gone)}))
		}
	}
}

// direction is the sign that a sold line's balance has.
func direction(m record) float64 {
	if m["move_type"] == "out_refund" {
		return 1
	}
	return -1
}

// settleSale does to a receipt's, invoice's or credit note's lines what Odoo does however it is asked: 17 takes a sold line's balance from its
// price; the item that is owed gets its label from the references; a line on a receivable account must be the one that is owed, and no other.
func (s *Server) settleSale(m *move, context map[string]any) error {
	if !sold(m.head) {
		return nil
	}
	journal, _ := m.head["journal_id"].(int64)
	if s.b.Models["account.journal"][journal]["type"] != "sale" {
		return errors.New("Cannot create a sale document in a non sale journal")
	}
	for _, l := range m.lines {
		account, _ := l["account_id"].(int64)
		kind := s.b.Models["account.account"][account]["account_type"]
		if l["display_type"] == nil || l["display_type"] == "" {
			l["display_type"] = "product"
			if kind == "asset_receivable" {
				l["display_type"] = "payment_term"
			}
		}
		if (l["display_type"] == "payment_term") != (kind == "asset_receivable") {
			return errors.New("Any journal item on a receivable account must have a due date and vice versa.")
		}
		if given, _ := l["balance"].(float64); l["display_type"] == "product" && (s.Version == 17 || given == 0) {
			price, _ := l["price_unit"].(float64)
			quantity, _ := l["quantity"].(float64)
			l["balance"] = cents(direction(m.head) * s.without(l, cents(price*quantity)))
		}
	}
	if context["skip_invoice_sync"] != true {
		s.owe(m)
	}
	for _, l := range m.lines {
		if l["display_type"] == "payment_term" && s.Version != 18 {
			l["name"] = s.owedLabel(m.head)
		}
	}
	return nil
}

// without is a price less the taxes that are included in it, as 17 books a sold line; 18 and 19 come here only for a line that tells no balance.
func (s *Server) without(l record, price float64) float64 {
	percent := 0.0
	for _, id := range idList(l["tax_ids"]) {
		t := s.b.Models["account.tax"][id]
		if t["price_include"] != true && t["price_include_override"] != "tax_included" {
			continue
		}
		switch rate := t["amount"].(type) {
		case float64:
			percent += rate
		case int64:
			percent += float64(rate)
		}
	}
	return cents(price / (1 + percent/100))
}

// owe makes the item that is owed what the others come to.
func (s *Server) owe(m *move) {
	m.lines = slices.DeleteFunc(m.lines, func(l record) bool { return l["display_type"] == "payment_term" })
	sum := 0.0
	for _, l := range m.lines {
		sum += l["balance"].(float64)
	}
	l := blankLine()
	l["account_id"], l["balance"], l["display_type"] = s.receivable(), -cents(sum), "payment_term"
	m.lines = append(m.lines, l)
}

func (s *Server) owedLabel(m record) string {
	ref, _ := m["ref"].(string)
	pay, _ := m["payment_reference"].(string)
	if s.Version >= 19 && ref != "" && pay != "" {
		return ref + " - " + pay
	}
	return pay
}

// receivable is the account on which customers of the company at hand owe.
func (s *Server) receivable() int64 {
	for id, a := range s.b.Models["account.account"] {
		if a["account_type"] == "asset_receivable" && s.owner("account.account", a) == s.here() {
			return id
		}
	}
	return 0
}

// saleable is what a receipt must be to be posted.
func (s *Server) saleable(id int64, m record) error {
	if !sold(m) {
		return nil
	}
	if total := s.totalOf(id, m); total < 0 {
		return fault{2, "You cannot validate an invoice with a negative total amount. You should create a credit note instead. Use the action menu to transform it into a credit note or refund."}
	}
	if partner, _ := m["partner_id"].(int64); partner == 0 && m["move_type"] != "out_receipt" {
		if s.Version >= 19 {
			return fault{2, "The 'Customer' field is required to validate the invoice.\nYou probably don't want to explain to your auditor that you invoiced an invisible man :)"}
		}
		return fault{2, "The field 'Customer' is required, please complete it to validate the Customer Invoice."}
	}
	return nil
}

// totalOf is what a receipt comes to, as a person reads it.
func (s *Server) totalOf(id int64, m record) float64 {
	sum := 0.0
	for _, l := range s.items(id) {
		if l["display_type"] != "payment_term" {
			sum += l["balance"].(float64)
		}
	}
	if !sold(m) {
		return math.Abs(sum)
	}
	return cents(direction(m) * sum)
}

// owedOf is what of it is not paid.
func (s *Server) owedOf(id int64, m record) float64 {
	left := int64(0)
	for _, l := range s.items(id) {
		if l["display_type"] == "payment_term" {
			left += residual(l)
		}
	}
	return -direction(m) * float64(left) / 100
}

// paymentState is how far it is paid.
func (s *Server) paymentState(id int64, m record) string {
	left, total := s.owedOf(id, m), s.totalOf(id, m)
	switch {
	case !sold(m), m["state"] != "posted", left == total && total != 0:
		return "not_paid"
	case left == 0 && m["move_type"] == "out_refund" && !s.paidByPayment(id): // by plain entries
		return "reversed"
	case left == 0:
		return "paid"
	}
	return "partial"
}

// number is the series in which an entry is numbered, and how it is written; credit notes have a series of their own.
func (s *Server) number(m record, date string) (series, form string) {
	code := fmt.Sprint(s.b.Models["account.journal"][m["journal_id"].(int64)]["code"])
	if series, form, ok := s.titled(m, date); ok {
		return series, form
	}
	switch {
	case m["move_type"] == "out_refund":
		return "R" + code + "/" + date[:4], "%s/%05d"
	case s.yearly(m["journal_id"]):
		return code + "/" + date[:4], "%s/%05d"
	}
	return code + "/" + date[:4] + "/" + date[5:7], "%s/%04d"
}

// saleCell reads the columns that receipts have more than entries.
func (s *Server) saleCell(l record, name, cell string) (known bool, err error) {
	switch name {
	case "display_type":
		if cell != "" {
			l[name] = cell
		}
	case "quantity", "price_unit":
		f, ferr := strconv.ParseFloat(cell, 64)
		if ferr != nil && cell != "" {
			return true, fmt.Errorf("'%s' does not seem to be a number for field '%s'", cell, name)
		}
		l[name] = f
	default:
		return false, nil
	}
	return true, nil
}

func (s *Server) saleHead(m *move, name, cell string) (known bool, err error) {
	switch name {
	case "partner_id/.id":
		if cell != "" {
			m.head["partner_id"], err = s.ref("res.partner", cell)
		}
	case "invoice_date", "invoice_date_due", "payment_reference":
		m.head[name] = cell
	default:
		if !s.custom("account.move", name) {
			return false, nil
		}
		m.head[name] = cell
	}
	return true, err
}

// custom reports whether somebody made a field on a model.
func (s *Server) custom(model, field string) bool {
	for _, f := range s.b.Models["ir.model.fields"] {
		of, _ := f["model_id"].(int64)
		if f["name"] == field && s.b.Models["ir.model"][of]["model"] == model {
			return true
		}
	}
	return false
}

// fieldsGet describes those of some fields that a model has: here the ones that were made.
func (s *Server) fieldsGet(model string, names []string) map[string]any {
	out := map[string]any{}
	for _, n := range names {
		if s.custom(model, n) {
			out[n] = map[string]any{"type": "char"}
		}
	}
	return out
}
