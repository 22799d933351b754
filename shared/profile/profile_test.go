package profile_test

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/tillpost/tillpost/shared/profile"
	"github.com/tillpost/tillpost/shared/retail"
)

func TestEveryShippedProfileIsWhole(t *testing.T) {
	names := profile.Names()
	for _, want := range []string{"completejourney", "supermarket", "online-retail", "heartland-retail-sales-history", "heartland-restaurant-items", "heartland-restaurant-sales-by-day",
		"heartland-restaurant-sales-by-day-control", "heartland-restaurant-top-items", "heartland-restaurant-modifiers", "heartland-restaurant-payments"} {
		p, ok := profile.Shipped(want)
		if !ok || p.Name != want || p.About == "" {
			t.Errorf("%s is not shipped, or does not say what it is; there are %v", want, names)
		}
	}
}

func TestEveryFaultOfAProfileIsToldAtOnce(t *testing.T) {
	_, err := profile.Parse([]byte("name='a b'\nformat='pdf'\ndelimiter='\"'\nencoding='iso-2022-jp'\ncurrency='Dollars'\nzone='Mars'\nskip=-1\ndecimal='0'\ngroup='-'\nrecord='cake'\ncolour='red'\n[[line]]\nkind='item'\n[[tender]]\nref='{A|none}'\n[proof]\ngaps='maybe'\n"))
	if err == nil {
		t.Fatal("it passed")
	}
	for _, want := range []string{"name", "format", "delimiter", "encoding", "currency", "zone", "skip", "decimal", "group", "record", "colour", "line 1", "tender 1", "no table", "proof.gaps"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%q is not told in:\n%v", want, err)
		}
	}
}

func TestWaysToWriteADayAndANumber(t *testing.T) {
	p, err := profile.Parse([]byte("name='x'\nformat='xlsx'\ncurrency='EUR'\nzone='Europe/Berlin'\ndecimal=','\ngroup='.'\ntimes=['2006-01-02']\n[ticket]\nid='{No}'\nat='{Day|@day}'\nlocation='S'\n[[line]]\nkind='item'\namount='{Price}'\n[[tender]]\ntype='cash'\n"))
	if err != nil {
		t.Fatal(err)
	}
	for written, day := range map[string]string{"2026-11-20": "2026-11-20", "11/20/2026 Fri": "2026-11-20", "Nov 20, 2026": "2026-11-20", "November 20, 2026": "2026-11-20", "46346.5": "2026-11-20", "20261120": "2026-11-20",
		"5/7/26": "2026-05-07", "sales_05-07-2026": "2026-05-07", "from 11/20/2026 to 11/21/2026": "", "soon": "", "1234567": ""} {
		rec, err := p.Decode(profile.Rows{Header: []string{"No", "Day", "Price"}, Rows: []profile.Row{{N: 2, Cells: []string{"1", written, "1"}}}})
		if (err == nil) != (day != "") || err == nil && string(retail.DateOf(rec.(retail.Ticket).At.In(berlin(t)))) != day {
			t.Errorf("%q: %+v, %v", written, rec, err)
		}
	}
	for written, cents := range map[string]int64{"1.234,56": 123456, "(12,00)": -1200, "12,00-": -1200, "€ 5": 500, "-0,005": -1, "-€ 1.234,00": -123400, "12,50 €": 1250, "1.23.456,00": 12345600} {
		rec, err := p.Decode(profile.Rows{Header: []string{"No", "Day", "Price"}, Rows: []profile.Row{{N: 2, Cells: []string{"1", "2026-11-20", written}}}})
		if err != nil {
			t.Errorf("%q: %v", written, err)
			continue
		}
		if total, _ := rec.(retail.Ticket).Total(); total.Minor != cents {
			t.Errorf("%q is %s", written, total)
		}
	}
}

// TestNumbersThatBeginAnewEachDay: two days' tickets under one number would be booked as one, on the first one's day.
func TestNumbersThatBeginAnewEachDay(t *testing.T) {
	read := func(scope, day string, at ...string) error {
		p, err := profile.Parse([]byte("name='x'\nformat='csv'\ncurrency='USD'\nzone='America/Chicago'\ntimes=['2006-01-02 15:04']\nscope='" + scope + "'\n[ticket]\nid='{No}'\nat='{At}'\nbusiness_day='" + day + "'\nlocation='S'\n[[line]]\nkind='item'\namount='{Price}'\n[[tender]]\ntype='cash'\n"))
		if err != nil {
			t.Fatal(err)
		}
		r := profile.Rows{File: "a.csv", Header: []string{"No", "At", "Day", "Price"}}
		for i, a := range at {
			day, _, _ := strings.Cut(a, " ")
			r.Rows = append(r.Rows, profile.Row{N: i + 2, Cells: []string{"1", a, day, "5"}})
		}
		_, err = p.Decode(r)
		return err
	}
	for _, c := range []struct {
		day  string
		at   []string
		good bool
	}{
		{"", []string{"2026-11-20 09:00", "2026-11-20 09:00", "2026-11-20 21:00"}, true},
		{"", []string{"2026-11-20 22:00", "2026-11-21 01:00", "", "soon"}, true}, // a bar's tab; a time that is not read alone
		{"", []string{"2026-11-20 09:00", "2026-11-20 09:00", "2026-11-21 09:01"}, false},
		{"", []string{"2026-11-21 09:01", "2026-11-20 09:00"}, false},
		{"{Day}", []string{"2026-11-20 22:00", "2026-11-21 01:00"}, false},
		{"{Day}", []string{"2026-11-20 09:00", "2026-11-20 21:00"}, true},
	} {
		err := read("", c.day, c.at...)
		if c.good && err != nil || !c.good && (err == nil || !strings.Contains(err.Error(), "profile's scope")) {
			t.Errorf("day %q, %v: %v", c.day, c.at, err)
		}
	}
}

// Five of another currency are not five of the profile's.
func TestAnotherCurrencysSignIsNoNumber(t *testing.T) {
	for currency, all := range map[string]map[string]bool{"USD": {"$5.00": true, "€5.00": false, "5.00 £": false, "(€5.00)": false}, "EUR": {"5.00 €": true, "$5.00": false}, "GBP": {"£5.00": true, "$5.00": false}, "MXN": {"$5.00": true}, "EGP": {"£5.00": true}} {
		p := parsed(t, "name='x'\nformat='csv'\ncurrency='"+currency+"'\nzone='UTC'\ntimes=['2006-01-02']\n[ticket]\nid='{No}'\nat='{Day}'\nlocation='S'\n[[line]]\nkind='item'\namount='{Price}'\n[[tender]]\ntype='cash'\n")
		for written, good := range all {
			_, err := p.Decode(profile.Rows{Header: []string{"No", "Day", "Price"}, Rows: []profile.Row{{N: 2, Cells: []string{"1", "2026-11-20", written}}}})
			if (err == nil) != good || err != nil && !strings.Contains(err.Error(), "is not in "+currency) {
				t.Errorf("%s of %s: %v", written, currency, err)
			}
		}
	}
}

// A till that was switched to another country writes 12.50 where its profile says 12,50. Read as thousands it would be a hundred times as much: it is
// a case, like whatever else is not surely one number.
func TestNoNumberIsGuessed(t *testing.T) {
	for signs, all := range map[string][]string{
		"group=','":              {"12,50", "1,2,3", "1,000,00", ",500", "1,,000", "1,2345", "(-12.00)", "-12.00-", "(12.00-)", "-(12.00)", "0,050", "00,500.00", "--5", "-+5", "12.50,000", "1e2", "0x10", "$", "()", "-", "NaN"},
		"decimal=','\ngroup='.'": {"12.50", "1.2", "1.234.5", "1,234.50", "0.050", "-0.500"},
		"decimal=','":            {"12.50", "1.234,50"},
		"":                       {"1,234.50", "12,50", "1 234"},
	} {
		p, err := profile.Parse([]byte("name='x'\nformat='csv'\ncurrency='USD'\nzone='UTC'\n" + signs + "\ntimes=['2006-01-02']\n[ticket]\nid='{No}'\nat='{Day}'\nlocation='S'\n[[line]]\nkind='item'\namount='{Price}'\n[[tender]]\ntype='cash'\n"))
		if err != nil {
			t.Fatal(err)
		}
		for _, written := range all {
			rec, err := p.Decode(profile.Rows{Header: []string{"No", "Day", "Price"}, Rows: []profile.Row{{N: 2, Cells: []string{"1", "2026-11-20", written}}}})
			if err == nil {
				total, _ := rec.(retail.Ticket).Total()
				t.Errorf("with %q, %q is taken for %s", signs, written, total)
			} else if !strings.Contains(err.Error(), "is not a number") {
				t.Errorf("with %q, %q: %v", signs, written, err)
			}
		}
	}
}

func berlin(t *testing.T) *time.Location {
	t.Helper()
	l, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// Whatever a profile's text is, Parse answers without a panic, and what it accepts reads rows without one.
func FuzzParse(f *testing.F) {
	for _, n := range profile.Names() {
		p, _ := profile.Shipped(n)
		f.Add(p.TOML())
	}
	f.Add([]byte("name='x'\nformat='csv'\n[ticket]\nid='{a'"))
	f.Fuzz(func(t *testing.T, text []byte) {
		p, err := profile.Parse(text)
		if err != nil {
			return
		}
		cells := []string{"1", "2026-11-20", "", "x", "46346.5", "-1"}
		_, _ = p.Decode(profile.Rows{Header: append(p.Columns(), "x"), Top: []string{"2026-11-20"}, Location: "S1", Rows: []profile.Row{{N: 2, Cells: cells}, {N: 3}}})
		p.Codes()
	})
}

// Whatever rows come, a shipped profile answers without a panic, and a ticket that it makes balances.
func FuzzRows(f *testing.F) {
	f.Add("supermarket", []byte(`{"header":["Invoice ID","Branch","Product line","Quantity","Tax 5%","Date","Time","Payment","cogs"],"rows":[{"n":2,"cells":["1","A","Toys","1","0.10","1/5/2026","13:08","Cash","2.00"]}]}`))
	f.Add("heartland-restaurant-payments", []byte(`{"top":["11/20/2026"],"header":["PAYMENT SUMMARY REPORT"],"location":"S1","rows":[{"n":4,"cells":["Cash","1","","","2.005"]}]}`))
	f.Add("online-retail", []byte(`{"rows":[{"n":-1}],"note":"x"}`))
	f.Fuzz(func(t *testing.T, name string, body []byte) {
		p, ok := profile.Shipped(name)
		var r profile.Rows
		if !ok || json.Unmarshal(body, &r) != nil {
			return
		}
		rec, err := p.Decode(r)
		tk, is := rec.(retail.Ticket)
		if err != nil || !is || tk.Validate(tk.At) != nil || tk.Kind == retail.Void {
			return
		}
		total, err1 := tk.Total()
		paid, err2 := tk.Paid()
		if err1 != nil || err2 != nil || total.Minor != paid.Minor {
			t.Fatalf("lines of %s, tenders of %s (%v %v)", total, paid, err1, err2)
		}
	})
}

func TestALineSaysWhichTaxesAreOnIt(t *testing.T) {
	p, err := profile.Parse([]byte("name='x'\nformat='csv'\ncurrency='USD'\nzone='UTC'\ntimes=['2006-01-02']\n[ticket]\nid='{No}'\nat='{Day}'\nlocation='S'\n[[line]]\nkind='item'\namount='{Price}'\ntaxes='{Taxed|codes}'\n[[tender]]\ntype='cash'\n[table.codes]\nA='NY State, NYC'\nB='NY State'\n'*'='='\n"))
	if err != nil {
		t.Fatal(err)
	}
	for cell, want := range map[string][]string{"A": {"NY State", "NYC"}, "B": {"NY State"}, "": nil, "NYC,": {"NYC"}, " , ": nil} {
		rec, err := p.Decode(profile.Rows{Header: []string{"No", "Day", "Price", "Taxed"}, Rows: []profile.Row{{N: 2, Cells: []string{"1", "2026-11-20", "10.00", cell}}}})
		if err != nil {
			t.Fatalf("%q: %v", cell, err)
		}
		if got := rec.(retail.Ticket).Lines[0].Taxes; !slices.Equal(got, want) {
			t.Errorf("%q: the taxes are %q, want %q", cell, got, want)
		}
	}
}

func TestTheCostOfGoodsHasTheLinesSign(t *testing.T) {
	p, err := profile.Parse([]byte("name='x'\nformat='csv'\ncurrency='USD'\nzone='UTC'\ntimes=['2006-01-02']\n[ticket]\nid='{No}'\nat='{Day}'\nlocation='S'\n[[line]]\nkind='item'\nquantity='{Qty}'\namount='{Price}'\ncost='{Qty} * {Unit Cost}'\n[[tender]]\ntype='cash'\n"))
	if err != nil {
		t.Fatal(err)
	}
	head := []string{"No", "Day", "Qty", "Price", "Unit Cost"}
	for _, c := range []struct {
		qty, price, unit, want string
		known                  bool
	}{{"2", "10.00", "3.255", "6.51", true}, {"1", "-10.00", "3.00", "-3.00", true}, {"-1", "-10.00", "3.00", "-3.00", true}, {"1", "10.00", "", "0.00", false},
		{"1", "10.00", "three", "", false}, {"1", "10.00", "99999999999", "", false}} {
		rec, err := p.Decode(profile.Rows{Header: head, Rows: []profile.Row{{N: 2, Cells: []string{"1", "2026-11-20", c.qty, c.price, c.unit}}}})
		if err != nil {
			t.Fatalf("%+v: %v", c, err)
		}
		got := rec.(retail.Ticket).Lines[0].Cost
		if (got.Currency != "") != c.known || c.known && got.Decimal() != c.want {
			t.Errorf("%+v: the cost is %+v", c, got)
		}
	}
}

// TestRememberedTicketsAreWhatTheyAreAlone makes tickets one after another in the same room, in every mixture of lines of nothing, left out
// lines, parts of cents and errors, and each is what it is when it is made alone.
func TestRememberedTicketsAreWhatTheyAreAlone(t *testing.T) {
	p, err := profile.Parse([]byte(`
name='mixed'
format='csv'
system='mixed'
currency='USD'
times=['2006-01-02']
[table.kind]
'x'='-'
'*'='item'
[ticket]
id='{No}'
location='S1'
at='{When}'
[[line]]
kind='{What|kind}'
code='{What}'
category='{What}'
quantity='{Qty}'
amount='{Qty} * {Price}'
cost='{Price}'
[[line]]
kind='tax'
code='all'
amount='{Tax}'
[[tender]]
type='cash'
amount='{Paid}'
[[tender]]
type='card'
`))
	if err != nil {
		t.Fatal(err)
	}
	header := []string{"No", "When", "What", "Qty", "Price", "Tax", "Paid"}
	r := rand.New(rand.NewPCG(1, 2))
	pick := func(of ...string) string { return of[r.IntN(len(of))] }
	head, made := p.Head(profile.Rows{Header: header}), map[bool]int{}
	head.Remember()
	for i := range 2000 {
		rows := profile.Rows{Profile: p.Name, File: "f", Header: header}
		for k := range 1 + r.IntN(5) {
			rows.Rows = append(rows.Rows, profile.Row{N: k, Cells: []string{strconv.Itoa(i), "2026-11-20", pick("a", "b", "x"), pick("1", "1.0", "2", "-1", "0.333"), pick("0.99", "10", "0", "3.335", "18446744073709551617", "?", ""),
				pick("", "0", "0.07", "0.333"), pick("", "", "1", "0.5", "0.001")}})
		}
		alone, err1 := p.Decode(rows)
		want := fmt.Sprintf("%+v %v", alone, err1)
		together, err2 := p.Under(head, rows)
		if got := fmt.Sprintf("%+v %v", together, err2); got != want {
			t.Fatalf("ticket %d\nalone    %s\ntogether %s", i, want, got)
		}
		made[err1 == nil]++
	}
	if made[true] < 200 || made[false] < 200 {
		t.Errorf("made and refused: %v; too few of one to show anything", made)
	}
}
