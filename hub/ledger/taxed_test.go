package ledger

import (
	"slices"
	"testing"
	"time"

	"github.com/tillpost/tillpost/shared/money"
	"github.com/tillpost/tillpost/shared/retail"
)

func FuzzLevied(f *testing.F) {
	f.Add("Toys", "NY State", "NYC", true)
	f.Add("2 @ 5.00 ~ off", "@NY", "~ x", false)
	f.Add("⊕", "", " ", true)
	f.Fuzz(func(t *testing.T, code, one, two string, back bool) {
		code, one, two = unmarked.Replace(code), unmarked.Replace(one), unmarked.Replace(two)
		for _, r := range []Role{Sales, Returns, Discount, Fee} {
			plain := Of(r, code)
			if gr, gc := plain.Split(); gr != r || gc != code || plain.Levies() != nil || plain.Plain() != plain {
				t.Fatalf("%q splits into %q %q %v", plain, gr, gc, plain.Levies())
			}
			want := []Levy{{one, false}, {two, back}}
			a := Levied(plain, want)
			if gr, gc := a.Split(); gr != r || gc != code || a.Plain() != plain {
				t.Fatalf("%q splits into %q %q, plain %q", a, gr, gc, a.Plain())
			}
			got := a.Levies()
			for _, l := range want {
				if !slices.Contains(got, l) {
					t.Fatalf("%q has %v, want %v in it", a, got, l)
				}
			}
			if other := Levied(plain, []Levy{want[1], want[0], want[1]}); other != a {
				t.Fatalf("the same taxes in another order are %q, not %q", other, a)
			}
		}
		if r, c := Of(Tender, code).Split(); r != Tender || c != code {
			t.Fatalf("a tender's code %q came back as %q", code, c)
		}
	})
}

func TestLeviesOfATicket(t *testing.T) {
	usd := func(minor int64) money.Amount { return money.Of(minor, "USD") }
	line := func(k retail.LineKind, code string, minor int64, on ...string) retail.Line {
		return retail.Line{Kind: k, Code: code, Category: "A", Amount: usd(minor), Taxes: on}
	}
	for _, c := range []struct {
		name  string
		lines []retail.Line
		want  []Account // of the lines that are no taxes
	}{
		{"nothing is told: as before tills could", []retail.Line{line(retail.Item, "x", 1000), line(retail.Discount, "d", -100), line(retail.Shipping, "", 500), line(retail.Tax, "NY", 72), line(retail.Tax, "NYC", 40)},
			[]Account{"sales:A", "discount:d", "shipping"}},
		{"no tax at all", []retail.Line{line(retail.Item, "x", 1000)}, []Account{"sales:A"}},
		{"the till tells", []retail.Line{line(retail.Item, "x", 1000, "NY"), line(retail.Item, "milk", 300), line(retail.Shipping, "", 500, "NY"), line(retail.Tax, "NY", 120)},
			[]Account{"sales:A ⊕NY", "sales:A", "shipping ⊕NY"}},
		{"given back", []retail.Line{line(retail.Item, "x", -1000, "NY"), line(retail.Discount, "d", 100, "NY"), line(retail.Tax, "NY", -72)}, []Account{"returns:A ⊖NY", "discount:d ⊖NY"}},
		{"an exchange with both taxes", []retail.Line{line(retail.Item, "x", -1000, "NY"), line(retail.Item, "y", 2000, "NY"), line(retail.Tax, "NY", -80), line(retail.Tax, "NY", 160)},
			[]Account{"returns:A ⊖NY", "sales:A ⊕NY"}},
		{"an exchange with the net tax: base and tax stand on one side", []retail.Line{line(retail.Item, "x", -1000, "NY"), line(retail.Item, "y", 2000, "NY"), line(retail.Tax, "NY", 80)},
			[]Account{"returns:A ⊕NY", "sales:A ⊕NY"}},
		{"told, and too little for a cent of tax", []retail.Line{line(retail.Item, "x", 3, "NY")}, []Account{"sales:A ⊕NY"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			ticket := retail.Ticket{Key: retail.Key{ID: "1"}, Location: "S1", At: time.Unix(1e9, 0), Kind: retail.Sale, Currency: "USD", Lines: c.lines}
			sum, err := ticket.Total()
			if err != nil {
				t.Fatal(err)
			}
			ticket.Tenders = []retail.Tender{{Type: "cash", Amount: sum}}
			e, ok, err := Post(ticket, "2001-09-09", time.Unix(1e9, 0))
			if err != nil || !ok {
				t.Fatal(ok, err)
			}
			var got []Account
			for _, p := range e.Postings {
				for _, a := range []Account{p.Debit, p.Credit} {
					if r, _ := a.Split(); taxable[r] {
						got = append(got, a)
					}
				}
			}
			if !slices.Equal(got, c.want) {
				t.Errorf("measures %q, want %q", got, c.want)
			}
		})
	}
}

func TestUntoldIsTheTaxWhoseBaseNobodyTells(t *testing.T) {
	sums := map[string]int64{}
	for _, on := range [][]string{nil, {"NY"}} {
		e, ok, err := Post(ticket([]retail.Line{{Kind: retail.Item, Category: "Toys", Amount: usd(1000), Taxes: on}, {Kind: retail.Tax, Code: "NY", Amount: usd(80)},
			{Kind: retail.Tax, Code: "NYC", Amount: usd(45)}, {Kind: retail.Tax, Code: "NYC", Amount: usd(-5)}}, []retail.Tender{{Type: "cash", Amount: usd(1120)}}), "2026-11-20", now)
		if err != nil || !ok {
			t.Fatal(err)
		}
		e.Untold(sums)
	}
	if len(sums) != 2 || sums["NY"] != 80 || sums["NYC"] != 80 {
		t.Errorf("got %v, want NY 80 of the ticket that tells nothing, and NYC 40 of each", sums)
	}
}
