package retail

import (
	"bytes"
	"testing"
	"time"
)

// Whatever a till pushes, DecodeTicket answers without a panic; what it takes is written and read again as the same ticket, to the byte,
// and whatever Validate accepts balances in one currency.
func FuzzDecodeTicket(f *testing.F) {
	for _, s := range []string{
		`{"id":"1","location":"S1","till":"T1","at":"2026-11-20T18:00:00Z","currency":"USD","lines":[{"kind":"item","category":"Toys","amount":12.30,"quantity":"1.5"}],"tenders":[{"type":"cash","amount":"12.30"}]}`,
		`{"id":"2","location":"S1","at":"2026-11-20T18:00:00.123456789-05:00","currency":"JPY","kind":"void","lines":[{"kind":"tax","code":"x","amount":-3}]}`,
		`{"id":"3","at":"2026-11-20T18:00:00Z","currency":"USD","lines":[{"kind":"item","amount":1e3}]}`,
		`{"id":"4","at":"2026-11-20T18:00:00Z","currency":"KWD","tenders":[{"type":"x","amount":9223372036854775807}]}`,
		`{"id":5}`, `[]`, `null`, `{"at":"0000-00-00"}`, "\xff", `{"id":"6","at":"2026-11-20T18:00:00Z","extra":{"a":[1,2,{"b":null}]}} {}`,
	} {
		f.Add([]byte(s))
	}
	now := time.Date(2026, 11, 22, 0, 0, 0, 0, time.UTC)
	f.Fuzz(func(t *testing.T, body []byte) {
		x, err := DecodeTicket(body)
		if err != nil {
			return
		}
		once, err := EncodeTicket(x)
		if err != nil {
			t.Fatal(err)
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
