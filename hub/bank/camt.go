package bank

import (
	"bytes"
	"encoding/xml"
	"fmt"
	"io"
	"strings"

	"github.com/tillpost/tillpost/shared/fault"
	"github.com/tillpost/tillpost/shared/money"
)

// The parts of camt.053 (bank to customer statement) and its kin camt.052 and 054 that tell money, in any version: names did not change
// since 2009, so namespaces are left aside (ISO 20022 message definitions).
type camtDocument struct {
	Statements []camtStatement `xml:"BkToCstmrStmt>Stmt"`
	Reports    []camtStatement `xml:"BkToCstmrAcctRpt>Rpt"`
	Notices    []camtStatement `xml:"BkToCstmrDbtCdtNtfctn>Ntfctn"`
}

type camtStatement struct {
	IBAN     string        `xml:"Acct>Id>IBAN"`
	Other    string        `xml:"Acct>Id>Othr>Id"`
	Currency string        `xml:"Acct>Ccy"`
	Balances []camtBalance `xml:"Bal"`
	Entries  []camtEntry   `xml:"Ntry"`
}

type camtAmount struct {
	Currency string `xml:"Ccy,attr"`
	Text     string `xml:",chardata"`
}

type camtBalance struct {
	Type   string     `xml:"Tp>CdOrPrtry>Cd"`
	Amount camtAmount `xml:"Amt"`
	Side   string     `xml:"CdtDbtInd"`
}

type camtDate struct {
	Date string `xml:"Dt"`
	Time string `xml:"DtTm"`
}

func (d camtDate) text() string {
	if d.Date != "" {
		return d.Date
	}
	return d.Time
}

// camtStatus is text up to version 7 and a code since.
type camtStatus struct {
	Text string `xml:",chardata"`
	Code string `xml:"Cd"`
}

// booked is false for what is pending or only told: it comes again.
func (s camtStatus) booked() bool {
	word := strings.TrimSpace(s.Text + s.Code)
	return word == "" || word == "BOOK"
}

type camtEntry struct {
	Ref     string       `xml:"NtryRef"`
	Bank    string       `xml:"AcctSvcrRef"`
	Amount  camtAmount   `xml:"Amt"`
	Side    string       `xml:"CdtDbtInd"`
	Status  camtStatus   `xml:"Sts"`
	Booked  camtDate     `xml:"BookgDt"`
	Value   camtDate     `xml:"ValDt"`
	Domain  string       `xml:"BkTxCd>Domn>Cd"`
	Family  string       `xml:"BkTxCd>Domn>Fmly>Cd"`
	Own     string       `xml:"BkTxCd>Prtry>Cd"`
	Info    string       `xml:"AddtlNtryInf"`
	Details []camtDetail `xml:"NtryDtls>TxDtls"`
}

type camtDetail struct {
	EndToEnd string   `xml:"Refs>EndToEndId"`
	Bank     string   `xml:"Refs>AcctSvcrRef"`
	Debtor   string   `xml:"RltdPties>Dbtr>Nm"`
	Free     []string `xml:"RmtInf>Ustrd"`
	Ref      []string `xml:"RmtInf>Strd>CdtrRefInf>Ref"`
	Info     string   `xml:"AddtlTxInf"`
}

// maxDepth bounds nesting; the schema's own is below 20.
const maxDepth = 64

// readCAMT reads the message. A document type declaration is refused: camt has none, and entities could blow the file up.
func readCAMT(body []byte) (File, error) {
	if err := plainXML(body); err != nil {
		return File{}, err
	}
	var doc camtDocument
	if err := xml.Unmarshal(body, &doc); err != nil {
		return File{}, fault.New(fault.Invalid, "read bank file", fmt.Errorf("the CAMT file cannot be read: %w", err))
	}
	f := File{Format: "camt.053"}
	switch {
	case len(doc.Reports) > 0:
		f.Format = "camt.052"
	case len(doc.Notices) > 0:
		f.Format = "camt.054"
	}
	for _, list := range [][]camtStatement{doc.Statements, doc.Reports, doc.Notices} {
		for _, s := range list {
			f.camt(s)
		}
	}
	if len(f.Statements) == 0 {
		return File{}, fault.Msg(fault.Invalid, "read bank file", "the CAMT file holds no statement that can be read")
	}
	return f, nil
}

func plainXML(body []byte) error {
	d := xml.NewDecoder(bytes.NewReader(body))
	for depth := 0; ; {
		t, err := d.RawToken()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return fault.New(fault.Invalid, "read bank file", fmt.Errorf("the CAMT file cannot be read: %w", err))
		}
		switch t.(type) {
		case xml.Directive:
			return fault.Msg(fault.Invalid, "read bank file", "the CAMT file declares a document type, which no bank's does; it is not read")
		case xml.StartElement:
			if depth++; depth > maxDepth {
				return fault.Msg(fault.Invalid, "read bank file", "the CAMT file is nested deeper than any bank's; it is not read")
			}
		case xml.EndElement:
			depth--
		}
	}
}

func (f *File) camt(in camtStatement) {
	s := Statement{Account: in.IBAN, Currency: money.Currency(in.Currency)}
	if s.Account == "" {
		s.Account = in.Other
	}
	for i, e := range in.Entries {
		if !e.Status.booked() {
			continue
		}
		l, err := camtLine(e)
		if err != nil {
			f.Bad = append(f.Bad, Bad{fmt.Sprintf("entry %d of account %s", i+1, s.Account), err.Error()})
			continue
		}
		l.Account = s.Account
		if s.Currency == "" {
			s.Currency = l.Amount.Currency
		}
		s.Lines = append(s.Lines, l)
	}
	for _, b := range in.Balances {
		m, err := signed(b.Amount, b.Side)
		if err != nil || m.Currency != s.Currency {
			continue // a balance in another currency proves nothing of these lines
		}
		switch b.Type {
		case "OPBD", "PRCD":
			s.Open = &m
		case "CLBD":
			s.Close = &m
		}
	}
	f.Statements = append(f.Statements, s)
}

func camtLine(e camtEntry) (Line, error) {
	m, err := signed(e.Amount, e.Side)
	if err != nil {
		return Line{}, err
	}
	day, ok := date(e.Booked.text())
	if !ok {
		if day, ok = date(e.Value.text()); !ok {
			return Line{}, fmt.Errorf("its booking date %q is none", e.Booked.text())
		}
	}
	value, _ := date(e.Value.text())
	l := Line{ID: e.Bank, Booked: day, Value: value, Amount: m, Code: e.Own}
	if e.Domain != "" {
		l.Code = e.Domain + "/" + e.Family
	}
	if l.ID == "" {
		l.ID = e.Ref
	}
	texts := []string{e.Info}
	for _, d := range e.Details {
		texts = append(texts, d.Debtor, d.EndToEnd, d.Info)
		texts = append(append(texts, d.Free...), d.Ref...)
	}
	l.Text = oneLine(texts...)
	return l, nil
}

// signed reads an amount with its side. A reversal needs nothing more: CdtDbtInd says where the money went, RvslInd only why.
func signed(a camtAmount, side string) (money.Amount, error) {
	m, err := amount(a.Text, money.Currency(a.Currency))
	if err != nil {
		return m, fmt.Errorf("its amount %q %s cannot be read: %w", a.Text, a.Currency, err)
	}
	switch side {
	case "CRDT":
		return m, nil
	case "DBIT":
		return m.Neg(), nil
	}
	return m, fmt.Errorf("it says neither CRDT nor DBIT but %q", side)
}
