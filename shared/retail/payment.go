package retail

import (
	"time"

	"github.com/tillpost/tillpost/shared/money"
)

// PaymentState is where a card payment stands at the gateway.
type PaymentState string

const (
	PaymentOpen     PaymentState = "open"
	PaymentClosed   PaymentState = "closed" // in a batch that was closed: sent for settlement, not yet money
	PaymentVoided   PaymentState = "voided"
	PaymentReversed PaymentState = "reversed"
	PaymentDeclined PaymentState = "declined"
	PaymentInactive PaymentState = "inactive"  // will not settle as it stands
	PaymentTimedOut PaymentState = "timed_out" // the processor behind the gateway did not answer: its outcome is not known
)

// Final reports whether the gateway lets a payment leave this state no more.
func (s PaymentState) Final() bool {
	return s == PaymentClosed || s == PaymentVoided || s == PaymentReversed || s == PaymentDeclined
}

// Moves reports whether money moves, or will, by a payment in this state.
func (s PaymentState) Moves() bool { return s == PaymentOpen || s == PaymentClosed }

// Payment is a card transaction at the gateway; a change of state is a new version of the same key. What a report does not tell is empty,
// and the version before keeps it.
type Payment struct {
	Key       Key          `json:"key,omitzero"`
	Location  LocationCode `json:"location,omitzero"`
	Till      TillCode     `json:"till,omitzero"`
	Device    string       `json:"device,omitzero"` // the gateway's number of the terminal
	At        time.Time    `json:"at,omitzero"`
	State     PaymentState `json:"state,omitzero"`
	Service   string       `json:"service,omitzero"` // the gateway's word for what was asked: "CreditSale"
	Amount    money.Amount `json:"amount,omitzero"`  // tip included; negative = refund
	Tip       money.Amount `json:"tip,omitzero"`
	Brand     string       `json:"brand,omitzero"`
	Last4     string       `json:"last4,omitzero"`
	Auth      string       `json:"auth,omitzero"`
	Client    string       `json:"client,omitzero"`    // the till's own number of the payment
	Reference string       `json:"reference,omitzero"` // the processor's number
	Original  string       `json:"original,omitzero"`  // gateway id of the payment that a refund gives back
	Batch     string       `json:"batch,omitzero"`
	Ticket    string       `json:"ticket,omitzero"` // vendor ticket id when the gateway knows it
	Revision  int64        `json:"revision,omitzero"`
	Rank      int          `json:"rank,omitzero"`
	Origin    Origin       `json:"-"`
}

// BatchState is where a settlement batch stands.
type BatchState string

const (
	BatchOpen    BatchState = "open"
	BatchClosing BatchState = "closing"
	BatchClosed  BatchState = "closed"
	BatchVoided  BatchState = "voided"
	BatchFailed  BatchState = "failed" // an attempt to close it went wrong
)

// Final reports whether a batch leaves this state no more.
func (s BatchState) Final() bool { return s == BatchClosed || s == BatchVoided }

// Batch is a settlement batch at the processor. Money is settled per merchant id; Device is empty where the processor keeps one batch for
// all of a merchant's terminals.
type Batch struct {
	Key      Key                     `json:"key,omitzero"`
	Merchant string                  `json:"merchant,omitzero"`
	Device   string                  `json:"device,omitzero"`
	Number   string                  `json:"number,omitzero"`
	Location LocationCode            `json:"location,omitzero"`
	State    BatchState              `json:"state,omitzero"`
	Opened   time.Time               `json:"opened,omitzero"`
	Closed   time.Time               `json:"closed,omitzero"`
	Count    int                     `json:"count,omitzero"`
	Total    money.Amount            `json:"total,omitzero"` // refunds deducted, tips included
	Tips     money.Amount            `json:"tips,omitzero"`
	ByBrand  map[string]money.Amount `json:"by_brand,omitzero"`
	Revision int64                   `json:"revision,omitzero"`
	Rank     int                     `json:"rank,omitzero"`
	Origin   Origin                  `json:"-"`
}

// With is p with what a later or further reading q says: what q leaves out, p keeps. Where a payment was made, and when, does not change.
func (p Payment) With(q Payment) Payment {
	out := q
	out.Till, out.Device, out.Service = TillCode(or(string(p.Till), string(q.Till))), or(p.Device, q.Device), or(p.Service, q.Service)
	out.Location = LocationCode(or(string(p.Location), string(q.Location)))
	if !p.At.IsZero() {
		out.At = p.At
	}
	for _, f := range []struct{ to, old *string }{{&out.Brand, &p.Brand}, {&out.Last4, &p.Last4}, {&out.Auth, &p.Auth}, {&out.Client, &p.Client},
		{&out.Reference, &p.Reference}, {&out.Original, &p.Original}, {&out.Batch, &p.Batch}, {&out.Ticket, &p.Ticket}} {
		*f.to = or(*f.to, *f.old)
	}
	if q.Tip.IsZero() && q.Amount == p.Amount {
		out.Tip = p.Tip // a report that knows no tips tells the same sum
	}
	return out
}

// With is b with what a later or further reading q says: what q leaves out, b keeps.
func (b Batch) With(q Batch) Batch {
	out := q
	out.Device, out.Number, out.Merchant = or(q.Device, b.Device), or(q.Number, b.Number), or(q.Merchant, b.Merchant)
	if q.Closed.IsZero() {
		out.Closed = b.Closed
	}
	if q.ByBrand == nil {
		out.ByBrand, out.Tips = b.ByBrand, b.Tips
	}
	return out
}
