package retail

import (
	"time"

	"github.com/tillpost/tillpost/shared/money"
)

// BankDeposit is what the processor paid to, or took from, a merchant's bank account in one go. It is not a customer's deposit on an
// order, which is a line of a ticket.
type BankDeposit struct {
	Key         Key          `json:"key,omitzero"`
	Location    LocationCode `json:"location,omitzero"`
	Merchant    string       `json:"merchant,omitzero"`
	Day         BusinessDate `json:"day,omitzero"`    // on which the processor sent it; the bank books it later
	Status      string       `json:"status,omitzero"` // the processor's word: FUNDED, RESERVED, DELAYED, …
	Amount      money.Amount `json:"amount,omitzero"` // negative = taken from the account
	Sales       Counted      `json:"sales,omitzero"`
	Refunds     Counted      `json:"refunds,omitzero"`
	Chargebacks Counted      `json:"chargebacks,omitzero"`
	Reversals   Counted      `json:"reversals,omitzero"` // chargebacks that came back
	Discounts   Counted      `json:"discounts,omitzero"`
	Fees        money.Amount `json:"fees,omitzero"`
	Account     string       `json:"account,omitzero"` // last digits of the bank account
	Revision    int64        `json:"revision,omitzero"`
	Origin      Origin       `json:"-"`
}

// Counted is a sum with how many things it adds up. Its sign is the processor's.
type Counted struct {
	Count  int          `json:"count,omitzero"`
	Amount money.Amount `json:"amount,omitzero"`
}

// SettledPayment is a card payment as the settlement knows it: which deposit it went into.
type SettledPayment struct {
	Key       Key          `json:"key,omitzero"`
	Location  LocationCode `json:"location,omitzero"`
	Merchant  string       `json:"merchant,omitzero"`
	At        time.Time    `json:"at,omitzero"`
	Status    string       `json:"status,omitzero"`
	Amount    money.Amount `json:"amount,omitzero"` // negative = refund
	Brand     string       `json:"brand,omitzero"`
	Last4     string       `json:"last4,omitzero"`
	Auth      string       `json:"auth,omitzero"`
	Reference string       `json:"reference,omitzero"` // the brand's number of the payment
	Batch     string       `json:"batch,omitzero"`
	Deposit   string       `json:"deposit,omitzero"`
	Revision  int64        `json:"revision,omitzero"`
	Origin    Origin       `json:"-"`
}

// Dispute is a payment that a cardholder's bank questions.
type Dispute struct {
	Key       Key          `json:"key,omitzero"`
	Location  LocationCode `json:"location,omitzero"`
	Merchant  string       `json:"merchant,omitzero"`
	At        time.Time    `json:"at,omitzero"`     // of its stage
	Status    string       `json:"status,omitzero"` // WITH_MERCHANT, …
	Stage     string       `json:"stage,omitzero"`  // RETRIEVAL, CHARGEBACK, …
	Result    string       `json:"result,omitzero"` // PENDING, WON, LOST, …
	Amount    money.Amount `json:"amount,omitzero"` // in dispute, ≥ 0
	Reason    string       `json:"reason,omitzero"`
	RespondBy time.Time    `json:"respond_by,omitzero"`
	Moved     money.Amount `json:"moved,omitzero"` // last adjustment of the bank account, negative = taken
	Brand     string       `json:"brand,omitzero"`
	Last4     string       `json:"last4,omitzero"`
	Deposit   string       `json:"deposit,omitzero"`
	Revision  int64        `json:"revision,omitzero"`
	Origin    Origin       `json:"-"`
}

// MonthlyFees is the processor's bill of a month.
type MonthlyFees struct {
	Key      Key                     `json:"key,omitzero"`
	Location LocationCode            `json:"location,omitzero"`
	Merchant string                  `json:"merchant,omitzero"`
	Day      BusinessDate            `json:"day,omitzero"`
	Status   string                  `json:"status,omitzero"` // FINALIZED or ESTIMATED
	Amount   money.Amount            `json:"amount,omitzero"` // all of it
	Parts    map[string]money.Amount `json:"parts,omitzero"`  // interchange, assessment, …
	Revision int64                   `json:"revision,omitzero"`
	Origin   Origin                  `json:"-"`
}
