package view

import (
	"time"

	"github.com/tillpost/tillpost/shared/money"
	"github.com/tillpost/tillpost/shared/retail"
)

// PaymentFilter picks card payments; a zero field picks all.
type PaymentFilter struct {
	Location  retail.LocationCode
	From, To  retail.BusinessDate // by UTC
	Unmatched bool                // only those that move money and belong to no ticket
	Ticket    int64
	Number    string                // the gateway's, of a payment or batch
	Only      []retail.LocationCode // what the user may see; nil = all
	Limit     int
}

// PaymentView is a card payment with the ticket it belongs to, and how sure that is.
type PaymentView struct {
	ID         int64               `json:"id"`
	Gateway    string              `json:"gateway"` // the gateway's number
	Location   retail.LocationCode `json:"location"`
	Till       retail.TillCode     `json:"till,omitempty"`
	Device     string              `json:"device,omitempty"`
	At         time.Time           `json:"at,omitzero"`
	State      retail.PaymentState `json:"state"`
	Service    string              `json:"service,omitempty"`
	Amount     money.Amount        `json:"amount"`
	Tip        money.Amount        `json:"tip,omitzero"`
	Brand      string              `json:"brand,omitempty"`
	Last4      string              `json:"last4,omitempty"`
	Auth       string              `json:"auth,omitempty"`
	Batch      string              `json:"batch,omitempty"`
	Versions   int                 `json:"versions"` // how often it changed, with the first
	Ticket     int64               `json:"ticket,omitempty"`
	Number     string              `json:"number,omitempty"`     // of the ticket
	Confidence string              `json:"confidence,omitempty"` // certain strong likely weak, "" = no ticket was found
	Why        string              `json:"why,omitempty"`
	Difference money.Amount        `json:"difference,omitzero"` // payment minus the ticket's tender
}

// LoneTender is a card tender that no payment of the gateway belongs to, although the gateway has been read past its time.
type LoneTender struct {
	Ticket   int64               `json:"ticket"`
	Number   string              `json:"number"`
	Location retail.LocationCode `json:"location"`
	Till     retail.TillCode     `json:"till,omitempty"`
	At       time.Time           `json:"at"`
	Type     string              `json:"type"`
	Last4    string              `json:"last4,omitempty"`
	Ref      string              `json:"ref,omitempty"`
	Amount   money.Amount        `json:"amount"`
}

// BatchView is a settlement batch with what its payments here come to.
type BatchView struct {
	ID string `json:"id"`
	retail.Batch
	Payments   int          `json:"payments"` // of those that move money
	Sum        money.Amount `json:"sum"`
	Difference money.Amount `json:"difference,omitzero"` // the batch's own total minus Sum; of a closed batch
}

// SettlementFilter picks records of the settlement; a zero field picks all.
type SettlementFilter struct {
	Kind     string // deposit settled dispute fees
	Location retail.LocationCode
	From, To retail.BusinessDate
	Limit    int
}

// SettlementView is a deposit, a payment in one, a dispute or a month's fees.
type SettlementView struct {
	ID       int64         `json:"id"`
	Kind     string        `json:"kind"`
	Envelope int64         `json:"envelope"`
	Payments int           `json:"payments"` // of a deposit: how many payments name it
	Sum      money.Amount  `json:"sum,omitzero"`
	Record   retail.Record `json:"record"`
}
