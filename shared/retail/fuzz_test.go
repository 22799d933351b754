package retail

import (
	"bytes"
	"encoding/json"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tillpost/tillpost/shared/money"
)

// Whatever a till pushes, DecodeTicket answers without a panic; what it takes is written and read again as the same ticket, to the byte,
// and whatever Validate accepts balances in one currency.
func FuzzDecodeTicket(f *testing.F) {
	for _, s := range []string{
		`{"id":"1","location":"S1","till":"T1","at":"2026-11-20T18:00:00Z","currency":"USD","lines":[{"kind":"item","category":"Toys","amount":12.30,"quantity":"1.5"}],"tenders":[{"type":"cash","amount":"12.30"}]}`,
		`{"id":"2","location":"S1","at":"2026-11-20T18:00:00.123456789-05:00","currency":"JPY","kind":"void","lines":[{"kind":"tax","code":"x","amount":-3}]}`,
		`{"id":"3","at":"2026-11-20T18:00:00Z","currency":"USD","lines":[{"kind":"item","amount":1e3}]}`,
		`{"id":"4","at":"2026-11-20T18:00:00Z","currency":"KWD","tenders":[{"type":"x","amount":9223372036854775807}]}`,
		`{"id":"7","location":"S1","at":"2026-11-20T18:00:00Z","currency":"USD","lines":[{"kind":"item","amount":1,"taxes":["NY State","NYC"]},{"kind":"item","amount":1,"taxes":[]},{"kind":"item","amount":1,"taxes":true}]}`,
		`{"id":5}`, `[]`, `null`, `{"at":"0000-00-00"}`, "\xff", `{"id":"6","at":"2026-11-20T18:00:00Z","extra":{"a":[1,2,{"b":null}]}} {}`,
	} {
		f.Add([]byte(s))
	}
	now := time.Date(2026, 11, 22, 0, 0, 0, 0, time.UTC)
	f.Fuzz(func(t *testing.T, body []byte) {
		if w, ok := quick(body); ok {
			var slow ticketJSON
			if err := strictJSON(body, &slow); err != nil || !reflect.DeepEqual(w, slow) {
				t.Fatalf("%s is read as %+v, encoding/json says %+v (%v)", body, w, slow, err)
			}
		}
		x, err := DecodeTicket(body)
		if err != nil {
			return
		}
		once, err := EncodeTicket(x)
		if err != nil {
			t.Fatal(err)
		}
		if plain, err := json.Marshal(wire(x)); err != nil || !bytes.Equal(once, plain) {
			t.Fatalf("%s is written, encoding/json writes %s (%v)", once, plain, err)
		}
		y, err := DecodeTicket(once)
		if err != nil {
			t.Fatalf("%s is written as %s, which cannot be read: %v", body, once, err)
		}
		if twice, err := EncodeTicket(y); err != nil || !bytes.Equal(once, twice) {
			t.Fatalf("%s and then %s (%v)", once, twice, err)
		}
		if x.Validate(now) != nil || x.Kind == Void {
			return
		}
		total, err1 := x.Total()
		paid, err2 := x.Paid()
		if err1 != nil || err2 != nil || total.Minor != paid.Minor {
			t.Fatalf("accepted with lines of %s and tenders of %s (%v %v)", total, paid, err1, err2)
		}
	})
}

// wire is t as encoding/json would write it.
func wire(t Ticket) ticketJSON {
	w := ticketJSON{Tenant: t.Key.Tenant, System: t.Key.System, Scope: t.Key.Scope, ID: t.Key.ID, Number: t.Number, Sequence: t.Sequence,
		Location: string(t.Location), Till: string(t.Till), Cashier: t.Cashier, Day: string(t.Day), At: t.At.UTC().Format(time.RFC3339Nano),
		Kind: string(t.Kind), Currency: string(t.Currency), Parent: t.Parent, Customer: t.Customer, Revision: t.Revision, Rank: t.Rank}
	other := func(c money.Currency) string {
		if c == t.Currency {
			return ""
		}
		return string(c)
	}
	for _, l := range t.Lines {
		j := lineJSON{Kind: string(l.Kind), Code: l.Code, Category: l.Category, Description: l.Description,
			Amount: json.Number(l.Amount.Decimal()), Currency: other(l.Amount.Currency), Reason: l.Reason, Taxes: l.Taxes}
		if l.Cost.Currency != "" {
			j.Cost = loose(l.Cost.Decimal())
		}
		if !l.Quantity.IsZero() {
			j.Quantity = json.Number(l.Quantity.String())
		}
		w.Lines = append(w.Lines, j)
	}
	for _, p := range t.Tenders {
		w.Tenders = append(w.Tenders, tenderJSON{p.Type, p.Brand, json.Number(p.Amount.Decimal()), other(p.Amount.Currency), p.Ref, p.Last4, p.Auth})
	}
	return w
}

// What a till writes every day takes the quick way; what is out of the ordinary does not, and is read all the same.
func TestQuick(t *testing.T) {
	for body, want := range map[string]bool{
		`{"id":"1","sequence":7,"location":"S1","at":"2026-11-20T18:00:00Z","currency":"USD","lines":[{"kind":"item","quantity":"2","amount":-12.30}],"tenders":[{"type":"cash","amount":"-12.30"}]}`: true,
		` { "id" : "Ünï" , "lines" : [ ] } `: true,
		`{"id":"a\u0062"}`:                   false,
		`{"ID":"1"}`:                         false,
		`{"id":"1","id":"2"}`:                false,
		`{"id":null}`:                        false,
		`{"sequence":1e3}`:                   false,
		`{"sequence":01}`:                    false,
		`{"lines":[{"amount":" 1"}]}`:        false,
		`{"extra":{}}`:                       false,
		`{"id":"1"} {}`:                      false,
		`{"id":"1"`:                          false,
		"{\"id\":\"\xff\"}":                  false,
	} {
		if _, ok := quick([]byte(body)); ok != want {
			t.Errorf("%s: quick %v, want %v", body, ok, want)
		}
	}
}

// Keys never share a text, however their parts are cut.
func FuzzKey(f *testing.F) {
	f.Add("a", "b|", "c", "|b", "c%")
	f.Fuzz(func(t *testing.T, tenant, scope, id, scope2, id2 string) {
		k1, k2 := Key{tenant, "s", "ticket", scope, id}, Key{tenant, "s", "ticket", scope2, id2}
		if (k1 == k2) != (k1.String() == k2.String()) {
			t.Fatalf("%+v and %+v: %q %q", k1, k2, k1.String(), k2.String())
		}
	})
}

// What a till says of taxes in another way, or beyond any line, says nothing, and its sale is booked all the same.
func TestTaxesOfALine(t *testing.T) {
	many := "[" + strings.TrimSuffix(strings.Repeat(`"NY",`, MaxTaxes+1), ",") + "]"
	for said, want := range map[string][]string{`["NY","NYC"]`: {"NY", "NYC"}, `[]`: nil, `null`: nil, `true`: nil, `"NY"`: nil, `[1]`: nil, `{"NY":4}`: nil, many: nil, `["` + strings.Repeat("x", maxIDLength+1) + `"]`: nil} {
		tk, err := DecodeTicket([]byte(`{"id":"1","location":"S1","at":"2026-11-20T18:00:00Z","currency":"USD","lines":[{"kind":"item","amount":"1.00","taxes":` + said + `}],"tenders":[{"type":"cash","amount":"1.00"}]}`))
		if err != nil {
			t.Errorf("%s: %v", said, err)
			continue
		}
		if got := tk.Lines[0].Taxes; !slices.Equal(got, want) {
			t.Errorf("%s is read as %q, want %q", said, got, want)
		}
		body, err := EncodeTicket(tk)
		if again, derr := DecodeTicket(body); err != nil || derr != nil || !slices.Equal(again.Lines[0].Taxes, want) || strings.Contains(string(body), "taxes") != (want != nil) {
			t.Errorf("%s is written as %s", said, body)
		}
	}
}
