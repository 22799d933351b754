package odoo_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
)

// context2 outlives the test it cleans up after.
func context2() context.Context { return context.Background() }

// body is an execute_kw whose last argument is written as given.
func (l *lab) body(model, method, args string) string {
	return fmt.Sprintf(`<?xml version="1.0"?><methodCall><methodName>execute_kw</methodName><params><param><value><string>%s</string></value></param><param><value><int>%d</int></value></param>`+
		`<param><value><string>%s</string></value></param><param><value><string>%s</string></value></param><param><value><string>%s</string></value></param><param><value>%s</value></param></params></methodCall>`,
		l.me.db, l.me.uid, l.me.key, model, method, args)
}

func (l *lab) raw(model, method, args string) answer {
	return raw(l.t.Context(), l.me.url+"/xmlrpc/2/object", l.body(model, method, args))
}

// partner creates a partner with a name as written in XML.
func (l *lab) partner(name string) answer {
	return l.raw("res.partner", "create", "<array><data><value><struct><member><name>name</name><value>"+name+"</value></member></struct></value></data></array>")
}

func (l *lab) nameOf(a answer) string {
	n, ok := a.v.(int64)
	if !ok {
		return a.String()
	}
	got := l.must(l.call("res.partner", "read", []any{[]int64{n}}, map[string]any{"fields": []string{"name"}}))
	return fmt.Sprintf("%q", got.v.([]any)[0].(map[string]any)["name"])
}

func TestFactsOfTheWire(t *testing.T) {
	common := func(l *lab, method string, args ...any) answer {
		return send(l.t.Context(), l.me.url+"/xmlrpc/2/common", method, args...)
	}
	check(t, []fact{
		{name: "version tells the series and its numbers", want: per{17: "17.0 17 17.0 1", 18: "18.0 18 18.0 1", 19: "19.0 19 19.0 1"}, run: func(l *lab) string {
			m, _ := common(l, "version").v.(map[string]any)
			info, _ := m["server_version_info"].([]any)
			return fmt.Sprint(m["server_serie"], " ", info[0], " ", strings.SplitN(fmt.Sprint(m["server_version"]), "-", 2)[0], " ", m["protocol_version"])
		}},
		{name: "a wrong key is no fault at the login", want: same("false"), run: func(l *lab) string {
			return common(l, "authenticate", l.me.db, l.me.user, "wrong", map[string]any{}).String()
		}},
		{name: "an unknown user neither", want: same("false"), run: func(l *lab) string {
			return common(l, "authenticate", l.me.db, "nobody", "wrong", map[string]any{}).String()
		}},
		{name: "an unknown database is a fault 1 that names it", want: same(`fault 1 database "no_such_db" does not exist`), run: func(l *lab) string {
			return common(l, "authenticate", "no_such_db", l.me.user, l.me.key, map[string]any{}).kind(`database "no_such_db" does not exist`)
		}},
		{name: "a wrong key is a fault 3 at a call", want: same("fault 3 Access Denied"), run: func(l *lab) string {
			c := l.me
			c.key = "wrong"
			return c.call(l.t.Context(), "res.partner", "search", []any{[]any{}}, map[string]any{"limit": 1}).String()
		}},
		{name: "a private method is a fault 4", want: same("fault 4"), run: func(l *lab) string {
			return fmt.Sprintf("fault %d", l.call("res.partner", "_compute_display_name", []any{[]int64{1}}, nil).code)
		}},
		{name: "an unknown model is a fault 2", want: same("fault 2 Object no.such.model doesn't exist"), run: func(l *lab) string {
			return l.call("no.such.model", "read", []any{[]int64{1}}, nil).String()
		}},
		{name: "an unknown method is a fault 1", want: same("fault 1 AttributeError"), run: func(l *lab) string {
			return l.call("account.move", "no_such_method", []any{}, nil).kind("AttributeError")
		}},
		{name: "an unknown field is a fault 1 to read", want: same("fault 1 no_such"), run: func(l *lab) string {
			return l.call("account.move", "search_read", []any{[]any{}}, map[string]any{"fields": []string{"no_such"}, "limit": 1}).kind("no_such")
		}},
		{name: "and to search", want: same("fault 1 no_such"), run: func(l *lab) string {
			return l.call("account.move", "search_read", []any{[]any{[]any{"no_such", "=", 1}}}, map[string]any{"limit": 1}).kind("no_such")
		}},
		{name: "a record that is not there is left out of a read", want: same("[]"), run: func(l *lab) string {
			return l.call("account.move", "read", []any{[]int64{99999999}}, map[string]any{"fields": []string{"state"}}).String()
		}},
		{name: "and a fault 2 to write", want: same("fault 2 Record does not exist or has been deleted."), run: func(l *lab) string {
			return l.call("res.partner", "write", []any{[]int64{99999999}, map[string]any{"name": "x"}}, nil).kind("Record does not exist or has been deleted.")
		}},
		{name: "a journal without a code is a fault 2", want: same("fault 2"), run: func(l *lab) string {
			return fmt.Sprintf("fault %d", l.call("account.journal", "create", []any{map[string]any{"type": "general"}}, nil).code)
		}},
		{name: "a foreign company is a fault 4", want: same("fault 4"), run: func(l *lab) string {
			in := map[string]any{"context": map[string]any{"allowed_company_ids": []int64{99999}}, "limit": 1}
			return fmt.Sprintf("fault %d", l.call("account.journal", "search_read", []any{[]any{}}, in).code)
		}},
		{name: "a fault comes with HTTP 200 and XML", want: same("200 text/xml"), run: func(l *lab) string {
			a := l.call("no.such.model", "read", []any{[]int64{1}}, nil)
			return fmt.Sprint(a.status, " ", strings.SplitN(a.header.Get("Content-Type"), ";", 2)[0])
		}},
		{name: "a reference reads as id and name, or as id when load is empty", want: same("[]interface {} int64"), run: func(l *lab) string {
			read := func(kw map[string]any) any {
				kw["fields"] = []string{"journal_id"}
				return l.must(l.call("account.move", "read", []any{[]int64{l.entry(l.key(), l.day, l.pair("1.00")...)}}, kw)).v.([]any)[0].(map[string]any)["journal_id"]
			}
			return fmt.Sprintf("%T %T", read(map[string]any{}), read(map[string]any{"load": ""}))
		}},
		{name: "an empty text reads as false", want: same("false"), run: func(l *lab) string {
			head, rows := l.rows(l.key(), l.day, l.pair("1.00")...)
			rows[0].([]any)[4] = ""
			n := loaded(l.load(safe, head, rows))
			return fmt.Sprint(l.field(n[0], "ref"))
		}},
		{name: "create of one record says an id, of a list a list", want: same("int64 []interface {}"), run: func(l *lab) string {
			p := map[string]any{"name": "Fact " + l.run}
			return fmt.Sprintf("%T %T", l.call("res.partner", "create", []any{p}, nil).v, l.call("res.partner", "create", []any{[]any{p}}, nil).v)
		}},
		{name: "which of the two rights methods a version has", want: since(18, "true, fault 1", "true, true"), run: func(l *lab) string {
			short := func(a answer) string {
				if a.ok() {
					return a.String()
				}
				return fmt.Sprintf("fault %d", a.code)
			}
			return short(l.call("account.move", "check_access_rights", []any{"create", false}, nil)) + ", " + short(l.call("account.move", "has_access", []any{[]int64{}, "create"}, nil))
		}},
		{name: "an account says deprecated until 18 and active from 19 on", want: since(19, "false, fault 1", "fault 1, true"), run: func(l *lab) string {
			read := func(field string) string {
				a := l.call("account.account", "read", []any{[]int64{l.cash}}, map[string]any{"fields": []string{field}})
				if !a.ok() {
					return fmt.Sprintf("fault %d", a.code)
				}
				return fmt.Sprint(a.v.([]any)[0].(map[string]any)[field])
			}
			return read("deprecated") + ", " + read("active")
		}},
		{name: "an account has a company in 17 and companies from 18 on", want: since(18, "0, 1", "1, 0"), run: func(l *lab) string {
			read := func(field string) int {
				return l.call("account.account", "read", []any{[]int64{l.cash}}, map[string]any{"fields": []string{field}}).code
			}
			return fmt.Sprintf("%d, %d", read("company_id"), read("company_ids"))
		}},
		{name: "a user has groups_id until 18 and group_ids from 19 on", want: since(19, "0, 1", "1, 0"), run: func(l *lab) string {
			read := func(field string) int {
				return l.call("res.users", "read", []any{[]int64{l.me.uid}}, map[string]any{"fields": []string{field}}).code
			}
			return fmt.Sprintf("%d, %d", read("groups_id"), read("group_ids"))
		}},
		{name: "an emoji and every letter come through", want: same(`"Zoë 🧾 <&> Fact"`), run: func(l *lab) string {
			return l.nameOf(l.partner("<string>Zoë 🧾 &lt;&amp;&gt; Fact</string>"))
		}},
		{name: "a control character refuses the whole request", want: same("fault 1 ExpatError"), run: func(l *lab) string {
			return l.partner("<string>a\x0bb</string>").kind("ExpatError")
		}},
		{name: "also when written as an entity", want: same("fault 1 ExpatError"), run: func(l *lab) string {
			return l.partner("<string>a&#11;b</string>").kind("ExpatError")
		}},
		{name: "so does U+FFFE", want: same("fault 1 ExpatError"), run: func(l *lab) string {
			return l.partner("<string>a\uFFFEb</string>").kind("ExpatError")
		}},
		{name: "a carriage return is lost", want: same(`"a\nb"`), run: func(l *lab) string {
			return l.nameOf(l.partner("<string>a\r\nb</string>"))
		}},
		{name: "nil may be sent", want: same("true"), run: func(l *lab) string {
			n := l.must(l.partner("<string>Fact nil</string>")).v
			return l.raw("res.partner", "write", fmt.Sprintf("<array><data><value><array><data><value><int>%d</int></value></data></array></value>"+
				"<value><struct><member><name>ref</name><value><nil/></value></member></struct></value></data></array>", n)).String()
		}},
	})
}
