package till

import (
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
