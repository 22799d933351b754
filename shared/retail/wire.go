package retail

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/shopspring/decimal"

	"github.com/tillpost/tillpost/shared/fault"
	"github.com/tillpost/tillpost/shared/money"
)

// ticketJSON is Tillpost's own ticket on the wire, as a till pushes it to the agent's local API. Amounts are decimal text or plain JSON
// numbers; a number is read as its text, never as a float.
type ticketJSON struct {
	Tenant   string         `json:"tenant,omitempty"`
	System   string         `json:"system,omitempty"`
	Scope    string         `json:"scope,omitempty"`
	ID       string         `json:"id"`
	Number   string         `json:"number,omitempty"`
	Sequence int64          `json:"sequence,omitempty"`
	Location string         `json:"location"`
	Till     string         `json:"till,omitempty"`
	Cashier  string         `json:"cashier,omitempty"`
	Day      string         `json:"business_day,omitempty"`
	At       string         `json:"at"`
	Kind     string         `json:"kind,omitempty"`
	Currency string         `json:"currency"`
	Lines    []lineJSON     `json:"lines,omitempty"`
	Tenders  []tenderJSON   `json:"tenders,omitempty"`
	Parent   string         `json:"parent,omitempty"`
	Customer string         `json:"customer,omitempty"`
	Revision int64          `json:"revision,omitempty"`
	Rank     int            `json:"rank,omitempty"`
	Extra    map[string]any `json:"extra,omitempty"` // kept raw, not understood
}

type lineJSON struct {
	Kind        string      `json:"kind"`
	Code        string      `json:"code,omitempty"`
	Category    string      `json:"category,omitempty"`
	Description string      `json:"description,omitempty"`
	Quantity    json.Number `json:"quantity,omitempty"`
	Amount      json.Number `json:"amount"`
	Currency    string      `json:"currency,omitempty"`
	Reason      string      `json:"reason,omitempty"`
	Cost        loose       `json:"cost,omitempty"`
	Taxes       codes       `json:"taxes,omitempty"`
}

// codes is a list of texts, or anything else, which then says nothing: a ticket is not refused for it.
type codes []string

// UnmarshalJSON implements json.Unmarshaler.
func (c *codes) UnmarshalJSON(b []byte) error {
	var list []string
	if json.Unmarshal(b, &list) == nil {
		*c = list
	}
	return nil
}

// known are the taxes of a line; a list beyond any line's says nothing.
func (c codes) known() []string {
	if len(c) == 0 || len(c) > MaxTaxes || slices.ContainsFunc(c, func(s string) bool { return len(s) > maxIDLength }) {
		return nil
	}
	return c
}

// loose is a number that may be anything: a ticket is not refused for it.
type loose string

// UnmarshalJSON implements json.Unmarshaler.
func (l *loose) UnmarshalJSON(b []byte) error {
	var s string
	if json.Unmarshal(b, &s) != nil {
		s = string(b)
	}
	*l = loose(s)
	return nil
}

// MarshalJSON implements json.Marshaler.
func (l loose) MarshalJSON() ([]byte, error) { return []byte(l), nil }

type tenderJSON struct {
	Type     string      `json:"type"`
	Brand    string      `json:"brand,omitempty"`
	Amount   json.Number `json:"amount"`
	Currency string      `json:"currency,omitempty"`
	Ref      string      `json:"ref,omitempty"`
	Last4    string      `json:"last4,omitempty"`
	Auth     string      `json:"auth,omitempty"`
}

// DefaultSystem is the vendor system of a ticket that names none.
const DefaultSystem = "tillpost"

// DecodeTicket reads Tillpost's own ticket JSON. Unknown fields are left alone: the raw record keeps them. Code invalid.
func DecodeTicket(body []byte) (Ticket, error) {
	w, ok := quick(body)
	if !ok {
		w = ticketJSON{}
		if err := strictJSON(body, &w); err != nil {
			return Ticket{}, fault.New(fault.Invalid, "read ticket", Worded(err))
		}
		if err := Unambiguous(body); err != nil {
			return Ticket{}, err
		}
	}
	at, err := time.Parse(time.RFC3339Nano, w.At)
	if err != nil {
		return Ticket{}, fault.New(fault.Invalid, "read ticket "+w.ID, fmt.Errorf("its time %.40q is not written like 2026-01-17T21:23:29-05:00", w.At))
	}
	t := Ticket{Key: w.key(), Number: or(w.Number, w.ID), Sequence: w.Sequence,
		Location: LocationCode(w.Location), Till: TillCode(w.Till), Cashier: w.Cashier, Day: BusinessDate(w.Day), At: at.UTC(),
		Kind: TicketKind(or(w.Kind, string(Sale))), Currency: money.Currency(w.Currency), Parent: w.Parent, Customer: w.Customer,
		Revision: w.Revision, Rank: w.Rank}
	if t.Key.System != DefaultSystem && w.Number != "" {
		t.Also = []Key{{System: t.Key.System, Record: t.Key.Record, Scope: Numbered(t.Location), ID: w.Number}}
	}
	t.Lines = make([]Line, len(w.Lines))
	for i, l := range w.Lines {
		if t.Lines[i], err = l.line(t.Currency); err != nil {
			return Ticket{}, fault.New(fault.Invalid, fmt.Sprintf("read ticket %s line %d", w.ID, i+1), err)
		}
	}
	t.Tenders = make([]Tender, len(w.Tenders))
	for i, p := range w.Tenders {
		a, err := money.Parse(string(p.Amount), money.Currency(or(p.Currency, string(t.Currency))))
		if err != nil {
			return Ticket{}, fault.New(fault.Invalid, fmt.Sprintf("read ticket %s tender %d", w.ID, i+1), err)
		}
		t.Tenders[i] = Tender{p.Type, p.Brand, a, p.Ref, p.Last4, p.Auth}
	}
	return t, nil
}

// TicketKey is whose ticket a body is that DecodeTicket refuses, as far as it tells; zero when it does not.
func TicketKey(body []byte) Key {
	var w ticketJSON
	d := json.NewDecoder(bytes.NewReader(body))
	d.UseNumber()
	_ = d.Decode(&w) // a field of another kind is what it is refused for; the others are read all the same
	if w.ID == "" {
		return Key{}
	}
	return w.key()
}

func (w *ticketJSON) key() Key {
	return Key{w.Tenant, or(w.System, DefaultSystem), "ticket", w.Scope, w.ID}
}

func (l lineJSON) line(c money.Currency) (Line, error) {
	a, err := money.Parse(string(l.Amount), money.Currency(or(l.Currency, string(c))))
	if err != nil {
		return Line{}, err
	}
	q := decimal.Decimal{}
	if l.Quantity != "" {
		if q, err = money.ParseDecimal(string(l.Quantity)); err != nil {
			return Line{}, err
		}
	}
	out := Line{Kind: LineKind(l.Kind), Code: l.Code, Category: l.Category, Description: l.Description, Quantity: q, Amount: a, Reason: l.Reason, Taxes: l.Taxes.known()}
	if l.Cost != "" { // most tills tell none
		if cost, err := money.ParseDecimal(string(l.Cost)); err == nil { // what cannot be read is not known
			out.Cost = CostOf(a.Minor < 0, cost, a.Currency)
		}
	}
	return out, nil
}

// strictJSON decodes exactly one JSON value; what follows it is a fault.
func strictJSON(body []byte, into any) error {
	d := json.NewDecoder(bytes.NewReader(body))
	d.UseNumber()
	if err := d.Decode(into); err != nil {
		return err
	}
	if _, err := d.Token(); err != io.EOF {
		return fmt.Errorf("there is more after the end of the record")
	}
	return nil
}

func or(s, fallback string) string {
	if s == "" {
		return fallback
	}
	return s
}
