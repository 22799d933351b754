package bank

import (
	"strings"
	"testing"

	"github.com/tillpost/tillpost/shared/fault"
	"github.com/tillpost/tillpost/shared/money"
)

const bai = "01,BANK,SHOP,261121,0600,1,,,2/\n02,SHOP,BANK,1,261120,,USD,2/\n03,123456,,010,10000,,,015,281672,,/\n" +
	"16,165,271672,V,261121,,REF7,88100,HRTLAND PMT SYS TXNS/FEES 650000012345678/\n16,451,1500,,,,HRTLAND PMT SYS/\n88,TXNS/FEES NOV/\n16,165,1500,,A1,,X/\n49,566344,6/\n98,566344,1,8/\n99,566344,1,10/\n"

func readAll(t *testing.T, body string, o Options) []Line {
	t.Helper()
	f, err := Read([]byte(body), o)
	if err != nil || len(f.Bad) > 0 {
		t.Fatalf("%v %v", f.Bad, err)
	}
	var out []Line
	for _, s := range f.Statements {
		out = append(out, s.Lines...)
	}
	return out
}

func TestBAI2SaysWhichWayTheMoneyWent(t *testing.T) {
	got := readAll(t, bai, Options{})
	if len(got) != 3 || got[0].Amount != money.Of(271672, "USD") || got[1].Amount != money.Of(-1500, "USD") {
		t.Fatalf("got %+v", got)
	}
	if got[0].Booked != "2026-11-20" || got[0].Value != "2026-11-21" || got[0].Text != "88100 HRTLAND PMT SYS TXNS/FEES 650000012345678" {
		t.Errorf("got %+v", got[0])
	}
	if got[1].Text != "HRTLAND PMT SYS TXNS/FEES NOV" {
		t.Errorf("the continuation: %q", got[1].Text)
	}
}

// The same movement has the same key in every file that tells it, and two that look alike have two.
func TestKeysHoldAcrossFiles(t *testing.T) {
	twice := strings.Replace(bai, "16,451", "16,165,1500,,A1,,X/\n16,451", 1)
	one, f := readAll(t, bai, Options{}), File{}
	f, err := Read([]byte(twice), Options{}) // the control total is off now, which is told and is not the point
	if err != nil {
		t.Fatal(err)
	}
	keys := map[string]bool{}
	for _, l := range f.Statements[0].Lines {
		if keys[l.Key] {
			t.Errorf("two lines are %s", l.Key)
		}
		keys[l.Key] = true
	}
	for _, l := range one[:2] {
		if !keys[l.Key] {
			t.Errorf("%+v is not in the longer file", l)
		}
	}
}

func TestCSVOfABank(t *testing.T) {
	o := Options{Currency: "USD", CSV: Columns{Date: "Posted", Layout: "01/02/2006", Credit: "In", Debit: "Out", Text: "Memo", Fixed: "123"}}
	f, err := Read([]byte("Posted,Memo,In,Out\n11/20/2026,MERCHANT BNKCD DEPOSIT,\"$2,716.72\",\n11/21/2026,FEES,,(15.00)\n11/31/2026,x,1.00,\n11/22/2026,y,1.005,\n11/22/2026,z,1.00,1.00\n"), o)
	if err != nil || len(f.Statements) != 1 || len(f.Statements[0].Lines) != 2 || len(f.Bad) != 3 {
		t.Fatalf("%+v %v", f, err)
	}
	l := f.Statements[0].Lines
	if l[0].Amount.Minor != 271672 || l[1].Amount.Minor != -1500 || l[1].Account != "123" {
		t.Errorf("got %+v", l)
	}
	if _, err := Read([]byte("Date,Memo\n"), o); !fault.Is(err, fault.Invalid) || !strings.Contains(err.Error(), "Posted") {
		t.Errorf("a missing column: %v", err)
	}
}

func TestEntitiesAndDepthAreRefused(t *testing.T) {
	bomb := `<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]><Document xmlns="urn:iso:std:iso:20022:tech:xsd:camt.053.001.02"><x>&b;</x></Document>`
	deep := `<Document xmlns="urn:iso:std:iso:20022:tech:xsd:camt.053.001.02">` + strings.Repeat("<a>", 100) + strings.Repeat("</a>", 100) + "</Document>"
	for _, body := range []string{bomb, deep} {
		if _, err := Read([]byte(body), Options{}); !fault.Is(err, fault.Invalid) {
			t.Errorf("got %v", err)
		}
	}
}

// Whatever a file holds, reading it ends without a panic, and each line that is given out has a date, a currency and a key of its own.
func FuzzRead(f *testing.F) {
	for _, s := range []string{bai, "OFXHEADER:100\n<OFX><STMTRS><CURDEF>USD<ACCTID>1<STMTTRN><DTPOSTED>20261120<TRNAMT>-1.00<FITID>9<NAME>x</STMTTRN><LEDGERBAL><BALAMT>3.00</STMTRS></OFX>",
		`<Document xmlns="urn:iso:std:iso:20022:tech:xsd:camt.053.001.02"><BkToCstmrStmt><Stmt><Acct><Id><IBAN>X</IBAN></Id></Acct><Ntry><Amt Ccy="USD">1.00</Amt><CdtDbtInd>CRDT</CdtDbtInd><BookgDt><Dt>2026-11-20</Dt></BookgDt></Ntry></Stmt></BkToCstmrStmt></Document>`,
		"d,a\n2026-11-20,1.00\n", "01,\n88,/\n16,/", "\xef\xbb\xbf01,,,,,,,,/\n02,,,,261120/\n03,,/\n16,100,,S,,,"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		got, err := Read(body, Options{Currency: "USD", CSV: Columns{Date: "d", Amount: "a"}})
		if err != nil {
			return
		}
		for _, s := range got.Statements {
			seen := map[string]bool{}
			for _, l := range s.Lines {
				if !l.Booked.Valid() || l.Key == "" || seen[l.Key] {
					t.Fatalf("line %+v", l)
				}
				seen[l.Key] = true
			}
		}
	})
}
