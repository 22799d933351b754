package gpapi

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/tillpost/tillpost/shared/fault"
	"github.com/tillpost/tillpost/shared/retail"
)

var update = flag.Bool("update", false, "write the golden files anew")

var asked = time.Date(2026, 11, 23, 8, 0, 0, 0, time.UTC)

// reading is what a golden file holds of a row.
type reading struct {
	Kept  json.RawMessage `json:"kept"`
	Means retail.Record   `json:"means,omitempty"`
	Error string          `json:"error,omitempty"`
}

func TestGolden(t *testing.T) {
	for _, w := range []What{Deposits, Transactions, Disputes, Fees} {
		body, err := os.ReadFile("testdata/" + string(w) + ".json")
		if err != nil {
			t.Fatal(err)
		}
		p, err := ParsePage(w, body)
		if err != nil {
			t.Fatal(err)
		}
		var out []reading
		for _, row := range p.Rows {
			b, err := Record{What: w, Location: "S-17", Asked: asked, Row: row}.Encode()
			if err != nil {
				t.Fatal(err)
			}
			r := reading{Kept: b}
			if r.Means, err = Decode(b); err != nil {
				r.Means, r.Error = nil, err.Error()
				if !fault.Is(err, fault.Invalid) {
					t.Errorf("%s: code %s", w, fault.CodeOf(err))
				}
			}
			out = append(out, r)
		}
		got, err := json.MarshalIndent(out, "", "  ")
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, '\n')
		file := "testdata/" + string(w) + ".golden.json"
		if *update {
			if err := os.WriteFile(file, got, 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(got, want) {
			t.Errorf("%s: got\n%s", w, got)
		}
		if strings.Contains(string(got), "Example") || strings.Contains(string(got), "merchant_name") {
			t.Errorf("%s keeps a name", w)
		}
	}
}

func TestACardNumberIsNotKept(t *testing.T) {
	b, err := Record{What: Disputes, Row: json.RawMessage(`{"id":"DIS_1","payment_method":{"card":{"number":"4111111111111111"}}}`)}.Encode()
	if err != nil || strings.Contains(string(b), "4111") {
		t.Errorf("got %s, %v", b, err)
	}
}

func TestHostileAnswers(t *testing.T) {
	for name, body := range map[string]string{"nothing": "", "a page": "<html>", "another": `{"disputes":[]}`, "no list": `{"deposits":{}}`, "two": `{"deposits":[]}{}`,
		"bad count": `{"deposits":[],"total_record_count":"many"}`, "deep": `{"deposits":` + strings.Repeat("[", 20_000)} {
		if _, err := ParsePage(Deposits, []byte(body)); !fault.Is(err, fault.Invalid) {
			t.Errorf("%s: got %v", name, err)
		}
	}
}

func FuzzDecode(f *testing.F) {
	for _, w := range []What{Deposits, Transactions, Disputes, Fees} {
		body, err := os.ReadFile("testdata/" + string(w) + ".json")
		if err != nil {
			f.Fatal(err)
		}
		p, err := ParsePage(w, body)
		if err != nil {
			f.Fatal(err)
		}
		for _, r := range p.Rows {
			f.Add(string(w), []byte(r))
		}
	}
	f.Fuzz(func(t *testing.T, w string, row []byte) {
		b, err := Record{What: What(w), Row: row, Asked: asked}.Encode()
		if err != nil {
			return
		}
		rec, err := Decode(b)
		if err != nil && !fault.Is(err, fault.Invalid) {
			t.Fatalf("code %s: %v", fault.CodeOf(err), err)
		}
		if err == nil && rec == nil {
			t.Fatal("it means nothing and is no fault")
		}
	})
}
