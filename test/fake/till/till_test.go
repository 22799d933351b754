package till

import (
	"encoding/json"
	"reflect"
	"testing"
	"time"
)

var day = time.Date(2026, 11, 20, 0, 0, 0, 0, time.UTC)

func TestSameSeedSameDay(t *testing.T) {
	e1, t1 := New(Three[1], 7).Day(day, 200)
	e2, t2 := New(Three[1], 7).Day(day, 200)
	if !reflect.DeepEqual(e1, e2) || !reflect.DeepEqual(t1, t2) {
		t.Error("the same seed made two different days")
	}
}

// The truth must balance by itself: what was owed and moved is what was paid.
func TestTruthBalances(t *testing.T) {
	for _, s := range Three {
		for seed := range uint64(50) {
			_, truth := New(s, seed).Day(day, 120)
			var owed, paid int64
			for name, cents := range truth.Measures {
				switch {
				case name == "paid_in" || name == "over":
					owed += cents
				case name == "paid_out" || name == "short":
					owed -= cents
				case len(name) > 7 && name[:7] == "tender:":
					paid += cents
				default:
					owed += cents
				}
			}
			if owed != paid || truth.Tickets < 90 {
				t.Errorf("%s seed %d: owed %d, paid %d, %d tickets", s.Code, seed, owed, paid, truth.Tickets)
			}
		}
	}
}

// Days hold all that tills do: what never happens here is tested nowhere behind it.
func TestDaysHoldEverything(t *testing.T) {
	seen := map[string]int{}
	for _, s := range Three {
		for seed := range uint64(10) {
			events, _ := New(s, seed).Day(day, 120)
			told := map[string]int{}
			for _, e := range events {
				if e.Late {
					seen["late"]++
				}
				told[e.ID]++
				seen[e.Path]++
				look(t, e, told[e.ID], seen)
			}
		}
	}
	for _, want := range []string{"/v1/tickets", "/v1/drawer", "/v1/locations", "/v1/terminals", "/v1/read_to", "late", "told twice", "edited",
		"sale", "return", "exchange", "void", "item", "tax", "discount", "shipping", "gift_card", "tip", "fee", "cash", "visa", "mastercard", "amex", "debit", "paid with gift_card", "ewallet",
		"change given", "split", "three jurisdictions", "clock off", "no_sale", "paid_in", "paid_out", "drawer_open", "drawer_close", "drawer_count"} {
		if seen[want] == 0 {
			t.Errorf("no day has %q", want)
		}
	}
}

func look(t *testing.T, e Event, times int, seen map[string]int) {
	var x struct {
		Kind     string
		Revision int
		Clock    int64
		Lines    []struct{ Kind string }
		Tenders  []struct {
			Type   string
			Amount json.Number
		}
	}
	if err := json.Unmarshal(e.Body, &x); err != nil {
		t.Fatal(err)
	}
	seen[x.Kind]++
	if x.Clock != 0 {
		seen["clock off"]++
	}
	if x.Revision > 1 {
		seen["edited"]++
	} else if times > 1 && e.Path == "/v1/tickets" {
		seen["told twice"]++
	}
	taxes, types := 0, map[string]bool{}
	for _, l := range x.Lines {
		seen[l.Kind]++
		if l.Kind == "tax" {
			taxes++
		}
	}
	for _, p := range x.Tenders {
		types[p.Type] = true
		if seen[p.Type]++; p.Type == "gift_card" {
			seen["paid with gift_card"]++
		}
		if x.Kind == "sale" && p.Type == "cash" && p.Amount[0] == '-' {
			seen["change given"]++
		}
	}
	if taxes > 2 {
		seen["three jurisdictions"]++
	}
	if len(types) > 1 {
		seen["split"]++
	}
}
