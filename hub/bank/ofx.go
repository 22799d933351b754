package bank

import (
	"bytes"
	"fmt"
	"html"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/encoding/charmap"

	"github.com/tillpost/tillpost/shared/fault"
	"github.com/tillpost/tillpost/shared/money"
)

// readOFX reads OFX 1 (SGML, whose leaves need no end tag) and OFX 2 (XML) alike: as a run of tags, each with the text that follows it.
// Bank and credit card statements are read; investments are passed by.
func readOFX(body []byte, o Options) (File, error) {
	start := bytes.Index(body, []byte("<OFX>"))
	if start < 0 {
		return File{}, fault.Msg(fault.Invalid, "read bank file", "the OFX file has no <OFX>")
	}
	text := string(body[start:])
	if !utf8.ValidString(text) { // OFX 1 says CHARSET:1252 and means it
		decoded, err := charmap.Windows1252.NewDecoder().Bytes(body[start:])
		if err != nil {
			return File{}, fault.New(fault.Invalid, "read bank file", err)
		}
		text = string(decoded)
	}
	r := ofxReader{f: File{Format: "ofx"}, o: o}
	for text != "" {
		open := strings.IndexByte(text, '<')
		if open < 0 {
			break
		}
		end := strings.IndexByte(text[open:], '>')
		if end < 0 {
			r.f.Bad = append(r.f.Bad, Bad{r.where(), "the file ends inside a tag"})
			break
		}
		tag := strings.ToUpper(strings.TrimSpace(text[open+1 : open+end]))
		text = text[open+end+1:]
		value := text
		if next := strings.IndexByte(text, '<'); next >= 0 {
			value = text[:next]
		}
		r.tag(tag, strings.TrimSpace(html.UnescapeString(value)))
	}
	r.endLine()
	r.endStatement()
	return r.f, nil
}

// ofxReader is what is open while the tags go by.
type ofxReader struct {
	f    File
	o    Options
	s    *Statement
	t    map[string]string // of the open movement
	n    int               // movements of the open statement
	data bool              // inside a balance
}

func (r *ofxReader) where() string {
	if r.s == nil {
		return "the file"
	}
	return fmt.Sprintf("entry %d of account %s", r.n, r.s.Account)
}

func (r *ofxReader) tag(tag, value string) {
	switch tag {
	case "STMTRS", "CCSTMTRS":
		r.endStatement()
		r.s, r.n = &Statement{}, 0
	case "/STMTRS", "/CCSTMTRS":
		r.endLine()
		r.endStatement()
	case "STMTTRN":
		r.endLine()
		r.t = map[string]string{}
		r.n++
	case "/STMTTRN", "/BANKTRANLIST":
		r.endLine()
	case "LEDGERBAL", "/LEDGERBAL":
		r.data = tag == "LEDGERBAL"
	default:
		r.leaf(tag, value)
	}
}

func (r *ofxReader) leaf(tag, value string) {
	switch {
	case r.s == nil:
	case r.t != nil:
		if _, have := r.t[tag]; !have {
			r.t[tag] = value
		}
	case tag == "CURDEF":
		r.s.Currency = currency(value, r.o)
	case tag == "ACCTID" && r.s.Account == "":
		r.s.Account = value
	case tag == "BALAMT" && r.data && value != "":
		m, err := amount(value, r.money())
		if err != nil {
			r.f.Bad = append(r.f.Bad, Bad{"account " + r.s.Account, fmt.Sprintf("its balance %q is none", value)})
			return
		}
		r.s.Close = &m
	}
}

func (r *ofxReader) money() money.Currency {
	if r.s.Currency == "" {
		r.s.Currency = r.o.Currency
	}
	return r.s.Currency
}

func (r *ofxReader) endLine() {
	if r.s == nil || r.t == nil {
		return
	}
	t := r.t
	r.t = nil
	day, ok := date(t["DTPOSTED"])
	if !ok {
		r.f.Bad = append(r.f.Bad, Bad{r.where(), fmt.Sprintf("its date %q is none", t["DTPOSTED"])})
		return
	}
	c := r.money()
	if own := t["CURSYM"]; own != "" {
		c = currency(own, r.o)
	}
	// A comma is the decimal sign in much of the world, and OFX allows it (OFX 2.2, 3.2.9.1).
	m, err := amount(strings.Replace(t["TRNAMT"], ",", ".", 1), c)
	if err != nil {
		r.f.Bad = append(r.f.Bad, Bad{r.where(), fmt.Sprintf("its amount %q cannot be read: %v", t["TRNAMT"], err)})
		return
	}
	value, _ := date(t["DTAVAIL"])
	r.s.Lines = append(r.s.Lines, Line{Account: r.s.Account, ID: t["FITID"], Booked: day, Value: value, Amount: m, Code: t["TRNTYPE"], Text: oneLine(t["NAME"], t["MEMO"])})
}

func (r *ofxReader) endStatement() {
	if r.s != nil {
		r.endLine()
		r.f.Statements = append(r.f.Statements, *r.s)
	}
	r.s = nil
}
