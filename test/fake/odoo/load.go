package odoo

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

// xref is what an external id names.
type xref struct {
	Model string `json:"model"`
	ID    int64  `json:"id"`
}

// clash is what PostgreSQL says to the later of two transactions that meet; load tells it in its result and nothing tries again.
const clash = "could not serialize access due to concurrent update\n"

// load creates or changes records under external ids. With mode=update and noupdate=true a known id is left exactly as it is; without
// them its lines are appended once more. Wrong data is told in the result, never as a fault, and undoes the whole call.
func (s *Server) load(model string, args []any, context map[string]any) (any, error) {
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
		return failed(clash), nil
	}
	begun, out := len(s.undo), []any{}
	for start := 0; start < len(rows); {
		end := start + 1
		for end < len(rows) && rows[end][0] == "" {
			end++
		}
		id, err := s.loadOne(model, head, rows[start:end], context)
		if f := (fault{}); errors.As(err, &f) {
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

func (s *Server) loadOne(model string, head []string, rows [][]string, context map[string]any) (int64, error) {
	m := move{head: record{}, xmlid: rows[0][0]}
	if model == "account.move" {
		var err error
		if m, err = s.parse(head, rows); err != nil {
			return 0, err
		}
	} else {
		for i, name := range head[1:] {
			m.head[name] = rows[0][i+1]
			if field, byID := strings.CutSuffix(name, "/.id"); byID && model == "res.partner" {
				n, err := strconv.ParseInt(rows[0][i+1], 10, 64)
				if err != nil {
					return 0, fmt.Errorf("No matching record found for database id '%s' in field '%s'", rows[0][i+1], field)
				}
				delete(m.head, name)
				m.head[field] = n
			}
		}
	}
	if strings.Contains(m.xmlid, " ") {
		return 0, fmt.Errorf("new row for relation \"ir_model_data\" violates check constraint \"ir_model_data_name_nospaces\"")
	}
	known := s.b.XMLIDs[m.xmlid]
	claimed := s.claimed[m.xmlid]
	switch {
	case claimed > s.snapshot && claimed <= s.commits: // by a transaction that this one cannot see
		return 0, errors.New(clash)
	case known.ID != 0 && known.Model != model:
		return 0, fmt.Errorf("For external id %s when trying to create/update a record of model %s found record of different model %s (%d)", m.xmlid, model, known.Model, known.ID)
	case known.ID != 0 && context["mode"] == "update" && context["noupdate"] == true:
		return known.ID, nil
	case model == "account.payment":
		return s.loadPayment(m)
	case model == "account.bank.statement.line":
		return s.loadBankLine(m)
	case model != "account.move":
		id := s.add(model, m.head)
		s.claim(m.xmlid, model, id)
		return id, nil
	}
	return s.keep(m, known.ID, context)
}

// claim binds an external id.
func (s *Server) claim(xmlid, model string, id int64) {
	s.b.XMLIDs[xmlid], s.claimed[xmlid] = xref{model, id}, s.commits+1
	s.undo = append(s.undo, func() { delete(s.b.XMLIDs, xmlid); delete(s.claimed, xmlid) })
}

// move is one entry of a load or create.
type move struct {
	xmlid string
	head  record
	lines []record
}

// keep stores an entry: a new one, or more lines for known.
func (s *Server) keep(m move, known int64, context map[string]any) (int64, error) {
	if s.trouble.Break != "" && strings.Contains(fmt.Sprint(m.head["ref"]), s.trouble.Break) {
		return 0, trace("ZeroDivisionError: float division by zero")
	}
	if known != 0 && s.b.Models["account.move"][known]["state"] == "posted" && s.Version >= 18 {
		return 0, errors.New("You cannot modify the following readonly fields on a posted move: date, line_ids")
	}
	if context["skip_invoice_sync"] != true {
		s.sync(&m)
	}
	if err := s.settleSale(&m, context); err != nil {
		return 0, err
	}
	if context["check_move_validity"] != false && !balanced(m.lines) {
		return 0, errors.New(s.unbalanced())
	}
	id := known
	journal, _ := m.head["journal_id"].(int64)
	m.head["company_id"] = s.b.Models["account.journal"][journal]["company_id"]
	for _, l := range m.lines {
		account, _ := l["account_id"].(int64)
		if a := s.b.Models["account.account"][account]; a != nil && s.owner("account.account", a) != m.head["company_id"] {
			return 0, fmt.Errorf("Incompatible companies on records:\n- %v belongs to another company", a["code"])
		}
	}
	if id == 0 {
		id = s.add("account.move", m.head)
		if m.xmlid != "" {
			s.claim(m.xmlid, "account.move", id)
		}
	}
	for _, l := range m.lines {
		own, _ := l["xmlid"].(string)
		delete(l, "xmlid")
		l["move_id"] = id
		if at := s.b.XMLIDs[own]; at.ID != 0 {
			s.put("account.move.line", at.ID, l)
		} else if n := s.add("account.move.line", l); own != "" {
			s.claim(own, "account.move.line", n)
		}
	}
	return id, nil
}

func balanced(lines []record) bool {
	sum := 0.0
	for _, l := range lines {
		sum += l["balance"].(float64)
	}
	return math.Abs(sum) < 0.004
}

func (s *Server) unbalanced() string {
	if s.Version == 17 {
		return "An error has occurred.\n\nThe move (Draft Entry (* 2)) is not balanced."
	}
	return "The entry is not balanced."
}

func blankLine() record {
	return record{"balance": 0.0, "name": false, "analytic_distribution": false, "tax_repartition_line_id": false, "tax_ids": []any{}, "tax_tag_ids": []any{}, "tax_base_amount": 0.0}
}

func (s *Server) blankMove() move {
	return move{head: record{"state": "draft", "name": "/", "company_id": int64(1), "journal_id": int64(1), "date": time.Now().Format(time.DateOnly), "auto_post": "no"}}
}

// parse reads the rows of one entry.
func (s *Server) parse(head []string, rows [][]string) (m move, err error) {
	m = s.blankMove()
	for n, row := range rows {
		line, any := blankLine(), false
		for i, cell := range row {
			if i >= len(head) {
				return m, errors.New("the row is longer than the header")
			}
			if sub, ok := strings.CutPrefix(head[i], "line_ids/"); ok {
				any = any || cell != ""
				err = s.cell(line, sub, cell)
			} else if n == 0 {
				err = s.headCell(&m, head[i], cell)
			}
			if err != nil {
				return m, err
			}
		}
		if any {
			m.lines = append(m.lines, line)
		}
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
		return errors.New("You cannot create a move already in the posted state. Please create a draft move and post it after.")
	case "auto_post":
		if cell == "At Date" {
			m.head["auto_post"] = "at_date"
		}
	case "move_type":
		m.head[name] = cell
	case "ref":
		m.head[name] = cell
	case "narration": // kept as HTML
		if cell != "" {
			m.head[name] = "<p>" + cell + "</p>"
		}
	default:
		if known, err := s.saleHead(m, name, cell); known || err != nil {
			return err
		}
		return trace("ValueError: Invalid field name '" + name + "'")
	}
	return nil
}

func (s *Server) cell(l record, name, cell string) (err error) {
	switch name {
	case "id":
		l["xmlid"] = cell
	case "account_id/.id":
		l["account_id"], err = s.ref("account.account", cell)
		if err == nil {
			err = s.usable(l["account_id"].(int64))
		}
	case "name":
		l["name"] = cell
	case "debit", "credit":
		f, ferr := strconv.ParseFloat(cell, 64)
		if ferr != nil {
			return fmt.Errorf("'%s' does not seem to be a number for field 'Debit'", cell)
		}
		if name == "credit" {
			f = -f
		}
		l["balance"] = cents(l["balance"].(float64) + cents(f))
	case "analytic_distribution":
		if cell == "" {
			return nil
		}
		var d map[string]any
		if json.Unmarshal([]byte(cell), &d) != nil {
			return fmt.Errorf("'%s' is no distribution", cell)
		}
		l["analytic_distribution"] = d
	case "tax_repartition_line_id/.id":
		if cell != "" {
			l["tax_repartition_line_id"], err = s.ref("account.tax.repartition.line", cell)
		}
	case "tax_ids/.id":
		l["tax_ids"], err = s.refs("account.tax", cell)
	case "tax_tag_ids/.id":
		l["tax_tag_ids"], err = s.refs("account.account.tag", cell)
	default:
		if known, err := s.taxCell(l, name, cell); known {
			return err
		}
		if known, err := s.saleCell(l, name, cell); known || err != nil {
			return err
		}
		return trace("ValueError: Invalid field name 'line_ids/" + name + "'")
	}
	return err
}

// usable: an account out of use is refused at once by 17 and 18, and at the posting by the builds of 19 that this is like; later ones refuse it at once.
func (s *Server) usable(account int64) error {
	if a := s.b.Models["account.account"][account]; a["deprecated"] == true {
		return fmt.Errorf("The account %v (%v) is deprecated.", a["name"], a["code"])
	}
	return nil
}

func (s *Server) ref(model, cell string) (int64, error) {
	id, err := strconv.ParseInt(cell, 10, 64)
	if err != nil || s.b.Models[model][id] == nil {
		return 0, fmt.Errorf("No matching record found for database id '%s' in field of %s", cell, model)
	}
	return id, nil
}

// cents rounds as Odoo does: half away from zero, after the double's own noise.
func cents(f float64) float64 {
	a := math.Abs(f) * 100
	return math.Copysign(math.Floor(a+0.5+a*0x1p-50)/100, f)
}
