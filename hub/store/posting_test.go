package store

import (
	"encoding/json"
	"reflect"
	"testing"

	"github.com/tillpost/tillpost/hub/ledger"
	"github.com/tillpost/tillpost/shared/money"
)

// What is written is JSON and is read again as it was, whatever a till calls its tenders; the quick way reads what encoding/json reads.
func FuzzPostings(f *testing.F) {
	f.Add("tender:cash", "control", int64(1230), "sales:Toys")
	f.Add(`tender:a "b" \ c`, "x],[", int64(-1), "sales:Ünï\u2028\x01")
	f.Add("a\",", "", int64(0), "[[")
	f.Fuzz(func(t *testing.T, debit, credit string, minor int64, other string) {
		in := []ledger.Posting{{Debit: ledger.Account(debit), Credit: ledger.Account(credit), Amount: money.Of(minor, "USD")},
			{Debit: ledger.Account(other), Credit: ledger.Account(debit), Amount: money.Of(7, "USD")}}
		s := encodePostings(in)
		var rows [][3]any
		if err := json.Unmarshal([]byte(s), &rows); err != nil || len(rows) != len(in) {
			t.Fatalf("%q is not JSON of %d postings: %v", s, len(in), err)
		}
		out, err := decodePostings(s, "USD")
		if err != nil || len(out) != len(in) {
			t.Fatalf("%q is read as %v (%v)", s, out, err)
		}
		for i, r := range rows { // bytes that are no UTF-8 become U+FFFD in JSON
			if string(out[i].Debit) != r[0] || string(out[i].Credit) != r[1] || out[i].Amount != in[i].Amount {
				t.Fatalf("%q is read as %+v, encoding/json says %v", s, out[i], r)
			}
		}
		if quick, ok := quickPostings(debit, "USD"); ok {
			b, err := json.Marshal(rowsOf(quick))
			if err != nil || !json.Valid([]byte(debit)) {
				t.Fatalf("%q is no JSON and is read as %s (%v)", debit, b, err)
			}
		}
	})
}

func rowsOf(ps []ledger.Posting) (out [][3]any) {
	for _, p := range ps {
		out = append(out, [3]any{p.Debit, p.Credit, p.Amount.Minor})
	}
	return out
}

func TestNoPostings(t *testing.T) {
	if got, err := decodePostings(encodePostings(nil), "USD"); err != nil || !reflect.DeepEqual(got, []ledger.Posting{}) {
		t.Errorf("got %v %v", got, err)
	}
}
