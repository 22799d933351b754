package odoo_test

import (
	"net/http/httptest"
	"os"
	"testing"

	"github.com/tillpost/tillpost/hub/odoo"
	fake "github.com/tillpost/tillpost/test/fake/odoo"
)

// A database that was neutralised is told from another one, by a user who may not read the system's parameters.
func TestNeutralised(t *testing.T) {
	each(t, func(t *testing.T, s server) {
		is, err := odoo.Neutralised(t.Context(), s.client(t))
		if want := s.fake == nil && os.Getenv("ODOO_NEUTRAL") != ""; err != nil || is != want {
			t.Errorf("got %v, want %v (%v)", is, want, err)
		}
	})
	f, err := fake.New(fake.Options{Version: 18, Neutral: true})
	if err != nil {
		t.Fatal(err)
	}
	h := httptest.NewServer(f)
	t.Cleanup(h.Close)
	c, err := odoo.New(odoo.Config{URL: h.URL, Database: "odoo", User: "tillpost", Key: func() (string, error) { return "key", nil }})
	if err != nil {
		t.Fatal(err)
	}
	if is, err := odoo.Neutralised(t.Context(), c); err != nil || !is {
		t.Errorf("the banner is not seen: %v", err)
	}
	h.Close()
	if _, err := odoo.Neutralised(t.Context(), c); odoo.KindOf(err) != odoo.Away {
		t.Errorf("an Odoo that is away gives %v", err)
	}
}
