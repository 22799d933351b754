package portico

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/tillpost/tillpost/shared/fault"
	"github.com/tillpost/tillpost/shared/money"
	"github.com/tillpost/tillpost/shared/retail"
)

var update = flag.Bool("update", false, "write the golden files anew")

var asked = time.Date(2026, 11, 21, 8, 0, 0, 0, time.UTC)

// reading is what a golden file holds of a row.
type reading struct {
	Kept    string        `json:"kept"`
	Payment retail.Record `json:"means,omitempty"`
	Error   string        `json:"error,omitempty"`
}

func TestGolden(t *testing.T) {
	files, err := filepath.Glob("testdata/*.xml")
	if err != nil || len(files) < 8 {
		t.Fatalf("%d files, %v", len(files), err)
	}
	for _, f := range files {
		t.Run(filepath.Base(f), func(t *testing.T) {
			body, err := os.ReadFile(f)
			if err != nil {
				t.Fatal(err)
			}
			a, err := ParseAnswer(body)
			if err != nil {
				t.Fatal(err)
			}
			out := struct {
				Code    int
				Outcome Outcome
				Site    string
				Report  string
				Rows    []reading
			}{a.Code, a.Outcome, a.Site, a.Report.Name, nil}
			rows := a.Report.Rows
			if a.Report.Name == BatchSummary {
				rows = rows[:1]
			}
			for _, r := range rows {
				out.Rows = append(out.Rows, read(t, a.Report, r))
			}
			got, err := json.MarshalIndent(out, "", "  ")
			if err != nil {
				t.Fatal(err)
			}
			golden(t, strings.TrimSuffix(f, ".xml")+".golden.json", unescape(append(got, '\n')))
		})
	}
}

func read(t *testing.T, rep Report, r Row) (out reading) {
	t.Helper()
	out.Kept = string(rep.Cut(r))
	body, err := Record{Location: "S-17", Currency: "USD", Site: "137907", Asked: asked, Reports: []string{out.Kept}}.Encode()
	if err != nil {
		t.Fatal(err)
	}
	if out.Payment, err = Decode(body); err != nil {
		out.Error = err.Error()
		if fault.CodeOf(err) != fault.Invalid {
			t.Errorf("code %s", fault.CodeOf(err))
		}
	}
	return out
}

// unescape keeps the golden files readable.
func unescape(b []byte) []byte {
	return []byte(strings.NewReplacer(`\u003c`, "<", `\u003e`, ">").Replace(string(b)))
}

func golden(t *testing.T, file string, got []byte) {
	t.Helper()
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
		t.Errorf("%s: got\n%s", file, got)
	}
}

// TestTheTableIsWhole holds the outcomes against the guide's list: none may be forgotten.
func TestTheTableIsWhole(t *testing.T) {
	listed := []int{-21, -2, -1, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 30, 31, 32, 33, 34, 50}
	for _, c := range listed {
		if _, ok := codes[c]; !ok {
			t.Errorf("code %d has no outcome", c)
		}
	}
	if len(codes) != len(listed) {
		t.Errorf("%d codes, the guide lists %d", len(codes), len(listed))
	}
	for c, want := range map[int]Outcome{0: Done, 10: Empty, 5: Empty, 20: Narrow, 30: Retry, 15: Retry, -2: Refused, -21: Refused, 3: Missing, 7: Wrong, 99: Wrong} {
		if got := Means(c); got != want {
			t.Errorf("code %d: got %s, want %s", c, got, want)
		}
		if Text(c) == "" {
			t.Errorf("code %d has no text", c)
		}
	}
}

func TestNothingPersonalIsKept(t *testing.T) {
	for _, f := range []string{"find", "detail", "batch-detail", "activity"} {
		body, err := os.ReadFile("testdata/" + f + ".xml")
		if err != nil {
			t.Fatal(err)
		}
		a, err := ParseAnswer(body)
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range a.Report.Rows {
			for _, name := range []string{"Ann", "Example", "pos-user", "pmk", "EMVTagData", "CustomerID", "Description"} {
				if strings.Contains(string(a.Report.Cut(r)), name) {
					t.Errorf("%s keeps %s", f, name)
				}
			}
		}
	}
}

func TestHostileAnswers(t *testing.T) {
	bomb := `<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]><soap:Envelope xmlns:soap="s"><Body>&b;</Body></soap:Envelope>`
	for name, body := range map[string]string{
		"bomb": bomb, "outside entity": `<!DOCTYPE x SYSTEM "file:///etc/passwd"><x/>`, "undeclared entity": `<x>&lol;</x>`,
		"deep": strings.Repeat("<a>", 100_000), "deep and whole": strings.Repeat("<a>", 50) + strings.Repeat("</a>", 50), "wide": "<a>" + strings.Repeat("<b/>", 700_000) + "</a>",
		"long value": "<a>" + strings.Repeat("x", 1<<20) + "</a>", "a sign-in page": "<html><body>please sign in</body></html>", "nothing": "", "text": "Service Unavailable",
		"two": "<a/><b/>", "instruction": `<?php x?><a/>`, "fault": `<Envelope><Body><Fault><faultstring>Server was unable</faultstring></Fault></Body></Envelope>`,
		"other charset": `<?xml version="1.0" encoding="utf-16"?><a/>`, "mixed": "<a>x<b/></a>", "cut off": `<Envelope><Body><PosResponse>`,
		"no code":            `<Envelope><Body><PosResponse><Ver1.0><Header/></Ver1.0></PosResponse></Body></Envelope>`,
		"success of nothing": `<Envelope><Body><PosResponse><Ver1.0><Header><GatewayRspCode>0</GatewayRspCode></Header></Ver1.0></PosResponse></Body></Envelope>`,
		"another result":     `<Envelope><Body><PosResponse><Ver1.0><Header><GatewayRspCode>0</GatewayRspCode></Header><Transaction><CreditSale/></Transaction></Ver1.0></PosResponse></Body></Envelope>`,
	} {
		if _, err := ParseAnswer([]byte(body)); fault.CodeOf(err) != fault.Invalid {
			t.Errorf("%s: got %v, want code invalid", name, err)
		}
	}
	if _, err := ParseAnswer(make([]byte, MaxAnswer+1)); !errors.Is(err, ErrTooLarge) {
		t.Errorf("got %v, want ErrTooLarge", err)
	}
}

// TestVersionsAreOrdered: what is final stands over what is not, whichever came first; among equals the later word stands.
func TestVersionsAreOrdered(t *testing.T) {
	at := func(status string, minute int) int64 {
		text := fmt.Sprintf(`<FindTransactions><Transactions><GatewayTxnId>7</GatewayTxnId><ServiceName>CreditSale</ServiceName><TxnStatus>%s</TxnStatus><Amt>1</Amt></Transactions></FindTransactions>`, status)
		rec, err := Record{Currency: "USD", Asked: asked.Add(time.Duration(minute) * time.Minute), Reports: []string{text}}.Mean()
		if err != nil {
			t.Fatal(err)
		}
		return rec.(retail.Payment).Revision
	}
	if at("A", 0) >= at("A", 1) || at("A", 600) >= at("C", 0) || at("C", 0) >= at("V", 1) || at("I", 100) >= at("V", 0) {
		t.Error("the order of versions is wrong")
	}
}

// TestReportsComplete puts two reports of one payment together.
func TestReportsComplete(t *testing.T) {
	act := `<ReportActivity><Header/><Details><DeviceId>9</DeviceId><ServiceName>CreditSale</ServiceName><GatewayTxnId>7</GatewayTxnId><TxnUtcDT>2026-11-20T15:04:05Z</TxnUtcDT><Status>A</Status><Amt>10.00</Amt></Details></ReportActivity>`
	find := `<FindTransactions><Transactions><GatewayTxnId>7</GatewayTxnId><ClientTxnId>5</ClientTxnId><CardType>Visa</CardType><ServiceName>CreditSale</ServiceName><TxnStatus>A</TxnStatus><Amt>12.00</Amt><GratuityAmtInfo>2.00</GratuityAmtInfo></Transactions></FindTransactions>`
	rec, err := Record{Location: "S", Currency: "USD", Asked: asked, Reports: []string{act, find}}.Mean()
	if err != nil {
		t.Fatal(err)
	}
	p := rec.(retail.Payment)
	if p.Device != "9" || p.Client != "5" || p.Brand != "Visa" || p.Amount != money.Of(1200, "USD") || p.Tip != money.Of(200, "USD") || p.At.IsZero() {
		t.Errorf("got %+v", p)
	}
	other := strings.Replace(find, "<GatewayTxnId>7<", "<GatewayTxnId>8<", 1)
	if _, err := (Record{Currency: "USD", Reports: []string{act, other}}).Mean(); fault.CodeOf(err) != fault.Invalid {
		t.Errorf("two payments in one record: got %v", err)
	}
}

func FuzzAnswer(f *testing.F) {
	files, _ := filepath.Glob("testdata/*.xml")
	for _, name := range files {
		if b, err := os.ReadFile(name); err == nil {
			f.Add(b)
		}
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		a, err := ParseAnswer(body)
		if err != nil {
			return
		}
		for _, r := range a.Report.Rows {
			cut := a.Report.Cut(r)
			again, err := ParseReport(cut)
			if err != nil {
				t.Fatalf("what was kept cannot be read: %v\n%s", err, cut)
			}
			if len(again.Rows) > 0 && !bytes.Equal(again.Cut(again.Rows[0]), cut) {
				t.Fatalf("kept anew it is another:\n%s\n%s", cut, again.Cut(again.Rows[0]))
			}
			_, _ = Record{Currency: "USD", Asked: asked, Reports: []string{string(cut)}}.Mean()
		}
	})
}

func FuzzDecode(f *testing.F) {
	f.Add([]byte(`{"location":"S","currency":"USD","asked":"2026-11-21T08:00:00Z","reports":["<FindTransactions><Transactions><GatewayTxnId>7</GatewayTxnId><TxnStatus>A</TxnStatus><Amt>1</Amt></Transactions></FindTransactions>"]}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		rec, err := Decode(body)
		if err != nil && fault.CodeOf(err) != fault.Invalid {
			t.Fatalf("code %s: %v", fault.CodeOf(err), err)
		}
		if p, ok := rec.(retail.Payment); ok && (p.Key.ID == "" || p.State == "" || p.Amount.Minor > retail.MaxMinor) {
			t.Fatalf("got %+v", p)
		}
	})
}
