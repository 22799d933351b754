package main

import (
	"fmt"
	"strings"

	"github.com/tillpost/tillpost/hub/bank"
)

// file is a statement as the bank sends it.
type file struct {
	name    string
	body    []byte
	columns bank.Columns
}

// files are the month's statements: each bank has a format of its own.
func (b *bankSide) files() []file {
	csv := bank.Columns{Date: "Date", Layout: "01/02/2006", Amount: "Amount", Text: "Description", ID: "Reference", Fixed: accountNumber(2)}
	return []file{{"new-york.bai", bai2(accountNumber(0), b.lines[0]), bank.Columns{}}, {"chicago.ofx", ofx(accountNumber(1), b.lines[1]), bank.Columns{}}, {"los-angeles.csv", table(b.lines[2]), csv}}
}

func bai2(account string, ls []bankLine) []byte {
	var w strings.Builder
	w.WriteString("01,BANK,CUST,261101,0600,1,,,2/\n")
	for i := 0; i < len(ls); {
		day := ls[i].day
		fmt.Fprintf(&w, "02,CUST,BANK,1,%s,,USD,2/\n03,%s,USD,,,,/\n", day.Format("060102"), account)
		sum, n := int64(0), 0
		for ; i < len(ls) && ls[i].day.Equal(day); i++ {
			code, cents := "165", ls[i].cents
			if cents < 0 {
				code, cents = "455", -cents
			}
			fmt.Fprintf(&w, "16,%s,%d,,%s,,%s\n", code, cents, ls[i].key, ls[i].text)
			sum, n = sum+cents, n+1
		}
		fmt.Fprintf(&w, "49,%d,%d/\n98,%d,1,%d/\n", sum, n+2, sum, n+4)
	}
	w.WriteString("99,0,1,1/\n")
	return []byte(w.String())
}

func ofx(account string, ls []bankLine) []byte {
	var w strings.Builder
	w.WriteString("OFXHEADER:100\nDATA:OFXSGML\nVERSION:102\n\n<OFX><BANKMSGSRSV1><STMTTRNRS><STMTRS><CURDEF>USD<BANKACCTFROM><BANKID>1<ACCTID>" + account + "<ACCTTYPE>CHECKING</BANKACCTFROM><BANKTRANLIST>\n")
	for _, l := range ls {
		kind := "CREDIT"
		if l.cents < 0 {
			kind = "DEBIT"
		}
		fmt.Fprintf(&w, "<STMTTRN><TRNTYPE>%s<DTPOSTED>%s<TRNAMT>%s<FITID>%s<NAME>%s</STMTTRN>\n", kind, l.day.Format("20060102"), plain(l.cents), l.key, l.text)
	}
	w.WriteString("</BANKTRANLIST></STMTRS></STMTTRNRS></BANKMSGSRSV1></OFX>\n")
	return []byte(w.String())
}

func table(ls []bankLine) []byte {
	var w strings.Builder
	w.WriteString("Date,Description,Amount,Reference\n")
	for _, l := range ls {
		fmt.Fprintf(&w, "%s,%s,%s,%s\n", l.day.Format("01/02/2006"), l.text, plain(l.cents), l.key)
	}
	return []byte(w.String())
}

func plain(cents int64) string {
	sign := ""
	if cents < 0 {
		sign, cents = "-", -cents
	}
	return fmt.Sprintf("%s%d.%02d", sign, cents/100, cents%100)
}
