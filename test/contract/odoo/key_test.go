package odoo_test

import (
	"strings"
	"testing"
	"time"

	"github.com/tillpost/tillpost/hub/odoo"
	fake "github.com/tillpost/tillpost/test/fake/odoo"
)

// A user may read the end of his own keys in 18 and 19, with no more rights than an employee has.
func TestOdooSaysWhenTheKeyEnds(t *testing.T) {
	each(t, func(t *testing.T, s server) {
		k, err := odoo.KeyEnds(t.Context(), s.client(t))
		if err != nil || !k.Known {
			t.Fatalf("the end is not known: %+v %v", k, err)
		}
		if s.version(t) < 18 {
			if !k.At.IsZero() || k.Soon(time.Now()) {
				t.Errorf("keys of 17 have no end: %+v", k)
			}
			return
		}
		if k.At.IsZero() || k.Name == "" || k.Keys != 1 || time.Until(k.At) > 91*24*time.Hour {
			t.Errorf("got %+v", k)
		}
		if !k.Soon(k.At.Add(-odoo.KeyWarn+time.Minute)) || k.Soon(k.At.Add(-odoo.KeyWarn-time.Minute)) {
			t.Error("it is not told 14 days before")
		}
		rep, err := odoo.Check(t.Context(), s.client(t), odoo.SetupOptions{}, "", nil)
		if err != nil || rep.Key != k {
			t.Errorf("check says %+v %v", rep.Key, err)
		}
	})
}

func TestTheKeyThatEndsFirstCountsUnlessTheSettingsSay(t *testing.T) {
	s := serve(t, fake.Options{Version: 19, KeyEnds: "2027-03-01 10:00:00"})
	s.fake.AddKey("the old one", "2026-12-01 10:00:00")
	s.fake.AddKey("without an end", "never")
	k, err := odoo.KeyEnds(t.Context(), s.client(t))
	if err != nil || k.At.Format(time.DateTime) != "2026-12-01 10:00:00" || k.Name != "the old one" || k.Keys != 3 || !strings.Contains(k.String(), "which is used") {
		t.Errorf("got %+v %v", k, err)
	}
	for _, ends := range []time.Time{{}, time.Date(2027, 3, 1, 0, 0, 0, 0, time.UTC)} {
		s.cfg.KeyEnds = &ends
		if k, err = odoo.KeyEnds(t.Context(), s.client(t)); err != nil || !k.Known || !k.At.Equal(ends) {
			t.Errorf("the settings say %v, got %+v %v", ends, k, err)
		}
	}
	s.cfg.KeyEnds = nil
	s.cfg.User, s.cfg.Key = "admin", func() (string, error) { return "admin", nil }
	if k, err = odoo.KeyEnds(t.Context(), s.client(t)); err != nil || !k.Known || !k.At.IsZero() || strings.Contains(k.String(), "ends on") {
		t.Errorf("a key without an end: %+v %v", k, err)
	}
}
