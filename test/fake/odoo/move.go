package odoo

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

func gone(model string, id int64) fault {
	return fault{2, fmt.Sprintf("Record does not exist or has been deleted.\n(Record: %s(%d,), User: 2)", model, id)}
}

// post posts drafts, all or none. A date in a closed period does not fail: it moves.
func (s *Server) post(which []int64) error {
	for _, id := range which {
		m := s.b.Models["account.move"][id]
		if m == nil {
			return gone("account.move", id)
		}
		if err := s.postable(id, m); err != nil {
			return err
		}
		date := fmt.Sprint(m["date"])
		if until := s.closed(date, id); until != "" {
			if date = shift(until, s.yearly(m["journal_id"])); sold(m) || m["payment"] != nil {
				date = max(date, time.Now().Format(time.DateOnly))
			}
		}
		series, form := s.number(m, date)
		s.b.Numbers[series]++
		s.undo = append(s.undo, func() { s.b.Numbers[series]-- })
		s.put("account.move", id, m.with(record{"state": "posted", "date": date, "name": fmt.Sprintf(form, series, s.b.Numbers[series])}))
	}
	return nil
}

func (s *Server) postable(id int64, m record) error {
	items := s.items(id)
	switch {
	case m["state"] != "draft":
		return fault{2, fmt.Sprintf("The entry %v (id %d) must be in draft.", m["name"], id)}
	case s.trouble.Break != "" && strings.Contains(fmt.Sprint(m["ref"]), s.trouble.Break):
		return trace("ZeroDivisionError: float division by zero")
	case len(items) == 0 && s.Version >= 19:
		return fault{2, "Even magicians can't post nothing!"}
	case len(items) == 0:
		return fault{2, "You need to add a line before posting."}
	case m["auto_post"] == "at_date" && fmt.Sprint(m["date"]) > time.Now().Format(time.DateOnly):
		return fault{2, fmt.Sprintf("This move is configured to be auto-posted on %v", m["date"])}
	case !balanced(items):
		return fault{2, s.unbalanced()}
	}
	if err := s.saleable(id, m); err != nil {
		return err
	}
	for _, l := range items {
		account, _ := l["account_id"].(int64)
		if a := s.b.Models["account.account"][account]; a["active"] == false {
			return fault{2, fmt.Sprintf("The account %v (%d) is archived.", a["name"], account)}
		}
	}
	return nil
}

// items are an entry's lines.
func (s *Server) items(move int64) (out []record) {
	for _, id := range s.lines[move] {
		if l := s.b.Models["account.move.line"][id]; l != nil {
			out = append(out, l)
		}
	}
	return out
}

func (s *Server) draft(which []int64) error {
	for _, id := range which {
		m := s.b.Models["account.move"][id]
		if m == nil {
			return gone("account.move", id)
		}
		if until := s.closed(fmt.Sprint(m["date"]), id); until != "" {
			return s.lockedWords(until)
		}
		if s.b.Models["account.journal"][m["journal_id"].(int64)]["restrict_mode_hash_table"] == true {
			return fault{2, "You cannot reset to draft a locked journal entry."}
		}
		s.unmatch(id)
		s.retax(id, m)
		s.put("account.move", id, m.with(record{"state": "draft"}))
	}
	return nil
}

func (s *Server) cancel(which []int64) error {
	for _, id := range which {
		m := s.b.Models["account.move"][id]
		if m == nil {
			return gone("account.move", id)
		}
		if m["state"] == "posted" { // goes by way of the draft, with what stands in that way
			if err := s.draft([]int64{id}); err != nil {
				return err
			}
		} else if m["state"] != "draft" {
			return fault{2, "Only draft journal entries can be cancelled."}
		}
		s.put("account.move", id, m.with(record{"state": "cancel"}))
	}
	return nil
}

// unlink deletes records; an entry takes its items and its external id with it.
func (s *Server) unlink(model string, which []int64) error {
	for _, id := range which {
		r := s.b.Models[model][id]
		if r == nil {
			return gone(model, id)
		}
		if model == "account.payment" {
			if err := s.freePayment(r); err != nil {
				return err
			}
		} else if r["state"] == "posted" {
			return fault{2, "You can't delete a posted journal item. Don't play games with your accounting records; reset the journal entry to draft before deleting it."}
		}
		if model == "account.move" {
			for _, line := range slices.Clone(s.lines[id]) {
				s.remove("account.move.line", line)
			}
		}
		s.dropPayment(model, r)
		s.remove(model, id)
	}
	return nil
}

// remove takes a record away, with every external id that names it.
func (s *Server) remove(model string, id int64) {
	r := s.b.Models[model][id]
	if r == nil {
		return
	}
	delete(s.b.Models[model], id)
	s.undo = append(s.undo, func() { s.b.Models[model][id] = r })
	for x, at := range s.b.XMLIDs {
		if at.Model == model && at.ID == id {
			delete(s.b.XMLIDs, x)
			s.undo = append(s.undo, func() { s.b.XMLIDs[x] = at })
		}
	}
}

// write changes records. A posted entry's items can be changed in 17 and not in 18 and 19.
func (s *Server) write(model string, which []int64, values map[string]any) error {
	for _, id := range which {
		r := s.b.Models[model][id]
		if r == nil {
			return gone(model, id)
		}
		changes := record{}
		for k, v := range values {
			changes[k] = v
		}
		var err error
		switch model {
		case "account.move":
			err = s.writeMove(r, changes)
		case "account.move.line":
			err = s.writeLine(r, changes)
		case "account.bank.statement.line":
			err = s.writeMove(r, changes)
		case "account.payment":
			if move, has := r["move_id"].(int64); has && changes["date"] != nil {
				err = s.write("account.move", []int64{move}, map[string]any{"date": changes["date"]})
			}
		case "res.company":
			err = s.relock(r, changes)
		case "res.users":
			if c, ok := changes[s.groupField()]; ok {
				have, _ := r["groups"].([]any)
				changes["groups"] = regroup(have, c)
				delete(changes, s.groupField())
			}
		}
		if err != nil {
			return err
		}
		s.put(model, id, r.with(changes))
	}
	return nil
}

// writeMove takes an entry's own fields, and commands that change its items: [1, id, values].
func (s *Server) writeMove(m record, changes record) error {
	commands, _ := changes["line_ids"].([]any)
	delete(changes, "line_ids")
	for _, c := range commands {
		cmd, _ := c.([]any)
		if len(cmd) != 3 || cmd[0] != int64(1) {
			return trace("ValueError: this Odoo changes lines by command 1 only")
		}
		values, _ := cmd[2].(map[string]any)
		if err := s.write("account.move.line", idList([]any{cmd[1]}), values); err != nil {
			return err
		}
	}
	return nil
}

func (s *Server) writeLine(l record, changes record) error {
	m := s.b.Models["account.move"][l["move_id"].(int64)]
	_, debit := changes["debit"]
	_, credit := changes["credit"]
	_, balance := changes["balance"]
	if (debit || credit || balance) && m["state"] == "posted" && s.Version >= 18 {
		return fault{2, "You cannot modify the following readonly fields on a posted move: line_ids"}
	}
	if d, ok := double(changes["debit"]); ok {
		changes["balance"] = d
	}
	if c, ok := double(changes["credit"]); ok && c != 0 {
		changes["balance"] = -c
	}
	delete(changes, "debit")
	delete(changes, "credit")
	for _, f := range []string{"tax_ids", "tax_tag_ids"} {
		if list, ok := setTo(changes[f]); ok {
			changes[f] = list
		}
	}
	if _, taxes := changes["tax_ids"]; debit || credit || balance || taxes {
		changes["tax_tag_invert"] = nil // computed anew
	}
	return nil
}

// double takes a number that may have come as an integer.
func double(v any) (float64, bool) {
	if n, ok := v.(int64); ok {
		return float64(n), true
	}
	f, ok := v.(float64)
	return f, ok
}

// createMove makes an entry from values, as a form does.
func (s *Server) createMove(values map[string]any, context map[string]any) (int64, error) {
	m := s.blankMove()
	for k, v := range values {
		if k != "line_ids" {
			m.head[k] = v
		}
	}
	commands, _ := values["line_ids"].([]any)
	for _, c := range commands {
		cmd, _ := c.([]any)
		if len(cmd) != 3 {
			return 0, trace("ValueError: Wrong value for line_ids")
		}
		v, _ := cmd[2].(map[string]any)
		line := blankLine()
		for k, x := range v {
			n, number := double(x)
			switch k {
			case "debit", "credit", "balance":
				if !number {
					return 0, trace("TypeError: '<' not supported between instances of 'str' and 'int'")
				}
				if k == "credit" {
					n = -n
				}
				line["balance"] = cents(line["balance"].(float64) + cents(n))
			default:
				line[k] = x
			}
		}
		m.lines = append(m.lines, line)
	}
	id, err := s.keep(m, 0, context)
	if _, isFault := err.(fault); err != nil && !isFault {
		return 0, fault{2, err.Error()}
	}
	return id, err
}
