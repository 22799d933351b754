package mapping

import (
	"strings"
	"testing"

	"github.com/tillpost/tillpost/hub/ledger"
	"github.com/tillpost/tillpost/shared/retail"
)

func beside(names string) Target { return Target{Analytic: names} }

var dims = Set{Rules: []Rule{
	{Role: Location, Code: "S1", Target: Target{Analytic: "East", Journal: "TP1"}},
	{Role: Location, Code: "S1", From: "2027-01-01", Target: Target{Analytic: "West", Company: "West Inc."}},
	{Role: Station, Code: "KIOSK", Target: beside("Kiosk")},
	{Role: Station, Code: "KIOSK", Location: "S2", From: "2026-12-01", Target: beside(None)},
	{Role: Employee, Code: "anna", Location: "S1", Target: beside("Kiosk; Anna")},
	{Role: Category, Code: "Toys", Target: beside("Departments/Toys")},
}}

func TestWhatStandsBesideALine(t *testing.T) {
	f := func(till retail.TillCode, cashier string, at retail.LocationCode, on retail.BusinessDate, want string) {
		t.Helper()
		if got := dims.Beside(Who{till, cashier}, at, on); got != want {
			t.Errorf("%s, %s at %s on %s: got %q, want %q", till, cashier, at, on, got, want)
		}
	}
	f("T1", "bob", "S1", "2026-11-20", "")
	f("KIOSK", "bob", "S1", "2026-11-20", "Kiosk")
	f("KIOSK", "anna", "S1", "2026-11-20", "Kiosk; Anna")
	f("T1", "anna", "S2", "2026-11-20", "")
	f("KIOSK", "bob", "S2", "2026-11-30", "Kiosk")
	f("KIOSK", "bob", "S2", "2026-12-01", "") // a rule of None ends it
	for a, want := range map[ledger.Account]string{"sales:Toys": "Departments/Toys", "returns:Toys": "Departments/Toys", "cogs:Toys": "Departments/Toys", "sales:Books": "", "tax:Toys": ""} {
		if got := dims.OfCategory(a, "S1", "2026-11-20"); got != want {
			t.Errorf("%s: got %q, want %q", a, got, want)
		}
	}
	if dims.At("S1", "2026-12-31").Journal != "TP1" || dims.At("S1", "2027-01-01") != (Target{Analytic: "West", Company: "West Inc."}) || dims.At("S2", "2027-01-01") != (Target{}) {
		t.Error("a location's own rule is not the one of the day")
	}
	if !dims.Splits("S9", "2026-01-01") || (Set{Rules: rules}).Splits("S1", "2026-12-01") {
		t.Error("only rules of stations and employees set them apart")
	}
}

func TestTheLastNameOfAPlanStandsLast(t *testing.T) {
	if got := Join("A; B", "", "-", "C ; A"); got != "B; C; A" {
		t.Errorf("got %q", got)
	}
}

func TestOnIsWhatCountsThatDay(t *testing.T) {
	for _, on := range []retail.BusinessDate{"2026-11-19", "2026-11-20", "2026-11-25"} {
		got := map[string]bool{}
		for _, r := range (Set{Rules: rules}).On(on).Rules {
			got[r.Target.Account] = true
		}
		for _, name := range []string{"cash", "cash, new", "cash at S1"} {
			if in := name == "cash" && on < "2026-11-20" || name == "cash, new" && on >= "2026-11-20" || name == "cash at S1" && on >= "2026-11-25"; got[name] != in {
				t.Errorf("on %s %q is in the set: %v", on, name, got[name])
			}
		}
	}
}

func TestARuleThatSaysTooLittleOrTooMuchIsRefused(t *testing.T) {
	f := func(r Rule, want string) {
		t.Helper()
		if err := r.Check(); (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("%+v: got %v, want %q", r, err, want)
		}
	}
	f(Rule{Role: Station, Code: "T1", Target: beside("X")}, "")
	f(Rule{Role: Station, Code: "T1", Target: beside(None)}, "")
	f(Rule{Role: Station, Code: "T1"}, "no analytic account")
	f(Rule{Role: Station, Target: beside("X")}, "needs a code")
	f(Rule{Role: Station, Code: "T1", Target: to("400")}, "beside a line")
	f(Rule{Role: Category, Code: "Toys", Target: Target{Analytic: "X", Journal: "TP1"}}, "are a location's")
	f(Rule{Role: Location, Code: "S1", Target: Target{Warehouse: "WH"}}, "")
	f(Rule{Role: Location, Code: "S1"}, "no analytic account, journal")
	f(Rule{Role: Location, Code: "S1", Location: "S1", Target: beside("X")}, "as its code alone")
	f(Rule{Role: ledger.Tender, Code: "cash", Target: Target{Account: "1", Journal: "CSH1", Method: "Manual"}}, "")
	f(Rule{Role: ledger.Tender, Code: "cash", Target: Target{Account: "1", Method: "Manual"}}, "needs the journal")
	f(Rule{Role: ledger.Sales, Code: "Toys", Target: Target{Account: "1", Journal: "INV"}}, "a tender's")
	f(Rule{Role: ledger.Sales, Code: "Toys", Target: Target{Account: "1", Company: "X"}}, "are a location's")
	f(Rule{Role: "sale", Code: "Toys", Target: to("1")}, "no role")
}
