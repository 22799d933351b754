package hretail

import (
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/tillpost/tillpost/shared/envelope"
	"github.com/tillpost/tillpost/shared/retail"
)

var update = flag.Bool("update", false, "write the golden files anew")

// kindOf takes "ticket-cash-change.json" to its kind.
func kindOf(file string) envelope.Kind {
	word, _, _ := strings.Cut(filepath.Base(file), "-")
	return envelope.Kind("heartland." + word + ".v1")
}

var now = time.Date(2026, 11, 25, 0, 0, 0, 0, time.UTC)

// told is what a decoded record says, with whether the ledger would take it.
func told(rec retail.Record, err error) string {
	if err != nil {
		return "refused: " + err.Error() + "\n"
	}
	t, ok := rec.(retail.Ticket)
	if !ok {
		b, _ := json.MarshalIndent(rec, "", " ")
		return string(b) + "\n"
	}
	b, err := retail.EncodeTicket(t)
	if err != nil {
		return "not written: " + err.Error() + "\n"
	}
	var pretty map[string]any
	d := json.NewDecoder(strings.NewReader(string(b)))
	d.UseNumber()
	_ = d.Decode(&pretty)
	b, _ = json.MarshalIndent(pretty, "", " ")
	text := "key: " + t.Key.String() + "\n" + string(b) + "\n"
	if err := t.Validate(now); err != nil {
		text += "not booked: " + err.Error() + "\n"
	}
	return text
}

func TestGolden(t *testing.T) {
	files, err := filepath.Glob("testdata/*.json")
	if err != nil || len(files) < 25 {
		t.Fatalf("%d samples: %v", len(files), err)
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			body, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			got := told(Decode(kindOf(file), body))
			golden := strings.TrimSuffix(file, ".json") + ".golden"
			if *update {
				if err := os.WriteFile(golden, []byte(got), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil || got != string(want) {
				t.Errorf("got %s\nwant %s (%v)", got, want, err)
			}
		})
	}
}

// The casing of a record is no part of what it says.
func TestBothCasingsAreOneTicket(t *testing.T) {
	var texts []string
	for _, name := range []string{"ticket-cash-change", "ticket-camel", "ticket-both-casings", "ticket-strings", "ticket-lines-apart"} {
		body, err := os.ReadFile("testdata/" + name + ".json")
		if err != nil {
			t.Fatal(err)
		}
		texts = append(texts, told(Decode(Ticket, body)))
	}
	for i, text := range texts[1:] {
		if text != texts[0] {
			t.Errorf("variant %d says\n%s, want\n%s", i+1, text, texts[0])
		}
	}
}

// A ticket, an invoice and a deposit of one number are three things.
func TestNumbersMayCollide(t *testing.T) {
	keys := map[string]string{}
	for _, name := range []string{"ticket-cash-change", "invoice-with-deposit", "deposit-taken"} {
		body, err := os.ReadFile("testdata/" + name + ".json")
		if err != nil {
			t.Fatal(err)
		}
		rec, err := Decode(kindOf(name), body)
		if err != nil {
			t.Fatal(err)
		}
		k := rec.(retail.Ticket).Key.String()
		if keys[k] != "" {
			t.Errorf("%s and %s share %s", name, keys[k], k)
		}
		keys[k] = name
	}
}

func TestAFrameKeepsTheRecordsBytes(t *testing.T) {
	raw := json.RawMessage(`{"id": 1,  "total":1.10, "note":"<b>\u00e9"}`)
	b, err := Frame{Tenant: "acme", Record: raw}.Encode()
	if err != nil || !strings.HasSuffix(string(b), `"record":`+string(raw)+"}") {
		t.Errorf("got %s (%v)", b, err)
	}
	var f Frame
	if err := json.Unmarshal(b, &f); err != nil || string(f.Record) != string(raw) {
		t.Errorf("read back %s (%v)", f.Record, err)
	}
	if _, err := (Frame{Tenant: "acme", Record: json.RawMessage("{")}).Encode(); err == nil {
		t.Error("broken JSON was framed")
	}
}

// Whatever the API answers, Decode gives a record or an error; the same body gives the same record; what Validate takes balances.
func FuzzDecode(f *testing.F) {
	files, _ := filepath.Glob("testdata/*.json")
	for _, file := range files {
		if body, err := os.ReadFile(file); err == nil {
			f.Add(string(kindOf(file)), body)
		}
	}
	f.Add("heartland.ticket.v1", []byte(`{"tenant":"a","record":{"id":1e400,"lines":[{"type":"ItemLine","value":1e99}]}}`))
	f.Fuzz(func(t *testing.T, kind string, body []byte) {
		rec, err := Decode(envelope.Kind(kind), body)
		again, err2 := Decode(envelope.Kind(kind), body)
		if told(rec, err) != told(again, err2) {
			t.Fatalf("it says two things:\n%s\n%s", told(rec, err), told(again, err2))
		}
		x, ok := rec.(retail.Ticket)
		if err != nil || !ok || x.Validate(now) != nil || x.Kind == retail.Void {
			return
		}
		total, err1 := x.Total()
		paid, err2 := x.Paid()
		if err1 != nil || err2 != nil || total.Minor != paid.Minor {
			t.Fatalf("accepted with lines of %s and tenders of %s", total, paid)
		}
		if x.Key.System != System || x.Key.ID == "" {
			t.Fatalf("key %+v", x.Key)
		}
	})
}
