package odoo_test

import (
	"context"
	"strings"
	"testing"

	"github.com/tillpost/tillpost/hub/odoo"
	"github.com/tillpost/tillpost/shared/breaker"
	"github.com/tillpost/tillpost/shared/envelope"
)

// clerk makes a second user with only what an ordinary employee has.
func (p person) clerk(s server) (at server, uid int64) {
	p.t.Helper()
	name := "tillpost-test-" + envelope.NewEpoch().String()[:8]
	uid, _ = p.do("res.users", "create", []any{map[string]any{"name": name, "login": name, "password": name, p.groups(): []any{[]any{6, 0, []any{p.group("base.group_user")}}}}}, nil).(int64)
	p.t.Cleanup(func() {
		_, _ = p.c.Call(context.Background(), "res.users", "write", []any{[]int64{uid}, map[string]any{"active": false}}, nil)
	})
	s = s.over(odoo.XMLRPC) // a password opens no JSON-2, and nobody can make a key for another
	s.cfg.User, s.cfg.Key = name, func() (string, error) { return name, nil }
	return s, uid
}

func (p person) groups() string {
	if p.version >= 19 {
		return "group_ids"
	}
	return "groups_id"
}

func (p person) group(full string) int64 {
	p.t.Helper()
	module, name, _ := strings.Cut(full, ".")
	pair, _ := p.do("ir.model.data", "check_object_reference", []any{module, name}, nil).([]any)
	if len(pair) != 2 {
		p.t.Fatalf("no group %s", full)
	}
	id, _ := pair[1].(int64)
	return id
}

func (p person) grant(uid int64, group string) {
	p.t.Helper()
	p.do("res.users", "write", []any{[]int64{uid}, map[string]any{p.groups(): []any{[]any{4, p.group(group)}}}}, nil)
}

func (p person) withdraw(uid int64, group string) {
	p.t.Helper()
	p.do("res.users", "write", []any{[]int64{uid}, map[string]any{p.groups(): []any{[]any{3, p.group(group)}}}}, nil)
}

func TestAUserWithoutRightsWaitsAndGoesOnceHeHasThem(t *testing.T) {
	each(t, func(t *testing.T, s server) {
		p := s.person(t)
		set, b := s.set(t)
		poor, uid := p.clerk(s)
		d := document(t, set, b, "S-NY", today)
		o, hub := newOutbox(d), newHub()
		w, _ := poor.writer(t, o, hub)
		step(t, w)
		want(t, o.outcome(d), odoo.Wait)
		if why := o.outcome(d).Why; !strings.Contains(why, "lacks a right") || !strings.Contains(why, "Nothing is lost") {
			t.Errorf("it says %q", why)
		}
		if st := w.Status(); st.State != breaker.Refused {
			t.Errorf("the lane is %+v", st)
		}
		missing, err := odoo.MissingRights(t.Context(), poor.client(t))
		if err != nil || len(missing) != 1 || !strings.Contains(missing[0], poor.cfg.User) || !strings.Contains(missing[0], "read, create, change journal entries") {
			t.Errorf("check says %q %v", missing, err)
		}
		t.Logf("check says: %s", missing)
		p.grant(uid, "account.group_account_invoice")
		step(t, w)
		want(t, o.outcome(d), odoo.Done)
		s.audit(t, hub, d)
		if missing, err := odoo.MissingRights(t.Context(), poor.client(t)); err != nil || len(missing) > 0 {
			t.Errorf("with the group it still lacks %q %v", missing, err)
		}

		// The right is taken away in the middle of a chain.
		at, way := poor.behind(t)
		e := document(t, set, b, "S-NY", today.AddDays(-1))
		o.tasks[e.ID()] = &task{Task: odoo.Task{Document: e, Date: e.Date}}
		w, _ = at.writer(t, o, hub)
		way.set(func(call string) spoil {
			if call == "account.move.action_post" {
				p.withdraw(uid, "account.group_account_invoice")
			}
			return pass
		})
		step(t, w)
		want(t, o.outcome(e), odoo.Wait)
		way.set(nil)
		p.grant(uid, "account.group_account_invoice")
		step(t, w)
		want(t, o.outcome(e), odoo.Done)
		s.audit(t, hub, e)
	})
}

func TestSetupOfAPoorUserNamesWhatHeLacksAndChangesNothing(t *testing.T) {
	each(t, func(t *testing.T, s server) {
		p := s.person(t)
		if _, err := s.setup(t); err != nil {
			t.Fatal(err)
		}
		poor, uid := p.clerk(s)
		rep, err := odoo.Setup(t.Context(), poor.client(t), options)
		if err == nil || len(rep.Missing) == 0 || !strings.Contains(err.Error(), "nothing was changed") {
			t.Fatalf("setup: %+v %v", rep, err)
		}
		t.Log(err)
		// A biller may run it where everything is there already, and is told the manager's group where it is not.
		p.grant(uid, "account.group_account_invoice")
		if rep, err = odoo.Setup(t.Context(), poor.client(t), options); err != nil || len(rep.Missing) > 0 {
			t.Errorf("everything is there, and a biller is refused: %+v %v", rep.Missing, err)
		}
		more := options
		more.Tenders = append([]string{"new" + envelope.NewEpoch().String()[:6]}, options.Tenders...)
		rep, err = odoo.Setup(t.Context(), poor.client(t), more)
		if err == nil || len(rep.Missing) != 1 || !strings.Contains(rep.Missing[0], "create accounts") || strings.Contains(rep.Missing[0], "journal") {
			t.Errorf("setup: %q %v", rep.Missing, err)
		}
		t.Log(err)
		p.grant(uid, "account.group_account_manager")
		if rep, err = odoo.Setup(t.Context(), poor.client(t), more); err != nil {
			t.Errorf("with the group: %v", err)
		}
		made := 0
		for _, st := range rep.Steps {
			if st.Done == "made" {
				made++
			}
		}
		if made != 3 {
			t.Errorf("one account and its payment methods were wanted: %+v", rep.Steps)
		}
	})
}
