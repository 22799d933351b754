package odoo

import (
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"
)

// load creates or changes entries under external ids. With mode=update and noupdate=true a known id is left exactly as it is; without
// them its lines are appended once more. Wrong data is told in the result, never as a fault, and undoes the whole call.
func (s *Server) load(args []any, context map[string]any) (any, error) {
	head, rows := stringList(args[0]), [][]string{}
	list, _ := args[1].([]any)
	for _, r := range list {
		var cells []string
		for _, c := range r.([]any) {
			cells = append(cells, fmt.Sprint(c))
		}
		rows = append(rows, cells)
	}
	if s.trouble.Serialize > 0 {
		s.trouble.Serialize--
		return failed("could not serialize access due to concurrent update\n"), nil
	}
	keep := context["mode"] == "update" && context["noupdate"] == true
	begun, out := len(s.undo), []any{}
	for start := 0; start < len(rows); {
		end := start + 1
		for end < len(rows) && rows[end][0] == "" {
			end++
		}
		id, err := s.loadOne(head, rows[start:end], keep, context["skip_invoice_sync"] == true)
		if f, ok := err.(fault); ok {
			return nil, f
		}
		if err != nil {
			s.rollback(begun)
			return failed(err.Error()), nil
		}
		out = append(out, id)
		start = end
	}
	return map[string]any{"ids": out, "messages": []any{}, "nextrow": int64(0)}, nil
}

func failed(words string) map[string]any {
	return map[string]any{"ids": false, "messages": []any{map[string]any{"type": "error", "message": words, "record": int64(0)}}, "nextrow": int64(0)}
}

// move is one entry of a load.
type move struct {
	xmlid string
	head  record
	lines []record
	taxed []int64 // indexes of lines with tax_ids
}

func (s *Server) loadOne(head []string, rows [][]string, keep, quiet bool) (int64, error) {
	m, err := s.parse(head, rows)
	if err != nil {
		return 0, err
	}
	if s.trouble.Break != "" && strings.Contains(fmt.Sprint(m.head["ref"]), s.trouble.Break) {
		return 0, trace("ZeroDivisionError: float division by zero")
	}
	if strings.Contains(m.xmlid, " ") {
		return 0, fmt.Errorf("new row for relation \"ir_model_data\" violates check constraint \"ir_model_data_name_nospaces\"")
	}
	known := s.b.XMLIDs[m.xmlid]
	if known != 0 && keep {
		return known, nil
	}
	if known != 0 && s.b.Models["account.move"][known]["state"] == "posted" && s.Version >= 18 {
		return 0, fmt.Errorf("You cannot modify the following readonly fields on a posted move: date, line_ids")
	}
	if !quiet {
		s.sync(&m)
	}
	sum := 0.0
	for _, l := range m.lines {
		sum += l["balance"].(float64)
	}
	if math.Abs(sum) > 0.004 {
		if s.Version == 17 {
			return 0, fmt.Errorf("An error has occurred.\n\nThe move (Draft Entry (* 2)) is not balanced.")
		}
		return 0, fmt.Errorf("The entry is not balanced.")
	}
	id := known
	if id == 0 {
		id = s.add("account.move", m.head)
		s.b.XMLIDs[m.xmlid] = id
		s.undo = append(s.undo, func() { delete(s.b.XMLIDs, m.xmlid) })
	}
	for _, l := range m.lines {
		l["move_id"] = id
		s.add("account.move.line", l)
	}
	return id, nil
}

// parse reads the rows of one entry.
func (s *Server) parse(head []string, rows [][]string) (m move, err error) {
	m.head = record{"state": "draft", "name": "/", "company_id": int64(1)}
	for n, row := range rows {
		line := record{"balance": 0.0, "name": false, "analytic_distribution": false, "tax_repartition_line_id": false, "tax_ids": []any{}}
		for i, cell := range row {
			if i >= len(head) {
				return m, fmt.Errorf("the row is longer than the header")
			}
			if sub, ok := strings.CutPrefix(head[i], "line_ids/"); ok {
				err = s.cell(line, sub, cell)
			} else if n == 0 {
				err = s.headCell(&m, head[i], cell)
			}
			if err != nil {
				return m, err
			}
		}
		m.lines = append(m.lines, line)
	}
	return m, nil
}

func (s *Server) headCell(m *move, name, cell string) error {
	switch name {
	case "id":
		m.xmlid = cell
	case "journal_id/.id":
		id, err := s.ref("account.journal", cell)
		m.head["journal_id"] = id
		return err
	case "date":
		if _, err := time.Parse(time.DateOnly, cell); err != nil {
			return fmt.Errorf("'%s' does not seem to be a valid date for field 'Date'", cell)
		}
		m.head["date"] = cell
	case "state":
		return fmt.Errorf("You cannot create a move already in the posted state. Please create a draft move and post it after.")
	case "move_type", "ref":
		m.head[name] = cell
	default:
		return trace("ValueError: Invalid field name '" + name + "'")
	}
	return nil
}

func (s *Server) cell(l record, name, cell string) (err error) {
	switch name {
	case "account_id/.id":
		l["account_id"], err = s.ref("account.account", cell)
		if a := s.b.Models["account.account"][l["account_id"].(int64)]; err == nil && a["deprecated"] == true {
			return fmt.Errorf("The account %v (%v) is deprecated.", a["name"], a["code"])
		}
	case "name":
		l["name"] = cell
	case "debit", "credit":
		f, ferr := strconv.ParseFloat(cell, 64)
		if ferr != nil {
			return fmt.Errorf("'%s' does not seem to be a number for field 'Debit'", cell)
		}
		f = math.Round(f*100) / 100
		if name == "credit" {
			f = -f
		}
		l["balance"] = math.Round((l["balance"].(float64)+f)*100) / 100
	case "analytic_distribution":
		if cell == "" {
			return nil
		}
		var d map[string]any
		if json.Unmarshal([]byte(cell), &d) != nil {
			return fmt.Errorf("'%s' is no distribution", cell)
		}
		for k, v := range d {
			if n, ok := v.(float64); ok {
				d[k] = n
			}
		}
		l["analytic_distribution"] = d
	case "tax_repartition_line_id/.id":
		if cell != "" {
			l["tax_repartition_line_id"], err = s.ref("account.tax.repartition.line", cell)
		}
	case "tax_ids/.id":
		if cell != "" {
			id, rerr := s.ref("account.tax", cell)
			l["tax_ids"], err = []any{id}, rerr
		}
	case "tax_tag_ids/.id":
	default:
		return trace("ValueError: Invalid field name 'line_ids/" + name + "'")
	}
	return err
}

func (s *Server) ref(model, cell string) (int64, error) {
	id, err := strconv.ParseInt(cell, 10, 64)
	if err != nil || s.b.Models[model][id] == nil {
		return 0, fmt.Errorf("No matching record found for database id '%s' in field of %s", cell, model)
	}
	return id, nil
}

// sync is what Odoo does to lines with taxes and no tax line of their own: it adds the tax, and when that no longer balances, a line that
// nobody asked for.
func (s *Server) sync(m *move) {
	explicit := slices.ContainsFunc(m.lines, func(l record) bool { return l["tax_repartition_line_id"] != false })
	sum := 0.0
	for _, l := range m.lines {
		sum += l["balance"].(float64)
	}
	if explicit {
		return
	}
	added := false
	for _, l := range slices.Clone(m.lines) {
		taxes, _ := l["tax_ids"].([]any)
		if len(taxes) == 0 {
			continue
		}
		t := s.b.Models["account.tax"][taxes[0].(int64)]
		rate, _ := t["amount"].(float64)
		b := math.Round(l["balance"].(float64)*rate) / 100
		m.lines = append(m.lines, record{"balance": b, "name": t["name"], "account_id": int64(22), "analytic_distribution": false, "tax_repartition_line_id": s.taxLine(taxes[0].(int64)), "tax_ids": []any{}})
		sum, added = sum+b, true
	}
	if added && math.Abs(sum) > 0.004 {
		m.lines = append(m.lines, record{"balance": -math.Round(sum*100) / 100, "name": "Automatic Balancing Line", "account_id": int64(21), "analytic_distribution": false, "tax_repartition_line_id": false, "tax_ids": []any{}})
	}
}

func (s *Server) taxLine(tax int64) any {
	for id, r := range s.b.Models["account.tax.repartition.line"] {
		if r["tax_id"] == tax && r["document_type"] == "invoice" && r["repartition_type"] == "tax" {
			return id
		}
	}
	return false
}

// post posts drafts, all or none. A date in a closed period does not fail: it moves to the end of the first open month.
func (s *Server) post(which []int64) error {
	for _, id := range which {
		m := s.b.Models["account.move"][id]
		if m == nil {
			return fault{2, fmt.Sprintf("Record does not exist or has been deleted.\n(Record: account.move(%d,), User: 2)", id)}
		}
		if m["state"] != "draft" {
			return fault{2, fmt.Sprintf("The entry %v (id %d) must be in draft.", m["name"], id)}
		}
		if s.trouble.Break != "" && strings.Contains(fmt.Sprint(m["ref"]), s.trouble.Break) {
			return trace("ZeroDivisionError: float division by zero")
		}
		date := fmt.Sprint(m["date"])
		if until := s.closed(date, id); until != "" {
			t, _ := time.Parse(time.DateOnly, until)
			t = t.AddDate(0, 0, 1)
			date = time.Date(t.Year(), t.Month()+1, 0, 0, 0, 0, 0, time.UTC).Format(time.DateOnly)
		}
		code := fmt.Sprint(s.b.Models["account.journal"][m["journal_id"].(int64)]["code"])
		series := code + "/" + date[:4] + "/" + date[5:7]
		s.b.Numbers[series]++
		s.undo = append(s.undo, func() { s.b.Numbers[series]-- })
		s.put("account.move", id, m.with(record{"state": "posted", "date": date, "name": fmt.Sprintf("%s/%04d", series, s.b.Numbers[series])}))
	}
	return nil
}

func (s *Server) closed(date string, id int64) (until string) {
	c := s.b.Models["res.company"][1]
	if d, ok := c["fiscalyear_lock_date"].(string); ok && date <= d {
		until = d
	}
	d, ok := c["tax_lock_date"].(string)
	if !ok || date > d || d <= until {
		return until
	}
	for _, l := range s.b.Models["account.move.line"] {
		if l["move_id"] == id && l["tax_repartition_line_id"] != false {
			return d
		}
	}
	return until
}

func (s *Server) draft(which []int64) error {
	for _, id := range which {
		m := s.b.Models["account.move"][id]
		if m == nil || s.closed(fmt.Sprint(m["date"]), id) != "" {
			return fault{2, "You cannot add/modify entries prior to and inclusive of the lock date."}
		}
		s.put("account.move", id, m.with(record{"state": "draft"}))
	}
	return nil
}

// write changes records. A posted entry's items can be changed in 17 and not in 18 and 19.
func (s *Server) write(model string, which []int64, values map[string]any) error {
	for _, id := range which {
		r := s.b.Models[model][id]
		if r == nil {
			return fault{2, fmt.Sprintf("Record does not exist or has been deleted.\n(Record: %s(%d,), User: 2)", model, id)}
		}
		changes := record{}
		for k, v := range values {
			changes[k] = v
		}
		if model == "account.move.line" {
			move := s.b.Models["account.move"][r["move_id"].(int64)]
			money := values["debit"] != nil || values["credit"] != nil || values["balance"] != nil
			if money && move["state"] == "posted" && s.Version >= 18 {
				return fault{2, "You cannot modify the following readonly fields on a posted move: line_ids"}
			}
			if d, ok := values["debit"].(float64); ok {
				changes["balance"] = d
			}
			if c, ok := values["credit"].(float64); ok && c != 0 {
				changes["balance"] = -c
			}
			delete(changes, "debit")
			delete(changes, "credit")
		}
		s.put(model, id, r.with(changes))
	}
	return nil
}
