package odoo

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
)

// bankAccount is what the bank journal's own side stands on.
const bankAccount = 26

// loadBankLine makes a line of a bank statement: a posted entry of the bank's account against the suspense account.
func (s *Server) loadBankLine(m move) (int64, error) {
	journal, err := s.ref("account.journal", fmt.Sprint(m.head["journal_id/.id"]))
	if err != nil {
		return 0, err
	}
	amount, err := strconv.ParseFloat(fmt.Sprint(m.head["amount"]), 64)
	if err != nil {
		return 0, fmt.Errorf("'%v' does not seem to be a number for field 'Amount'", m.head["amount"])
	}
	id, err := s.bankLine(journal, fmt.Sprint(m.head["date"]), fmt.Sprint(m.head["payment_ref"]), cents(amount))
	if err == nil {
		s.claim(m.xmlid, "account.bank.statement.line", id)
	}
	return id, err
}

func (s *Server) bankLine(journal int64, date, text string, amount float64) (int64, error) {
	if until := s.closed(date, 0); until != "" {
		date = shift(until, true)
	}
	entry := s.blankMove()
	entry.head["journal_id"], entry.head["date"], entry.head["ref"] = journal, date, text
	own, other := blankLine(), blankLine()
	own["account_id"], own["balance"], own["name"] = int64(bankAccount), amount, text
	other["account_id"], other["balance"], other["name"] = int64(suspense), -amount, text
	entry.lines = []record{own, other}
	id, err := s.keep(entry, 0, map[string]any{"skip_invoice_sync": true})
	if err != nil {
		return 0, err
	}
	if err := s.post([]int64{id}); err != nil {
		return 0, err
	}
	return s.add("account.bank.statement.line", record{"journal_id": journal, "move_id": id, "date": date, "payment_ref": text, "amount": amount}), nil
}

// bankReconciled: a statement line is done when its other side has left the suspense account.
func (s *Server) bankReconciled(r record) bool {
	id, _ := r["move_id"].(int64)
	for _, l := range s.items(id) {
		if l["account_id"] == int64(suspense) {
			return false
		}
	}
	return true
}

// residual is what of an item is not matched yet, in cents.
func residual(l record) int64 {
	if n, ok := l["residual"].(int64); ok {
		return n
	}
	f, _ := l["balance"].(float64)
	return int64(math.Round(f * 100))
}

// reconcile matches items of one account, the oldest first, as far as they go.
func (s *Server) reconcile(which []int64) error {
	slices.Sort(which)
	var account any
	for _, id := range which {
		l := s.b.Models["account.move.line"][id]
		if l == nil {
			return gone("account.move.line", id)
		}
		if account == nil {
			account = l["account_id"]
		}
		m := s.b.Models["account.move"][l["move_id"].(int64)]
		a := s.b.Models["account.account"][l["account_id"].(int64)]
		switch {
		case l["account_id"] != account:
			return fault{2, "Entries are not from the same account: %s"}
		case a["reconcile"] != true:
			return fault{2, fmt.Sprintf("Account %v %v does not allow reconciliation. First change the configuration of this account to allow it.", a["code"], a["name"])}
		case m["state"] != "posted":
			return fault{2, "You can only reconcile posted entries."}
		case residual(l) == 0 && l["residual"] != nil:
			return fault{2, "You are trying to reconcile some entries that are already reconciled."}
		}
	}
	s.b.Next++
	number := s.b.Next
	for _, d := range which {
		for _, c := range which {
			debit, credit := s.b.Models["account.move.line"][d], s.b.Models["account.move.line"][c]
			n := min(residual(debit), -residual(credit))
			if residual(debit) <= 0 || residual(credit) >= 0 {
				continue
			}
			s.add("account.partial.reconcile", record{"debit_move_id": d, "credit_move_id": c, "cents": n})
			s.put("account.move.line", d, debit.with(record{"residual": residual(debit) - n, "matching": number}))
			s.put("account.move.line", c, credit.with(record{"residual": residual(credit) + n, "matching": number}))
		}
	}
	return nil
}

// unmatch takes an entry's items out of their matches, as Odoo does when it goes back to draft.
func (s *Server) unmatch(move int64) {
	var mine []int64
	for _, l := range s.items(move) {
		mine = append(mine, l["id"].(int64))
	}
	partials := s.b.Models["account.partial.reconcile"]
	for id, p := range maps.Clone(partials) {
		d, c, n := p["debit_move_id"].(int64), p["credit_move_id"].(int64), p["cents"].(int64)
		if !slices.Contains(mine, d) && !slices.Contains(mine, c) {
			continue
		}
		s.remove("account.partial.reconcile", id)
		for line, sign := range map[int64]int64{d: 1, c: -1} {
			if l := s.b.Models["account.move.line"][line]; l != nil {
				s.put("account.move.line", line, l.with(record{"residual": residual(l) + sign*n, "matching": s.stillMatched(line)}))
			}
		}
	}
}

// stillMatched is the number of another match in which an item stands, nil = none.
func (s *Server) stillMatched(line int64) any {
	for _, p := range s.b.Models["account.partial.reconcile"] {
		if p["debit_move_id"] == line || p["credit_move_id"] == line {
			return s.b.Models["account.move.line"][line]["matching"]
		}
	}
	return nil
}

// matching is what people read of a match: "6" is whole, "P6" is a part.
func matching(l record) any {
	n, ok := l["matching"].(int64)
	if !ok {
		return false
	}
	if residual(l) != 0 {
		return fmt.Sprintf("P%d", n)
	}
	return fmt.Sprint(n)
}
