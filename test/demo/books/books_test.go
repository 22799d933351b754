package books

import "testing"

func TestCents(t *testing.T) {
	for text, want := range map[string]int64{"12.34": 1234, "-0.05": -5, "0.30000000000000004": 30, "1e3": 100000, "0": 0} {
		if got, err := cents(number(text)); err != nil || got != want {
			t.Errorf("cents(%s): got %d %v, want %d", text, got, err, want)
		}
	}
	if got, err := cents(number("1.005")); err == nil {
		t.Errorf("half a cent read as %d, want an error", got)
	}
}

func TestJoinReadsTheStoreDayOutOfTheReference(t *testing.T) {
	items, err := join(
		[]map[string]any{{"id": number("7"), "name": "TPOS/1", "ref": "Tillpost 1a2b S-NY/2026-11-20/1 abc", "date": "2026-11-20", "state": "posted"}},
		[]map[string]any{{"move_id": []any{number("7"), "TPOS/1"}, "account_id": []any{number("3"), "x"}, "name": "tender:cash", "debit": number("5.25"), "credit": number("0.0")}},
		[]map[string]any{{"id": number("3"), "code": "101900"}})
	if err != nil || len(items) != 1 {
		t.Fatalf("got %v %v", items, err)
	}
	if i := items[0]; i.Location != "S-NY" || i.Day != "2026-11-20" || i.Account != "101900" || i.Cents != 525 {
		t.Errorf("got %+v", i)
	}
}
