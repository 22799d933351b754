// Package hretail reads records of Heartland Retail (formerly Springboard Retail) as its REST API gives them, and says what they mean to the
// books: tickets, invoices and deposits on orders become retail.Ticket, locations and stations become what the registry knows of a store. It
// is pure: the agent reads with it to check what it captures, the hub to post. What it does not know is an error that names it, never a
// guess. See DESIGN.md.
package hretail

import (
	"bytes"
	"encoding/json"
	"fmt"

	"github.com/tillpost/tillpost/shared/envelope"
	"github.com/tillpost/tillpost/shared/fault"
	"github.com/tillpost/tillpost/shared/money"
	"github.com/tillpost/tillpost/shared/retail"
)

// System is the vendor system in keys; a file or a push that names it, the same tenant and the vendor's id tells of the same ticket.
const System = "heartland-retail"

// Proof names, in a read_to mark, what the API proves: its numbers run through the whole tenant and over tickets on hold, so that a missing
// one is worth a line and no more; the analyzer's total of each location and day must agree (DESIGN D10).
const Proof = "heartland-retail-api"

// Rank is that of the API among a ticket's sources: it tells lines and payments, an export only lines.
const Rank = 10

// The kinds of body. Each is a Frame.
const (
	Ticket      envelope.Kind = "heartland.ticket.v1"
	Invoice     envelope.Kind = "heartland.invoice.v1"
	Order       envelope.Kind = "heartland.order.v1"   // kept, moves no money: its deposits and invoices do
	Deposit     envelope.Kind = "heartland.deposit.v1" // one payment on an order; the record is the order
	Location    envelope.Kind = "heartland.location.v1"
	Station     envelope.Kind = "heartland.station.v1"
	Item        envelope.Kind = "heartland.item.v1"
	Customer    envelope.Kind = "heartland.customer.v1"
	User        envelope.Kind = "heartland.user.v1"
	PaymentType envelope.Kind = "heartland.payment_type.v1"
	TaxRule     envelope.Kind = "heartland.tax_rule.v1"
)

// Frame is a body: the record as the API gave it, and what the agent knew beside it when it read it. Without the frame an id is just a
// number.
type Frame struct {
	Tenant     string              `json:"tenant"` // the account: the subdomain
	Location   retail.LocationCode `json:"location,omitempty"`
	Currency   money.Currency      `json:"currency,omitempty"`
	Zone       string              `json:"zone,omitempty"`
	Tenders    map[string]string   `json:"tenders,omitempty"`    // payment type id → its name
	Categories map[string]string   `json:"categories,omitempty"` // item id → its category
	Payment    string              `json:"payment,omitempty"`    // Deposit: which payment of the order
	Lines      json.RawMessage     `json:"lines,omitempty"`      // asked for apart, when the record came without
	Payments   json.RawMessage     `json:"payments,omitempty"`
	Record     json.RawMessage     `json:"record"`
}

// Encode writes f; the record's bytes stay as they are.
func (f Frame) Encode() ([]byte, error) {
	record := f.Record
	f.Record = nil
	head, err := json.Marshal(f)
	if err != nil || !json.Valid(record) {
		return nil, fault.Msg(fault.Invalid, "frame record", "it is not JSON")
	}
	head = bytes.TrimSuffix(head, []byte("null}")) // "record" is the last field
	return append(append(head, record...), '}'), nil
}

// Knows reports whether Decode reads k.
func Knows(k envelope.Kind) bool { _, ok := readers[k]; return ok }

var readers = map[envelope.Kind]func(Frame, object) (retail.Record, error){
	Ticket: ticket("ticket"), Invoice: ticket("invoice"), Deposit: deposit, Location: location, Station: station,
	Order: note("order", "customer_id"), Customer: note("customer", "id"), Item: nothing, User: nothing, PaymentType: nothing, TaxRule: nothing,
}

func nothing(Frame, object) (retail.Record, error) { return nil, nil }

// note reads whom a record names, and no more.
func note(record, customer string) func(Frame, object) (retail.Record, error) {
	return func(f Frame, o object) (retail.Record, error) {
		return retail.Note{Key: retail.Key{Tenant: f.Tenant, System: System, Record: record, ID: o.text("id")}, Customer: o.text(customer)}, nil
	}
}

// Decode returns what a body of kind k means; nil, nil for one that moves no money, is no place and names no customer. Code invalid, in words for its case.
func Decode(k envelope.Kind, body []byte) (retail.Record, error) {
	read, ok := readers[k]
	if !ok {
		return nil, fault.Msg(fault.Invalid, "read record", fmt.Sprintf("records of kind %q are not Heartland Retail's", k))
	}
	var f Frame
	if err := json.Unmarshal(body, &f); err != nil {
		return nil, fault.New(fault.Invalid, "read frame", err)
	}
	if f.Tenant == "" || len(f.Record) == 0 {
		return nil, fault.Msg(fault.Invalid, "read frame", "it names no tenant or holds no record")
	}
	o, err := objectOf(f.Record)
	if err != nil {
		return nil, fault.New(fault.Invalid, "read record", err)
	}
	return read(f, o)
}
