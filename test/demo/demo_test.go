package main

import (
	"strings"
	"testing"
)

// TestDemo runs the demo as `make demo ONCE=1` does, whole and spoilt: it must agree to the cent, or name the ticket and its cents.
func TestDemo(t *testing.T) {
	if testing.Short() {
		t.Skip("runs three stores and a hub; left out of short runs")
	}
	t.Setenv("ONCE", "1")
	t.Setenv("ODOO_URL", "")
	for _, c := range []struct{ source, spoil, says string }{
		{"", "", ""}, {"", "drop", "was sold and is not in the ledger"}, {"", "double", "is in the ledger, and no till sold it"}, {"", "shift", "is booked on"},
		{"portico", "", "agree with the gateway"}, {"retail", "", ""}, {"retail", "drop", "was sold and is not in the ledger"}, {"mixed", "", "agree with the gateway"},
	} {
		t.Run("source "+c.source+" spoilt by "+c.spoil, func(t *testing.T) {
			t.Setenv("SOURCE", c.source)
			t.Setenv("DEMO_BREAK", c.spoil)
			var out strings.Builder
			err := run(t.Context(), &out)
			switch {
			case c.spoil == "" && err != nil:
				t.Fatalf("%v\n%s", err, out.String())
			case c.spoil == "" && !strings.Contains(out.String(), "every difference is 0.00"):
				t.Errorf("it does not say that all agree:\n%s", out.String())
			case c.spoil == "" && c.says != "" && strings.Count(out.String(), c.says) != 3:
				t.Errorf("not every store's payments %s:\n%s", c.says, out.String())
			case c.spoil != "" && (err == nil || !strings.Contains(err.Error(), c.says) || !strings.Contains(err.Error(), "ticket ") || !strings.Contains(err.Error(), ".")):
				t.Errorf("got %v, want %q with ticket and cents", err, c.says)
			}
		})
	}
}
