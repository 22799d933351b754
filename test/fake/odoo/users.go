package odoo

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// The groups that matter to Tillpost, in the order of their ids.
var groups = []string{"base.group_user", "account.group_account_invoice", "account.group_account_manager", "analytic.group_analytic_accounting", "base.group_system"}

// group ids by name; managers are billers too.
const (
	groupUser = 1 + iota
	groupBilling
	groupManager
	groupAnalytic
	groupSystem
)

// seedUsers makes the integration user (id 2), which is no administrator, and an administrator.
func (s *Server) seedUsers() {
	shown := []string{"User types / Internal User", "Invoicing / Billing", "Invoicing / Billing Administrator", "Technical / Analytic Accounting", "Administration / Settings"}
	for i, name := range groups {
		s.put("res.groups", int64(i+1), record{"name": name, "full_name": shown[i]})
		s.b.XMLIDs[name] = xref{"res.groups", int64(i + 1)}
	}
	ids := func(n ...int64) (out []any) {
		for _, id := range n {
			out = append(out, id)
		}
		return out
	}
	s.put("res.users", 2, record{"name": "Tillpost", "login": s.User, "password": s.Key, "key": s.Key, "company_id": int64(1), "groups": ids(groupUser, groupBilling, groupManager, groupAnalytic)})
	s.put("res.users", 3, record{"name": "Administrator", "login": "admin", "password": "admin", "company_id": int64(1), "groups": ids(groupUser, groupBilling, groupManager, groupAnalytic, groupSystem)})
}

// seedKeys makes the API keys' records, which their own user may read: not the key, and not which of them is used.
func (s *Server) seedKeys() {
	s.b.Models["res.users.apikeys"] = map[int64]record{}
	if s.KeyEnds == "" {
		s.KeyEnds = time.Now().UTC().AddDate(0, 0, 90).Format(time.DateTime)
	}
	s.put("res.users.apikeys", 1, s.apiKey("tillpost", 2, s.KeyEnds))
	s.put("res.users.apikeys", 2, s.apiKey("of the administrator", 3, "never"))
}

func (s *Server) apiKey(name string, user int64, ends string) record {
	r := record{"name": name, "user_id": user, "scope": false}
	if s.Version >= 18 {
		r["expiration_date"] = any(ends)
		if ends == "never" {
			r["expiration_date"] = false
		}
	}
	return r
}

// AddKey makes a further API key of the integration user.
func (s *Server) AddKey(name, ends string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.add("res.users.apikeys", s.apiKey(name, 2, ends))
}

// enter takes the company of a call from its context. Without one it is the user's own, and he sees what is of any of his.
func (s *Server) enter(context map[string]any) {
	s.company = 0
	if ids := idList(context["allowed_company_ids"]); len(ids) > 0 {
		s.company = ids[0]
	}
}

// here is the company of the running call.
func (s *Server) here() int64 { return max(s.company, 1) }

// owner is the company that a record is of, 0 = of none.
func (s *Server) owner(model string, r record) int64 {
	switch list, _ := r["company_ids"].([]any); {
	case model == "account.move.line":
		move, _ := r["move_id"].(int64)
		return s.owner("account.move", s.b.Models["account.move"][move])
	case model == "account.account" && len(list) > 0:
		n, _ := list[0].(int64)
		return n
	case !strings.HasPrefix(model, "account."):
		return 0
	}
	n, _ := r["company_id"].(int64)
	return n
}

// hidden reports whether a record rule keeps a record from the user of the running call.
func (s *Server) hidden(model string, r record) bool {
	if o := s.owner(model, r); o != 0 && s.company != 0 && o != s.company {
		return true
	}
	if users, _ := r["user_ids"].([]any); model == "res.company" && !slices.Contains(users, any(s.uid)) && !s.holds(s.uid, "base.group_system") {
		return true
	}
	return model == "res.users.apikeys" && r["user_id"] != s.uid && !s.holds(s.uid, "base.group_system")
}

// login finds a user by name and password.
func (s *Server) login(user, key any) (int64, bool) {
	for id, u := range s.b.Models["res.users"] {
		if u["login"] == user {
			return id, s.opens(id, key)
		}
	}
	return 0, false
}

// opens reports whether a key is a user's. An expired key is that of the integration user.
func (s *Server) opens(id int64, key any) bool {
	u := s.b.Models["res.users"][id]
	return u != nil && u["password"] == key && !(s.trouble.Denied && u["login"] == s.User)
}

func (s *Server) holds(uid int64, group string) bool {
	list, _ := s.b.Models["res.users"][uid]["groups"].([]any)
	return slices.Contains(list, any(int64(slices.Index(groups, group)+1)))
}

// may is the table of rights as far as Tillpost meets it.
func (s *Server) may(uid int64, model, operation string) bool {
	read := operation == "read"
	switch {
	case strings.HasPrefix(model, "account.analytic."):
		return s.b.Grants["analytic"]
	case model == "account.move", model == "account.move.line", model == "account.payment":
		return s.holds(uid, "account.group_account_invoice")
	case model == "account.journal":
		return s.holds(uid, "account.group_account_manager") || read && s.holds(uid, "account.group_account_invoice")
	case strings.HasPrefix(model, "account."):
		return s.holds(uid, "account.group_account_manager") || read
	case model == "res.partner", model == "res.currency":
		return true
	case model == "ir.model.data", model == "ir.model", model == "ir.model.fields", model == "res.config.settings":
		return s.holds(uid, "base.group_system")
	}
	return read || s.holds(uid, "base.group_system")
}

// operation is the right that a method needs.
func operation(model, method string) string {
	switch method {
	case "search_read", "read":
		return "read"
	case "create", "load":
		return "create"
	case "unlink":
		return "unlink"
	case "fields_get", "check_access_rights", "has_access", "check_object_reference":
		return ""
	}
	return "write"
}

// allowed faults as Odoo does when the user lacks a right, or means a company that is not his.
func (s *Server) allowed(model, method string, context map[string]any) error {
	for _, id := range idList(context["allowed_company_ids"]) {
		if users, _ := s.b.Models["res.company"][id]["user_ids"].([]any); !slices.Contains(users, any(s.uid)) {
			return fault{4, "Access to unauthorized or invalid companies."}
		}
	}
	if op := operation(model, method); s.trouble.NoRights || op != "" && !s.may(s.uid, model, op) {
		verb := map[string]string{"read": "access", "create": "create", "unlink": "delete"}[op]
		if verb == "" {
			verb = "modify"
		}
		return fault{4, fmt.Sprintf("You are not allowed to %s '%s' (%s) records.\n\nThis operation is allowed for the following groups:\n\t- Invoicing/Invoicing\n\nContact your administrator to request access if necessary.", verb, model, model)}
	}
	return nil
}

// groupField is the name of a user's groups on the wire.
func (s *Server) groupField() string {
	if s.Version >= 19 {
		return "group_ids"
	}
	return "groups_id"
}

// regroup applies commands (6 = these, 4 = add, 3 = take away) to a user's groups.
func regroup(have []any, commands any) []any {
	have = slices.Clone(have)
	list, _ := commands.([]any)
	for _, c := range list {
		cmd, _ := c.([]any)
		switch {
		case len(cmd) == 3 && cmd[0] == int64(6):
			have, _ = cmd[2].([]any)
		case len(cmd) >= 2 && cmd[0] == int64(4) && !slices.Contains(have, cmd[1]):
			have = append(have, cmd[1])
		case len(cmd) >= 2 && cmd[0] == int64(3):
			have = slices.DeleteFunc(have, func(v any) bool { return v == cmd[1] })
		}
	}
	return have
}
