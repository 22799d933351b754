package hretail

import (
	"os"
	"strings"
	"testing"

	"github.com/tillpost/tillpost/shared/retail"
)

// What goods had cost is beside a sale: whatever Retail writes there, the sale is booked as it was, and a cost that cannot be read is not known.
func TestACostThatCannotBeReadLeavesTheSaleAsItIs(t *testing.T) {
	body, err := os.ReadFile("testdata/ticket-cash-change.json")
	if err != nil {
		t.Fatal(err)
	}
	read := func(cost string) retail.Ticket {
		t.Helper()
		told := strings.Replace(string(body), `"unit_cost": 21.0`, cost, 1)
		if told == string(body) && cost != `"unit_cost": 21.0` {
			t.Fatal("the sample has no cost any more")
		}
		rec, err := Decode(kindOf("ticket-x.json"), []byte(told))
		ticket, ok := rec.(retail.Ticket)
		if err != nil || !ok {
			t.Fatalf("%s: %v", cost, err)
		}
		if err := ticket.Validate(now); err != nil {
			t.Errorf("%s keeps the sale from the books: %v", cost, err)
		}
		return ticket
	}
	good := read(`"unit_cost": 21.0`)
	for cost, want := range map[string]string{
		`"unit_cost": 21.0`: "21.00", `"unit_cost": "21.00"`: "21.00", `"unit_cost": 0`: "0.00", `"unit_cost": 0.004`: "0.00", `"unit_cost": 20.999999999999996`: "21.00",
		`"unit_cost": null`: "", `"unit_cost": ""`: "", `"unit_cost": "n/a"`: "", `"unit_cost": [21]`: "", `"unit_cost": {"amount": 21}`: "", `"unit_cost": true`: "",
		`"unit_cost": 1e400`: "", `"cost_unit": 21.0`: "",
	} {
		got := read(cost)
		line := got.Lines[0]
		if known := line.Cost.Currency != ""; known != (want != "") || known && line.Cost.Decimal() != want {
			t.Errorf("%s is a cost of %q (%v), want %q", cost, line.Cost.Decimal(), known, want)
		}
		if len(got.Lines) != len(good.Lines) || len(got.Tenders) != len(good.Tenders) {
			t.Fatalf("%s: the ticket has %d lines and %d tenders", cost, len(got.Lines), len(got.Tenders))
		}
		for i := range got.Lines {
			if got.Lines[i].Amount != good.Lines[i].Amount {
				t.Errorf("%s: line %d is %s, want %s", cost, i, got.Lines[i].Amount, good.Lines[i].Amount)
			}
		}
	}
}
