package profile

import (
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/tillpost/tillpost/shared/config"
)

// formats are the files that can be read.
var formats = []string{"csv", "json", "ndjson", "xlsx", "sql"}

func (p *Profile) check(f *config.Faults) {
	if p.Name == "" || strings.ContainsAny(p.Name, "/\\ ") {
		f.Add("name: %q must be a word", p.Name)
	}
	if !slices.Contains(formats, p.Format) {
		f.Add("format: %q is not one of %s", p.Format, strings.Join(formats, ", "))
	}
	p.SQL.check(p.Format, f)
	for name, n := range map[string]string{"proof.gaps": p.Proof.Gaps, "proof.control": p.Proof.Control} {
		if !slices.Contains([]string{"", "absent", "advisory", "required"}, n) {
			f.Add("%s: %q is not absent, advisory or required", name, n)
		}
	}
	if len([]rune(p.Delimiter)) > 1 || strings.ContainsAny(p.Delimiter, "\"\r\n\ufffd\x00") || !utf8.ValidString(p.Delimiter) {
		f.Add("delimiter: %q is not one character that can stand between cells", p.Delimiter)
	}
	if strings.EqualFold(p.Encoding, "iso-2022-jp") {
		f.Add("encoding: %s cannot be read from its middle; export as UTF-8", p.Encoding)
	}
	if d := p.Decimal; d != "" && (len([]rune(d)) != 1 || strings.ContainsAny(d, "0123456789+-() ")) {
		f.Add("decimal: %q is not a sign that can stand before cents", d)
	}
	if g := p.Group; strings.ContainsAny(g, "0123456789+-()") || g != "" && (g == p.Decimal || g == "." && p.Decimal == "") {
		f.Add("group: %q is no sign that can stand between thousands beside the decimal sign", g)
	}
	for _, bad := range p.checkSpread() {
		f.Add("spread: %s", bad)
	}
	if p.Skip < 0 || p.Skip > 50 {
		f.Add("skip: %d is not a number of lines up to 50", p.Skip)
	}
	if !p.Currency.Valid() {
		f.Add("currency: %q is not an ISO code", p.Currency)
	}
	var err error
	if p.zone, err = time.LoadLocation(p.Zone); err != nil {
		f.Add("zone: %q is not a time zone", p.Zone)
	}
	p.checkRecord(f)
	for i, l := range p.Lines {
		if l.Kind == "" || l.Amount == "" {
			f.Add("line %d: it needs kind and amount", i+1)
		}
	}
	for i, t := range p.Tenders {
		if t.Type == "" {
			f.Add("tender %d: it needs a type", i+1)
		}
	}
	for _, t := range p.templates() {
		if err := p.wellFormed(t); err != nil {
			f.Add("%v", err)
		}
	}
	p.compile()
}

// checkRecord looks at what a profile of its kind must say.
func (p *Profile) checkRecord(f *config.Faults) {
	switch p.Record {
	case "", "ticket":
		if p.Ticket.ID == "" || p.Ticket.At == "" || len(p.Times) == 0 {
			f.Add("ticket: id, at and times are needed")
		}
		if len(p.Lines)+len(p.Tenders) == 0 {
			f.Add("line: at least one is needed, or a tender")
		}
	case "control":
		if p.Ticket.ID == "" || p.Control.Day == "" {
			f.Add("control: ticket.id, by which rows are gathered, and control.business_day are needed")
		}
		if p.Control.Gross+p.Control.Tax+p.Control.Paid == "" {
			f.Add("control: it needs gross, tax or paid")
		}
	default:
		f.Add("record: %q is not ticket or control", p.Record)
	}
}
