package mapping_test

import (
	"reflect"
	"strings"
	"testing"

	"github.com/tillpost/tillpost/hub/ledger"
	"github.com/tillpost/tillpost/hub/mapping"
)

func TestRulesGoOutAndInUnchanged(t *testing.T) {
	set := mapping.Set{Rules: []mapping.Rule{{Role: ledger.Tax, Code: "NY, State", Target: mapping.Target{Account: "251900", Tax: "NY 4%"}},
		{Role: ledger.Tender, Code: "cash", Location: "S1", From: "2026-12-01", Target: mapping.Target{Account: "101900", Label: "Cash \"till\""}}, {Role: ledger.Tip, Target: mapping.Target{Account: "251920"}},
		{Role: ledger.Tender, Code: "visa", Target: mapping.Target{Account: "101901", Journal: "BNK1", Method: "Card, by hand"}},
		{Role: mapping.Station, Code: "KIOSK", Location: "S1", Target: mapping.Target{Analytic: "Channels/Kiosk; P-7"}},
		{Role: mapping.Location, Code: "S1", Target: mapping.Target{Journal: "TP1", Analytic: "Region East", Company: "East Inc.", Warehouse: "WH1"}}}}
	var b strings.Builder
	if err := set.Write(&b); err != nil {
		t.Fatal(err)
	}
	got, err := mapping.Read(strings.NewReader("\ufeff" + b.String()))
	if err != nil || len(got) != len(set.Rules) {
		t.Fatalf("%v %v", got, err)
	}
	var again strings.Builder
	if err := (mapping.Set{Rules: got}).Write(&again); err != nil || again.String() != b.String() {
		t.Errorf("%s\n%s %v", b.String(), again.String(), err)
	}
	for _, r := range set.Rules {
		found := false
		for _, g := range got {
			found = found || reflect.DeepEqual(g, r)
		}
		if !found {
			t.Errorf("%+v is gone", r)
		}
	}
}

func TestEveryFaultOfAFileIsToldAtOnce(t *testing.T) {
	_, err := mapping.Read(strings.NewReader("role,code,account,from\nsale,x,1,\ntender,,1,\ntender,cash,,\ntender,visa,1,tomorrow\ntender,amex,1,\ntender,amex,2,\n"))
	for _, want := range []string{`row 2: there is no role "sale"`, "row 3: role tender needs a code", "row 4: it names neither", "row 5: from \"tomorrow\"", "row 7: it says the same thing as row 6"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q is not told: %v", want, err)
		}
	}
	if _, err := mapping.Read(strings.NewReader("a,b\n1,2\n")); err == nil || !strings.Contains(err.Error(), `"role" is missing`) {
		t.Errorf("%v", err)
	}
}

func FuzzRead(f *testing.F) {
	f.Add("role,code,account\ntender,cash,1\n")
	f.Fuzz(func(t *testing.T, s string) {
		rules, err := mapping.Read(strings.NewReader(s))
		if err != nil {
			return
		}
		var b strings.Builder
		if err := (mapping.Set{Rules: rules}).Write(&b); err != nil {
			t.Fatal(err)
		}
		again, err := mapping.Read(strings.NewReader(b.String()))
		if err != nil || len(again) != len(rules) {
			t.Errorf("%q: %d rules, then %d: %v", s, len(rules), len(again), err)
		}
	})
}
