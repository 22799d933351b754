package decode

import (
	"bytes"
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"github.com/tillpost/tillpost/shared/envelope"
	"github.com/tillpost/tillpost/shared/fault"
	"github.com/tillpost/tillpost/shared/retail"
)

// samples hold one body of each kind that means a record.
var samples = map[envelope.Kind]string{
	Ticket:   `{"id":"1","location":"S1","at":"2026-11-20T18:00:00Z","currency":"USD","lines":[{"kind":"item","amount":1.00}],"tenders":[{"type":"cash","amount":1.00}]}`,
	Rows:     `{"profile":"supermarket","rows":[]}`,
	Drawer:   `{"key":{"system":"tillpost","record":"drawer","id":"d1"},"location":"S1","at":"2026-11-20T18:00:00Z","kind":"drawer_count","currency":"USD","amount":"200.00 USD","counted":"199.50 USD"}`,
	Terminal: `{"location":"S1","till":"T1","kind":"card","model":"PAX A920","status":"ok","clock":-2000000000}`,
	Location: `{"code":"S1","name":"One","zone":"America/Chicago","cutoff":"04:00","currency":"USD"}`,
	Payment:  `{"key":{"system":"portico","record":"payment","id":"p1"},"location":"S1","at":"2026-11-20T18:00:00Z","state":"closed","amount":"12.30 USD","brand":"visa","last4":"1111"}`,
	Batch:    `{"key":{"system":"portico","record":"batch","id":"b1"},"merchant":"m1","number":"7","count":2,"total":"24.60 USD","by_brand":{"visa":"24.60 USD"}}`,
	ReadTo:   `{"source":"till","location":"S1","through":"2026-11-21T10:00:00Z"}`,
	Control:  `{"source":"till","location":"S1","day":"2026-11-20","tickets":1,"gross":"1.00 USD"}`,
}

func TestEachKindIsItsRecord(t *testing.T) {
	want := map[envelope.Kind]string{Ticket: "retail.Ticket", Drawer: "retail.Drawer", Terminal: "retail.Terminal", Location: "retail.Location", Payment: "retail.Payment",
		Batch: "retail.Batch", ReadTo: "retail.ReadTo", Control: "retail.Control"}
	for kind, name := range want {
		r, err := Decoder{}.Decode(kind, "application/json", []byte(samples[kind]))
		if err != nil || fmt.Sprintf("%T", r) != name {
			t.Errorf("%s: got %T %v, want %s", kind, r, err, name)
		}
	}
	r, _ := Decoder{}.Decode(Drawer, "", []byte(samples[Drawer]))
	if d := r.(retail.Drawer); d.Kind != retail.DrawerCount || d.Amount.Minor != 20000 || d.Counted.Minor != 19950 || d.Validate(time.Date(2026, 11, 22, 0, 0, 0, 0, time.UTC)) != nil {
		t.Errorf("the drawer's count reads as %+v", d)
	}
}

// Notes carry no record; what nobody knows and what stayed in the store is refused in words, so that a case lists it.
func TestWhatIsNoRecord(t *testing.T) {
	for _, kind := range []envelope.Kind{Profile, Health, Desired, Command, Release, EpochEnd} {
		if r, err := (Decoder{}).Decode(kind, "", []byte("x")); r != nil || err != nil {
			t.Errorf("%s: got %v %v", kind, r, err)
		}
	}
	for kind, body := range map[envelope.Kind]string{"ticket.v9": "{}", Stub: "17 MB", Ticket: "[", Drawer: `{"amount":12.5}`, Rows: `{"profile":"nobody's"}`, Payment: `{"amount":"12.345 USD"}`} {
		if r, err := (Decoder{}).Decode(kind, "", []byte(body)); !fault.Is(err, fault.Invalid) {
			t.Errorf("%s: got %v %v, want code invalid", kind, r, err)
		}
	}
}

// Whatever arrives under whatever kind, Decode answers; a record that travels as its own JSON is written and read again as the same.
func FuzzDecode(f *testing.F) {
	for kind, body := range samples {
		f.Add(string(kind), []byte(body))
	}
	f.Add("drawer.v1", []byte(`{"amount":"1e9 USD"}`))
	f.Add("batch.v1", []byte(`{"by_brand":{"":"-0.00 KWD"}}`))
	f.Fuzz(func(t *testing.T, kind string, body []byte) {
		r, err := Decoder{}.Decode(envelope.Kind(kind), "application/json", body)
		if err != nil {
			if !fault.Is(err, fault.Invalid) {
				t.Fatalf("%s %q: %v, want code invalid", kind, body, err)
			}
			return
		}
		if r == nil || kind == string(Ticket) || kind == string(Rows) {
			return
		}
		once, err := json.Marshal(r)
		if err != nil {
			return // a year beyond 9999 cannot be written
		}
		again, err := Decoder{}.Decode(envelope.Kind(kind), "application/json", once)
		if err != nil {
			t.Fatalf("%s is written as %s, which cannot be read: %v", body, once, err)
		}
		if twice, err := json.Marshal(again); err != nil || !bytes.Equal(once, twice) {
			t.Fatalf("%s and then %s (%v)", once, twice, err)
		}
	})
}
