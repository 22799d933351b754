package odoo

import "testing"

func TestAClaimIsReadAsItWasWritten(t *testing.T) {
	c := Claim{Hub: "ab12cd34", Run: "0f1e2d3c", Beat: 41, Name: "store-pc, https://tillpost.example.com"}
	if got := parseClaim(c.String()); got != c {
		t.Errorf("got %+v, want %+v", got, c)
	}
	for _, s := range []string{"", "Tillpost ab S-1/2026-11-01/1 0f", "Tillpost-claim hub=a run=b", "Tillpost-claim hub=a run=b beat=99999999999999999999 at=x"} {
		if got := parseClaim(s); !got.Free() {
			t.Errorf("%q is read as a claim: %+v", s, got)
		}
	}
}
