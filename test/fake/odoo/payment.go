package odoo

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// manual payment methods, by their way.
const (
	manualIn  = 1
	manualOut = 2
)

// seedMethods are the payment methods that every journal for money gets.
func (s *Server) seedMethods() {
	name := map[bool]string{true: "Manual", false: "Manual Payment"}[s.Version == 17]
	s.put("account.payment.method", manualIn, record{"name": name, "code": "manual", "payment_type": "inbound"})
	s.put("account.payment.method", manualOut, record{"name": name, "code": "manual", "payment_type": "outbound"})
	s.b.Models["account.payment.method.line"] = map[int64]record{}
	for id, j := range s.b.Models["account.journal"] {
		s.methodsOf(id, j)
	}
}

// methodsOf gives a journal for money its methods, which say of no account.
func (s *Server) methodsOf(id int64, j record) {
	if j["type"] != "bank" && j["type"] != "cash" {
		return
	}
	for _, m := range []int64{manualIn, manualOut} {
		s.add("account.payment.method.line", record{"name": s.b.Models["account.payment.method"][m]["name"], "payment_method_id": m, "journal_id": id, "payment_account_id": false})
	}
}

// createJournal makes a journal; one for money gets an account and methods of its own.
func (s *Server) createJournal(r record) (int64, error) {
	if r["code"] == nil {
		return 0, fault{2, "The operation cannot be completed:\n- Create/update: a mandatory field is not set.\n\nModel: Journal (account.journal)\nField: Short Code (code)\n"}
	}
	if r["type"] == "cash" || r["type"] == "bank" {
		if r["default_account_id"] == nil {
			code := 101500
			for s.taken(strconv.Itoa(code)) {
				code++
			}
			r["default_account_id"] = s.add("account.account", s.accountOf(strconv.Itoa(code), fmt.Sprint(r["name"]), "asset_cash"))
		}
		r["suspense_account_id"] = int64(suspense)
	}
	id := s.add("account.journal", r)
	s.methodsOf(id, r)
	return id, nil
}

func (s *Server) taken(code string) bool {
	for _, a := range s.b.Models["account.account"] {
		if a["code"] == code && !s.hidden("account.account", a) {
			return true
		}
	}
	return false
}

// createMethod makes a payment method of a journal, whose name is unique there one way.
func (s *Server) createMethod(r record) (int64, error) {
	for _, l := range s.b.Models["account.payment.method.line"] {
		if l["journal_id"] == r["journal_id"] && l["name"] == r["name"] && l["payment_method_id"] == r["payment_method_id"] {
			return 0, fault{2, fmt.Sprintf("You can't have two payment method lines of the same payment type (%v) and with the same name (%v) on a single journal.", s.field("account.payment.method.line", l, "payment_type"), r["name"])}
		}
	}
	method, _ := r["payment_method_id"].(int64)
	if s.b.Models["account.payment.method"][method] == nil {
		return 0, fault{2, "The operation cannot be completed:\n- Create/update: a mandatory field is not set.\n\nModel: Payment Methods (account.payment.method.line)\nField: Payment Method (payment_method_id)\n"}
	}
	return s.add("account.payment.method.line", r), nil
}

// loadPayment makes a draft. 17 makes its entry at once, 18 and 19 when it is posted.
func (s *Server) loadPayment(m move) (int64, error) {
	r := record{"state": "draft", "name": false, "move_id": false, "payment_type": m.head["payment_type"], "partner_type": m.head["partner_type"], "date": m.head["date"], s.memo(): m.head[s.memo()]}
	for field, model := range map[string]string{"partner_id": "res.partner", "journal_id": "account.journal", "payment_method_line_id": "account.payment.method.line"} {
		id, err := s.ref(model, fmt.Sprint(m.head[field+"/.id"]))
		if err != nil {
			return 0, err
		}
		r[field] = id
	}
	if _, err := time.Parse(time.DateOnly, fmt.Sprint(r["date"])); err != nil {
		return 0, fmt.Errorf("'%v' does not seem to be a valid date for field 'Date'", r["date"])
	}
	amount, err := strconv.ParseFloat(fmt.Sprint(m.head["amount"]), 64)
	if err != nil || amount < 0 {
		return 0, fmt.Errorf("The payment amount cannot be negative: '%v'", m.head["amount"])
	}
	r["amount"] = cents(amount)
	r["company_id"] = s.b.Models["account.journal"][r["journal_id"].(int64)]["company_id"]
	id := s.add("account.payment", r)
	s.claim(m.xmlid, "account.payment", id)
	if s.Version == 17 {
		return id, s.book(id, r)
	}
	return id, nil
}

func (s *Server) memo() string {
	if s.Version == 17 {
		return "ref"
	}
	return "memo"
}

// book makes a payment's entry.
func (s *Server) book(id int64, r record) error {
	line := s.b.Models["account.payment.method.line"][r["payment_method_line_id"].(int64)]
	account, ok := line["payment_account_id"].(int64)
	if !ok {
		return fault{2, fmt.Sprintf("You can't create a new payment without an outstanding payments/receipts account set either on the company or the %v payment method in the %v journal.", line["name"], s.title("account.journal", r["journal_id"].(int64)))}
	}
	e := s.blankMove()
	e.head["journal_id"], e.head["date"], e.head["ref"], e.head["move_type"], e.head["payment"], e.head["partner_id"] = r["journal_id"], r["date"], r[s.memo()], "entry", id, r["partner_id"]
	sum := r["amount"].(float64)
	if r["payment_type"] == "outbound" {
		sum = -sum
	}
	label := fmt.Sprintf("%v: %v", line["name"], r[s.memo()])
	if s.Version == 17 {
		label = fmt.Sprintf("Customer Payment $\u00a0%.2f - %v", r["amount"], r["date"])
	}
	own, other := blankLine(), blankLine()
	own["account_id"], own["balance"], own["name"] = account, sum, label
	other["account_id"], other["balance"], other["name"] = s.receivable(), -sum, label
	e.lines = []record{own, other}
	move, err := s.keep(e, 0, map[string]any{"skip_invoice_sync": true})
	if err == nil {
		s.put("account.payment", id, r.with(record{"move_id": move}))
	}
	return err
}

// postPayments posts drafts. 18 and 19 leave alone what is posted, 17 faults.
func (s *Server) postPayments(which []int64) error {
	for _, id := range which {
		r := s.b.Models["account.payment"][id]
		if r == nil {
			return gone("account.payment", id)
		}
		if r["state"] != "draft" && s.Version >= 18 {
			continue
		}
		if _, has := r["move_id"].(int64); !has {
			if err := s.book(id, r); err != nil {
				return err
			}
			r = s.b.Models["account.payment"][id]
		}
		move := r["move_id"].(int64)
		if err := s.post([]int64{move}); err != nil {
			return err
		}
		s.put("account.payment", id, r.with(record{"state": "in_process", "name": s.b.Models["account.move"][move]["name"]}))
	}
	return nil
}

func (s *Server) draftPayments(which []int64) error {
	for _, id := range which {
		r := s.b.Models["account.payment"][id]
		if r == nil {
			return gone("account.payment", id)
		}
		if move, has := r["move_id"].(int64); has {
			if err := s.draft([]int64{move}); err != nil {
				return err
			}
		}
		s.put("account.payment", id, r.with(record{"state": "draft"}))
	}
	return nil
}

// paymentField are fields that a payment has from its entry: in 17 it is one.
func (s *Server) paymentField(r record, name string) (v any, known bool) {
	move, has := r["move_id"].(int64)
	m := s.b.Models["account.move"][move]
	switch {
	case s.Version == 17 && (name == "state" || name == "date" || name == "name" || name == "ref"):
		return m[name], true
	case name == "state" && s.Version >= 19 && r["state"] == "in_process" && has:
		for _, l := range s.items(move) {
			if s.b.Models["account.account"][l["account_id"].(int64)]["account_type"] == "asset_receivable" && residual(l) == 0 {
				return "paid", true
			}
		}
	}
	return nil, false
}

// origin is the field of an entry that names its payment.
func (s *Server) origin() string {
	if s.Version == 17 {
		return "payment_id"
	}
	return "origin_payment_id"
}

// paidByPayment tells whether a payment, and not only entries, is matched with a move's items.
func (s *Server) paidByPayment(move int64) bool {
	for _, p := range s.b.Models["account.partial.reconcile"] {
		for _, way := range [][2]string{{"debit_move_id", "credit_move_id"}, {"credit_move_id", "debit_move_id"}} {
			own, other := s.b.Models["account.move.line"][p[way[0]].(int64)], s.b.Models["account.move.line"][p[way[1]].(int64)]
			if own == nil || other == nil || own["move_id"] != move {
				continue
			}
			if n, _ := s.b.Models["account.move"][other["move_id"].(int64)]["payment"].(int64); n != 0 {
				return true
			}
		}
	}
	return false
}

// freePayment makes a payment ready to be deleted: 17 does not ask whether it is in the books, 18 and 19 refuse.
func (s *Server) freePayment(r record) error {
	move, has := r["move_id"].(int64)
	if !has {
		return nil
	}
	if s.Version >= 18 && s.b.Models["account.move"][move]["state"] != "draft" {
		return fault{2, "A payment with an outstanding account cannot be confirmed without having a journal entry."}
	}
	s.unmatch(move)
	return nil
}

// dropPayment deletes a payment's entry with it, or, deleted first, the payment with its entry.
func (s *Server) dropPayment(model string, r record) {
	switch model {
	case "account.payment":
		if move, has := r["move_id"].(int64); has {
			for _, l := range s.items(move) {
				s.remove("account.move.line", l["id"].(int64))
			}
			s.remove("account.move", move)
		}
	case "account.move":
		if n, ok := r["payment"].(int64); ok {
			s.remove("account.payment", n)
		}
	}
}

// titled is the name of the number series of payments.
func (s *Server) titled(m record, date string) (series, form string, ok bool) {
	if n, _ := m["payment"].(int64); n == 0 {
		return "", "", false
	}
	return "P" + fmt.Sprint(s.b.Models["account.journal"][m["journal_id"].(int64)]["code"]) + "/" + strings.SplitN(date, "-", 2)[0], "%s/%05d", true
}
