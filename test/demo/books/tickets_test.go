package books

import (
	"reflect"
	"testing"
)

func TestDifferencesNameTheTicketAndItsCents(t *testing.T) {
	told := Told{"a": {Revision: 1, Cents: 100}, "b": {Revision: 1, Cents: 200}, "c": {Revision: 1, Cents: 300}, "d": {Revision: 1, Cents: 400}}
	have := []Ticket{{"a", "2026-11-20", 100}, {"a", "2026-11-20", 100}, {"b", "2026-11-21", 200}, {"c", "2026-11-20", 301}}
	var got []string
	for _, d := range Differences("S1", "2026-11-20", told, have) {
		got = append(got, d.What+": "+d.String())
	}
	want := []string{
		"foreign: S1: ticket a with 1.00 is in the ledger, and no till sold it",
		"shifted: S1: ticket b with 2.00 is booked on 2026-11-21 instead of 2026-11-20",
		"off: S1: ticket c is 3.00 at the till and 3.01 in the ledger",
		"lost: S1: ticket d with 4.00 was sold and is not in the ledger",
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %q\nwant %q", got, want)
	}
	if told["a"].Cents != 100 {
		t.Error("the tills' own list was changed")
	}
}

func TestToldKeepsTheHighestRevision(t *testing.T) {
	told := Told{}
	for _, body := range []string{
		`{"id":"x","revision":2,"kind":"sale","lines":[{"amount":12.30},{"amount":-0.05}]}`,
		`{"id":"x","revision":1,"kind":"sale","lines":[{"amount":99.00}]}`, // told late
		`{"id":"y","revision":1,"kind":"sale","lines":[{"amount":1.00}]}`,
		`{"id":"y","revision":2,"kind":"void","lines":[{"amount":1.00}]}`,
	} {
		if err := told.Hear([]byte(body)); err != nil {
			t.Fatal(err)
		}
	}
	if want := (Told{"x": {Revision: 2, Cents: 1225}, "y": {Revision: 2, Cents: 0}}); !reflect.DeepEqual(told, want) {
		t.Errorf("got %v, want %v", told, want)
	}
	if err := told.Hear([]byte(`{"id":"x","lines":[{"amount":1.005}]}`)); err == nil {
		t.Error("half a cent was taken")
	}
}

// The auditor must see what a writer may do wrong: a draft, another date, the same document twice.
func TestDayFindsWhatIsNotPostedOnce(t *testing.T) {
	good := Item{Move: 1, Entry: "T/1", State: "posted", Date: "2026-11-20", Ref: "hub S1/2026-11-20/1", Location: "S1", Day: "2026-11-20", Number: "1", Label: "tender:cash", Cents: 500}
	sums, entries, err := Day([]Item{good, {Location: "S2", Day: "2026-11-20"}}, "hub", "S1", "2026-11-20")
	if err != nil || sums["tender:cash"] != 500 || len(entries) != 1 {
		t.Fatalf("got %v %v %v", sums, entries, err)
	}
	for name, spoil := range map[string]func(i *Item){
		"draft":      func(i *Item) { i.State = "draft" },
		"other date": func(i *Item) { i.Date = "2026-12-01" },
		"twice":      func(i *Item) { i.Move = 2 },
		"absent":     func(i *Item) { i.Day = "2026-11-19" },
	} {
		bad := good
		spoil(&bad)
		items := []Item{bad}
		if name == "twice" {
			items = append(items, good)
		}
		if _, _, err := Day(items, "hub", "S1", "2026-11-20"); err == nil {
			t.Errorf("%s went unseen", name)
		}
	}
}
