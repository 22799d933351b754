package odoo

import (
	"fmt"
	"slices"
	"strings"
)

func (s *Server) put(model string, id int64, r record) {
	if s.b.Models[model] == nil {
		s.b.Models[model] = map[int64]record{}
	}
	r["id"] = id
	old, had := s.b.Models[model][id]
	s.b.Models[model][id] = r
	if model == "account.move.line" && !had {
		move, _ := r["move_id"].(int64)
		s.lines[move] = append(s.lines[move], id)
	}
	s.undo = append(s.undo, func() {
		if had {
			s.b.Models[model][id] = old
			return
		}
		delete(s.b.Models[model], id)
		if model == "account.move.line" {
			move, _ := r["move_id"].(int64)
			s.lines[move] = s.lines[move][:len(s.lines[move])-1]
		}
	})
}

func (s *Server) add(model string, r record) int64 {
	s.b.Next++
	s.put(model, s.b.Next, r)
	return s.b.Next
}

// models are those that a fresh database knows without having a record of them.
var models = map[string]bool{"account.move": true, "account.move.line": true, "account.lock_exception": true, "account.analytic.account": true, "ir.model.data": true,
	"account.account.tag": true, "res.config.settings": true, "res.partner": true, "account.bank.statement.line": true, "account.payment": true}

// run is one method; changed tells whether it wrote.
func (s *Server) run(model, method string, args []any, kw map[string]any) (v any, changed bool, err error) {
	context, _ := kw["context"].(map[string]any)
	s.enter(context)
	switch {
	case !models[model] && s.b.Models[model] == nil:
		return nil, false, fault{2, fmt.Sprintf("Object %s doesn't exist", model)}
	case strings.HasPrefix(method, "_"):
		return nil, false, fault{4, fmt.Sprintf("Private methods (such as '%s.%s') cannot be called remotely.", model, method)}
	}
	if err := s.allowed(model, method, context); err != nil {
		return nil, false, err
	}
	switch model + "." + method {
	case "account.move.action_post":
		return false, true, s.post(idList(args[0]))
	case "account.payment.action_post": // the same as below
		return nil, true, s.postPayments(idList(args[0]))
	case "account.payment.action_draft":
		return nil, true, s.draftPayments(idList(args[0]))
	case "account.move.button_draft": // commits, then cannot say None
		return nil, true, s.draft(idList(args[0]))
	case "account.move.button_cancel":
		return nil, true, s.cancel(idList(args[0]))
	case "account.move.line.reconcile": // the same
		return nil, true, s.reconcile(idList(args[0]))
	case "account.lock_exception.action_revoke":
		return nil, true, s.write(model, idList(args[0]), map[string]any{"active": false})
	case "res.config.settings.execute":
		if r := s.b.Models[model][idList(args[0])[0]]; r["group_analytic_accounting"] == true {
			s.b.Grants["analytic"] = true
		}
		return map[string]any{"type": "ir.actions.client", "tag": "reload"}, true, nil
	case "ir.config_parameter.get_param": // administrators only
		return nil, false, fault{4, "You are not allowed to access 'System Parameter' (ir.config_parameter) records."}
	case "ir.model.data.check_object_reference":
		at, ok := s.b.XMLIDs[fmt.Sprintf("%v.%v", args[0], args[1])]
		if !ok {
			return nil, false, trace(fmt.Sprintf("ValueError: External ID not found in the system: %v.%v", args[0], args[1]))
		}
		return []any{at.Model, at.ID}, false, nil
	}
	switch method {
	case "fields_get":
		return s.fieldsGet(model, stringList(args[0])), false, nil
	case "check_access_rights":
		return s.may(s.uid, model, fmt.Sprint(args[0])), false, nil
	case "has_access":
		if s.Version < 18 {
			return nil, false, trace("AttributeError: object has no attribute 'has_access'")
		}
		return s.may(s.uid, model, fmt.Sprint(args[1])), false, nil
	case "load":
		v, err = s.load(model, args, context)
		return v, true, err
	case "unlink":
		return true, true, s.unlink(model, idList(args[0]))
	case "search_read":
		v, err = s.searchRead(model, args, kw)
		return v, false, err
	case "read":
		v, err = s.read(model, idList(args[0]), stringList(kw["fields"]), kw["load"] == "")
		return v, false, err
	case "create":
		v, err = s.create(model, args[0], context)
		return v, true, err
	case "write":
		values, _ := args[1].(map[string]any)
		for _, id := range idList(args[0]) {
			if model == "account.move" && s.b.Models[model][id]["state"] == "posted" {
				s.rewrote++
			}
		}
		return true, true, s.write(model, idList(args[0]), values)
	}
	return nil, false, trace(fmt.Sprintf("AttributeError: The method '%s.%s' does not exist", model, method))
}

// fields that a version does not have: reading one is a fault, as on the real server.
func (s *Server) lacks(model, field string) bool {
	switch model + "." + field {
	case "account.account.deprecated", "res.users.groups_id":
		return s.Version >= 19
	case "account.account.active", "res.users.group_ids":
		return s.Version < 19
	case "account.account.company_id":
		return s.Version >= 18
	case "account.account.company_ids":
		return s.Version < 18
	case "res.users.apikeys.expiration_date":
		return s.Version < 18
	case "res.company.period_lock_date", "account.payment.ref", "account.move.payment_id":
		return s.Version >= 18
	case "account.payment.memo", "account.move.origin_payment_id":
		return s.Version < 18
	case "res.company.user_fiscalyear_lock_date", "res.company.user_hard_lock_date", "res.company.user_tax_lock_date", "res.company.user_sale_lock_date",
		"res.company.user_purchase_lock_date", "res.company.sale_lock_date", "res.company.purchase_lock_date", "res.company.hard_lock_date":
		return s.Version < 18
	case "account.move.line.tax_tag_invert", "account.account.tag.tax_negate":
		return s.Version >= 19
	case "res.company.max_tax_lock_date":
		return s.Version >= 18
	}
	return field == "no_such"
}

func (s *Server) searchRead(model string, args []any, kw map[string]any) (any, error) {
	domain, _ := kw["domain"].([]any)
	if len(args) > 0 {
		domain, _ = args[0].([]any)
	}
	for _, c := range domain {
		if cond, _ := c.([]any); len(cond) == 3 && s.lacks(model, fmt.Sprint(cond[0])) {
			return nil, trace(fmt.Sprintf("ValueError: Invalid field %s.%v in leaf", model, cond[0]))
		}
	}
	asked := slices.ContainsFunc(domain, func(c any) bool { // archived records are left out unless the domain asks for them
		cond, _ := c.([]any)
		return len(cond) == 3 && cond[0] == "active"
	})
	var found []int64
	for id, r := range s.candidates(model, domain) {
		ok, err := s.meets(model, r, domain)
		if err != nil {
			return nil, err
		}
		if ok && (asked || r["active"] != false) && !s.hidden(model, r) {
			found = append(found, id)
		}
	}
	slices.Sort(found)
	if n, ok := kw["offset"].(int64); ok {
		found = found[min(int(n), len(found)):]
	}
	if n, ok := kw["limit"].(int64); ok && n > 0 {
		found = found[:min(int(n), len(found))]
	}
	return s.read(model, found, stringList(kw["fields"]), kw["load"] == "")
}

// links says which model a reference leads to.
var links = map[string]string{"journal_id": "account.journal", "move_id": "account.move", "account_id": "account.account", "company_id": "res.company",
	"tax_id": "account.tax", "partner_id": "res.partner", "payment_method_line_id": "account.payment.method.line", "payment_account_id": "account.account", "payment_id": "account.payment", "property_account_receivable_id": "account.account", "tax_line_id": "account.tax", "currency_id": "res.currency", "tax_repartition_line_id": "account.tax.repartition.line", "plan_id": "account.analytic.plan", "root_plan_id": "account.analytic.plan", "parent_id": "account.analytic.plan"}

// field is a stored or related value.
func (s *Server) field(model string, r record, name string) any {
	switch model {
	case "account.move.line":
		id, _ := r["move_id"].(int64)
		m := s.b.Models["account.move"][id]
		switch name {
		case "parent_state":
			return m["state"]
		case "move_name":
			return m["name"]
		case "date", "ref", "journal_id", "company_id":
			return m[name]
		case "payment_id":
			if n, ok := m["payment"].(int64); ok {
				return n
			}
			return false
		case "reconciled":
			return residual(r) == 0 && s.b.Models["account.account"][r["account_id"].(int64)]["reconcile"] == true
		case "amount_residual":
			return float64(residual(r)) / 100
		case "matching_number":
			return matching(r)
		case "partner_id", "move_type":
			if v, ok := m[name]; ok {
				return v
			}
			return false
		case "debit":
			return max(r["balance"].(float64), 0)
		case "credit":
			return max(-r["balance"].(float64), 0)
		case "tax_tag_invert":
			return s.inverted(r)
		case "tax_line_id":
			part, _ := r["tax_repartition_line_id"].(int64)
			if p := s.b.Models["account.tax.repartition.line"][part]; p != nil {
				return p["tax_id"]
			}
			return false
		}
	case "account.move":
		id, _ := r["id"].(int64)
		switch name {
		case "payment_id", "origin_payment_id":
			if n, ok := r["payment"].(int64); ok {
				return n
			}
			return false
		case "amount_total":
			return s.totalOf(id, r)
		case "amount_residual":
			return s.owedOf(id, r)
		case "payment_state":
			return s.paymentState(id, r)
		}
	case "account.payment":
		if v, known := s.paymentField(r, name); known {
			return v
		}
	case "account.payment.method.line":
		if name == "payment_type" {
			return s.b.Models["account.payment.method"][r["payment_method_id"].(int64)][name]
		}
	case "res.partner":
		if name == "property_account_receivable_id" {
			return s.receivable()
		}
	case "account.bank.statement.line":
		if name == "is_reconciled" {
			return s.bankReconciled(r)
		}
	case "account.analytic.account":
		if name == "root_plan_id" {
			return s.rootOf(r["plan_id"])
		}
	case "res.company":
		if (strings.HasPrefix(name, "user_") || strings.HasPrefix(name, "max_")) && strings.HasSuffix(name, "_lock_date") {
			return s.userLock(r["id"].(int64), name)
		}
		if name == "parent_ids" { // the company itself is the last
			var out []any
			for _, id := range s.above(r["id"].(int64)) {
				out = append([]any{id}, out...)
			}
			return out
		}
	case "res.users":
		if name == s.groupField() {
			return r["groups"]
		}
	}
	v, ok := r[name]
	if !ok || v == "" && name != "name" {
		return false
	}
	return v
}

// rootOf is the plan at the root of a plan: an item has one account of each.
func (s *Server) rootOf(plan any) any {
	for {
		n, _ := plan.(int64)
		r := s.b.Models["account.analytic.plan"][n]
		if up, ok := r["parent_id"].(int64); ok && up != 0 {
			plan = up
			continue
		}
		return plan
	}
}

func (s *Server) read(model string, which []int64, fields []string, bare bool) (any, error) {
	for _, f := range fields {
		if s.lacks(model, f) {
			return nil, trace(fmt.Sprintf("ValueError: Invalid field '%s' on model '%s'", f, model))
		}
	}
	out := []any{}
	for _, id := range which {
		r := s.b.Models[model][id]
		if r == nil || s.hidden(model, r) {
			continue
		}
		row := map[string]any{"id": id}
		for _, f := range fields {
			v := s.field(model, r, f)
			if n, ok := v.(int64); ok && !bare && links[f] != "" {
				v = []any{n, s.title(links[f], n)}
			}
			row[f] = v
		}
		out = append(out, row)
	}
	return out, nil
}

func (s *Server) title(model string, id int64) string {
	r := s.b.Models[model][id]
	if code, ok := r["code"].(string); ok && model == "account.account" {
		return code + " " + fmt.Sprint(r["name"])
	}
	return fmt.Sprint(r["name"])
}

func (s *Server) create(model string, values any, context map[string]any) (any, error) {
	if list, ok := values.([]any); ok {
		out := []any{}
		for _, v := range list {
			id, err := s.create(model, v, context)
			if err != nil {
				return nil, err
			}
			out = append(out, id)
		}
		return out, nil
	}
	m, _ := values.(map[string]any)
	r := record{}
	for k, v := range m {
		r[k] = v
	}
	switch model {
	case "account.account":
		code, _ := r["code"].(string)
		for _, a := range s.b.Models[model] {
			if a["code"] == code && !s.hidden(model, a) {
				return nil, fault{2, "The code of the account must be unique per company!"}
			}
		}
		return s.add(model, s.accountOf(code, fmt.Sprint(r["name"]), fmt.Sprint(r["account_type"])).with(record{"reconcile": r["reconcile"] == true})), nil
	case "account.tax":
		return s.createTax(r), nil
	case "account.move":
		return s.createMove(m, context)
	case "account.bank.statement.line": // as a bank feed does
		journal, _ := m["journal_id"].(int64)
		amount, _ := double(m["amount"])
		return s.bankLine(journal, fmt.Sprint(m["date"]), fmt.Sprint(m["payment_ref"]), cents(amount))
	case "account.journal":
		return s.createJournal(r)
	case "account.payment.method.line":
		return s.createMethod(r)
	case "ir.model.fields":
		if name, _ := r["name"].(string); !strings.HasPrefix(name, "x_") {
			return nil, fault{2, "Custom fields must have a name that starts with 'x_'!"}
		}
		if of, _ := r["model_id"].(int64); s.b.Models["ir.model"][of] == nil {
			return nil, fault{2, "The operation cannot be completed:\n- Create/update: a mandatory field is not set.\n\nModel: Fields (ir.model.fields)\nField: Model (model_id)\n"}
		}
	case "ir.model.data":
		name := fmt.Sprintf("%v.%v", r["module"], r["name"])
		if _, taken := s.b.XMLIDs[name]; taken {
			return nil, fault{2, "The operation cannot be completed: duplicate key value violates unique constraint \"ir_model_data_module_name_uniq_index\"\n"}
		}
		at, _ := r["res_id"].(int64)
		s.claim(name, fmt.Sprint(r["model"]), at)
	case "res.users":
		r["groups"] = regroup(nil, r[s.groupField()])
		delete(r, s.groupField())
		id := s.add(model, r.with(record{"company_id": int64(1)}))
		c := s.b.Models["res.company"][1]
		users, _ := c["user_ids"].([]any)
		s.put("res.company", 1, c.with(record{"user_ids": append(slices.Clone(users), id)}))
		return id, nil
	}
	return s.add(model, r), nil
}

func idList(v any) (out []int64) {
	if n, ok := v.(int64); ok {
		return []int64{n}
	}
	list, _ := v.([]any)
	for _, e := range list {
		if n, ok := e.(int64); ok {
			out = append(out, n)
		}
	}
	return out
}

func stringList(v any) (out []string) {
	list, _ := v.([]any)
	for _, e := range list {
		if s, ok := e.(string); ok {
			out = append(out, s)
		}
	}
	return out
}
