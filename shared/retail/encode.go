package retail

import (
	"encoding/json"
	"strconv"
	"time"

	"github.com/tillpost/tillpost/shared/money"
)

// EncodeTicket writes t as DecodeTicket reads it; Origin and Rounded stay behind. It is the canonical form whose hash tells two versions
// apart: the bytes are those of encoding/json for ticketJSON, written without reflection because every ticket is hashed once.
func EncodeTicket(t Ticket) ([]byte, error) {
	o := writer{b: make([]byte, 0, 512+160*(len(t.Lines)+len(t.Tenders)))}
	o.open('{')
	o.text("tenant", t.Key.Tenant)
	o.text("system", t.Key.System)
	o.text("scope", t.Key.Scope)
	o.must("id", t.Key.ID)
	o.text("number", t.Number)
	o.whole("sequence", t.Sequence)
	o.must("location", string(t.Location))
	o.text("till", string(t.Till))
	o.text("cashier", t.Cashier)
	o.text("business_day", string(t.Day))
	o.must("at", t.At.UTC().Format(time.RFC3339Nano))
	o.text("kind", string(t.Kind))
	o.must("currency", string(t.Currency))
	if len(t.Lines) > 0 {
		o.name("lines")
		o.open('[')
		for i := range t.Lines {
			o.line(&t.Lines[i], t.Currency)
		}
		o.close(']')
	}
	if len(t.Tenders) > 0 {
		o.name("tenders")
		o.open('[')
		for i := range t.Tenders {
			o.tender(&t.Tenders[i], t.Currency)
		}
		o.close(']')
	}
	o.text("parent", t.Parent)
	o.text("customer", t.Customer)
	o.whole("revision", t.Revision)
	o.whole("rank", int64(t.Rank))
	o.close('}')
	return o.b, o.err
}

// writer writes JSON; more says that a member stands before the next one.
type writer struct {
	b    []byte
	more bool
	err  error
}

func (o *writer) line(l *Line, c money.Currency) {
	o.comma()
	o.open('{')
	o.must("kind", string(l.Kind))
	o.text("code", l.Code)
	o.text("category", l.Category)
	o.text("description", l.Description)
	if !l.Quantity.IsZero() {
		o.number("quantity", l.Quantity.String())
	}
	o.number("amount", l.Amount.Decimal())
	o.currency(l.Amount, c)
	o.text("reason", l.Reason)
	if l.Cost.Currency != "" {
		o.number("cost", l.Cost.Decimal())
	}
	if len(l.Taxes) > 0 {
		o.name("taxes")
		o.open('[')
		for _, t := range l.Taxes {
			o.comma()
			o.quoted(t)
		}
		o.close(']')
	}
	o.close('}')
}

func (o *writer) tender(p *Tender, c money.Currency) {
	o.comma()
	o.open('{')
	o.must("type", p.Type)
	o.text("brand", p.Brand)
	o.number("amount", p.Amount.Decimal())
	o.currency(p.Amount, c)
	o.text("ref", p.Ref)
	o.text("last4", p.Last4)
	o.text("auth", p.Auth)
	o.close('}')
}

// currency is written where it is not the ticket's.
func (o *writer) currency(a money.Amount, of money.Currency) {
	if a.Currency != of {
		o.text("currency", string(a.Currency))
	}
}

func (o *writer) open(c byte) { o.b, o.more = append(o.b, c), false }

func (o *writer) close(c byte) { o.b, o.more = append(o.b, c), true }

func (o *writer) comma() {
	if o.more {
		o.b = append(o.b, ',')
	}
	o.more = true
}

func (o *writer) name(n string) {
	o.comma()
	o.b = append(append(append(o.b, '"'), n...), '"', ':')
}

// text leaves an empty one out.
func (o *writer) text(name, v string) {
	if v != "" {
		o.must(name, v)
	}
}

func (o *writer) must(name, v string) {
	o.name(name)
	o.quoted(v)
}

func (o *writer) quoted(v string) {
	for i := 0; i < len(v); i++ {
		if c := v[i]; c < ' ' || c > '~' || c == '"' || c == '\\' || c == '<' || c == '>' || c == '&' {
			quoted, err := json.Marshal(v)
			if err != nil {
				o.err = err
			}
			o.b = append(o.b, quoted...)
			return
		}
	}
	o.b = append(append(append(o.b, '"'), v...), '"')
}

func (o *writer) number(name, v string) {
	o.name(name)
	o.b = append(o.b, v...)
}

// whole leaves 0 out.
func (o *writer) whole(name string, v int64) {
	if v != 0 {
		o.name(name)
		o.b = strconv.AppendInt(o.b, v, 10)
	}
}
