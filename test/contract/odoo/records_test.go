package odoo_test

import (
	"strings"
	"testing"

	"github.com/tillpost/tillpost/hub/odoo"
)

// Records are read as they stand now: by id, by number, by reference; what is gone is not there.
func TestARecordIsFoundAsItStandsNow(t *testing.T) {
	each(t, func(t *testing.T, s server) {
		p := s.person(t)
		set, b := s.set(t)
		d, gone := document(t, set, b, "S-NY", today), document(t, set, b, "S-NY", today.AddDays(-1))
		o, hub := newOutbox(d, gone), newHub()
		w, c := s.writer(t, o, hub)
		step(t, w)
		want(t, o.outcome(d), odoo.Done)
		want(t, o.outcome(gone), odoo.Done)
		move, lost := o.outcome(d).Read.Move, o.outcome(gone).Read.Move
		p.do("account.move", "button_draft", []any{[]int64{lost}}, nil)
		got, err := odoo.Read(t.Context(), c, []int64{move, lost})
		if err != nil || got[move].State != "posted" || got[lost].State != "draft" {
			t.Fatalf("got %+v: %v", got, err)
		}
		r := got[move]
		if r.Name != o.outcome(d).Read.Name || r.Date != d.Date || r.Ref != odoo.Ref(hub, d) || r.URL != o.outcome(d).Read.URL || !strings.Contains(r.URL, "account.move") {
			t.Errorf("got %+v, read back %+v", r, o.outcome(d).Read)
		}
		if id, own, ok := odoo.DocumentOf(hub, r.Ref); !ok || !own || id != d.ID() {
			t.Errorf("its reference names %q", id)
		}
		if model, id, ok := odoo.ParseRecord(r.URL); !ok || model != odoo.Entries || id != move {
			t.Errorf("its address names %s %d", model, id)
		}
		p.do("account.move", "unlink", []any{[]int64{lost}}, nil)
		if got, err = odoo.Read(t.Context(), c, []int64{move, lost}); err != nil || len(got) != 1 {
			t.Errorf("got %+v: %v", got, err)
		}
		for what, found := range map[string]bool{r.Name: true, r.Ref: true, "no such number": false, strings.ToLower(r.Ref) + "x": false} {
			rs, err := odoo.Search(t.Context(), c, what)
			there := false
			for _, x := range rs {
				there = there || x.ID == move
			}
			if err != nil || there != found {
				t.Errorf("%q finds %+v: %v", what, rs, err)
			}
		}
	})
}
