package shadow_test

import (
	"testing"

	"github.com/tillpost/tillpost/hub/rollup"
	"github.com/tillpost/tillpost/hub/shadow"
	"github.com/tillpost/tillpost/shared/money"
	"github.com/tillpost/tillpost/shared/retail"
)

func TestCompareFindsEachCentPerAccount(t *testing.T) {
	one := shadow.Day{Key: rollup.DayKey{Location: "S1", Day: "2026-11-20"}, Currency: "USD", Lines: []shadow.Line{{Account: "101", Label: "cash", Minor: 1000},
		{Account: "400", Label: "Toys", Minor: -600}, {Account: "400", Label: "Games", Minor: -400}}}
	two, three := one, one
	two.Key.Day, three.Key.Day = "2026-11-21", "2026-11-22"
	item := func(date retail.BusinessDate, at retail.LocationCode, account string, minor int64) shadow.Item {
		return shadow.Item{Entry: "MISC/" + string(date), Date: date, Account: account, Minor: minor, Location: at}
	}
	items := []shadow.Item{item("2026-11-20", "S1", "101", 1000), item("2026-11-20", "S1", "400", -1000), item("2026-11-20", "S2", "101", 77),
		item("2026-11-21", "S1", "101", 995), item("2026-11-21", "S1", "400", -1000), item("2026-11-21", "S1", "660", 5)}
	r := shadow.Compare([]shadow.Day{one, two, three}, items)
	if r.Same != 1 || len(r.Days) != 3 {
		t.Fatalf("%d agree of %d", r.Same, len(r.Days))
	}
	if d := r.Days[0]; !d.Difference.IsZero() || len(d.Lines) != 2 || d.Lines[1].Label != "Toys, Games" || d.Entries[0] != "MISC/2026-11-20" {
		t.Errorf("the day that agrees: %+v", d)
	}
	d := r.Days[1]
	if d.Difference != money.Of(10, "USD") || len(d.Lines) != 3 || d.Lines[0].Difference != money.Of(5, "USD") || d.Lines[2].Theirs != money.Of(5, "USD") || d.Lines[2].Difference != money.Of(-5, "USD") {
		t.Errorf("five cents went to over and short: %+v", d)
	}
	if d := r.Days[2]; !d.Missing || d.Difference != money.Of(2000, "USD") {
		t.Errorf("a day that the old way forgot: %+v", d)
	}
}
