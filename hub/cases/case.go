// Package cases is the only to-do list (DESIGN D14): what something a person must decide is, what it means for the money, what to do, and
// which steps were taken. It is pure.
package cases

import (
	"time"

	"github.com/tillpost/tillpost/shared/money"
	"github.com/tillpost/tillpost/shared/retail"
)

// Cause groups cases; with Subject it makes a case's stable id, so that the same trouble opens the same case again.
type Cause string

const (
	Refused         Cause = "refused"          // an intact record that cannot be understood or posted
	Unbalanced      Cause = "unbalanced"       // a ticket whose lines and tenders differ
	UnknownCode     Cause = "unknown_code"     // tender, tax, category or reason without mapping
	UnknownLocation Cause = "unknown_location" // a location that nobody has confirmed
	UnknownTill     Cause = "unknown_till"
	Conflict        Cause = "conflict" // the same identity with contradicting facts
	Unfolded        Cause = "unfolded" // an entry that its store-day cannot hold: another currency
	Gap             Cause = "gap"      // a ticket number is missing
	Fork            Cause = "fork"     // two machines write one stream
	Stopped         Cause = "stopped"  // a stream that arrives damaged again and again
	HubRestored     Cause = "hub_restored"
	NotBack         Cause = "not_back"      // after a restore Odoo holds more of a store-day than is here again
	MissingProof    Cause = "missing_proof" // a store-day lacks a required proof
	ControlTotal    Cause = "control_total" // our sum differs from the till's or the vendor's
	SuspenseCap     Cause = "suspense_cap"  // a store-day with too much in suspense waits
	Parked          Cause = "parked"        // a document that Odoo refused for good
	DateShift       Cause = "date_shift"    // Odoo posted on another day
	LockedPeriod    Cause = "locked_period" // the day's period is closed: the document waits
	PeriodNext      Cause = "period_next"   // the day's period was closed and it went to the first open date, as its location's rule says: a note
	TotalDiffers    Cause = "total_differs" // Odoo's items are not the document's
	ForeignEdit     Cause = "foreign_edit"  // somebody changed a posted entry in Odoo
	Deleted         Cause = "deleted"       // somebody deleted it
	Lost            Cause = "lost"          // a store's PC could not read records that only it had
	TooLarge        Cause = "too_large"     // a record over the limit stays in the store

	Unread            Cause = "unread"             // nobody reads a vendor's account
	ConnectionRefused Cause = "connection_refused" // a key or right is refused for good
	OfflinePayments   Cause = "offline_payments"   // a card terminal holds payments that no bank has promised
	ModeMix           Cause = "mode_mix"           // test and real meet
	ReleaseEnds       Cause = "release_ends"       // signed releases run out, or the hub cannot sign
	KeyEnds           Cause = "key_ends"           // a key to another system ends within two weeks

	DepositMissing  Cause = "deposit_missing"  // a closed batch that no bank line has paid in time
	DepositOpen     Cause = "deposit_open"     // a bank line of takings that no batches and no bags explain
	Disputed        Cause = "disputed"         // money that was taken back and is neither won nor lost
	BankAccount     Cause = "bank_account"     // statement lines of an account that nobody has named
	BankFile        Cause = "bank_file"        // parts of a statement file that could not be read
	ReversedMatched Cause = "reversed_matched" // a store-day was taken back, and lines of it are matched in Odoo
	ClearingAge     Cause = "clearing_age"     // takings that stand on a clearing account for too long

	TwoHubs       Cause = "two_hubs"       // another hub runs on the same books
	ShadowDeposit Cause = "shadow_deposit" // a deposit that pays store-days of Tillpost's and of the old way's

	OtherHub Cause = "other_hub" // another hub has posted a store-day already

	CodeGuessed       Cause = "code_guessed"       // somebody tried a one-time code's secret
	CodeStolen        Cause = "code_stolen"        // two PCs showed one one-time code
	CertificateCopied Cause = "certificate_copied" // two PCs show the certificate of one device, or one shows an old one
)

// State of a case.
type State string

const (
	Open     State = "open"
	Accepted State = "accepted" // a person decided to live with it, with a reason
	Closed   State = "closed"   // the cause is gone
)

// Case is one thing to decide.
type Case struct {
	ID       string // ID(cause, subject)
	Cause    Cause
	Subject  string // what it is about, in the words of its cause: a ticket key, "tender:Ewallet", a document id, a device
	Location retail.LocationCode
	Day      retail.BusinessDate
	Title    string       // what happened, one line
	Means    string       // what it means for the money
	Do       string       // the one recommended action
	Detail   string       // file, row, reason, Odoo's words: no secrets, no customer data
	Amount   money.Amount // at stake, zero when unknown
	Envelope int64        // the raw record it is about, 0 = none
	Record   string       `json:",omitempty"` // of a record that is not booked: the key of the ticket that it tells of, "" = it does not say
	State    State
	Proposed retail.BusinessDate `json:",omitempty"` // of a closed period: the date that a person is asked to confirm
	Opened   time.Time
	Closed   time.Time
	Seen     int // how often the cause came again
}

// Step is one audited act on a case or a setting: who, what, before and after.
type Step struct {
	Case   string
	At     time.Time
	Who    string
	What   string // "retry", "map", "accept", "edit", "opened", "closed", …
	Reason string
	Before string
	After  string
}

// Living reports whether a case of this cause says how a store-day stands now, so that its detail changes with the day.
func (c Cause) Living() bool {
	return c == MissingProof || c == ConnectionRefused || c == KeyEnds || c == ReleaseEnds || c == LockedPeriod || c == TwoHubs || c == NotBack || c.Exact()
}

// Exact reports whether an acceptance holds only for what the case said when it was given: who accepts that number 7 is missing has not
// accepted that number 9 is.
func (c Cause) Exact() bool {
	switch c {
	case Gap, ControlTotal, SuspenseCap, DateShift, TotalDiffers, ForeignEdit, OfflinePayments, ReversedMatched, ClearingAge, DepositOpen, DepositMissing, ShadowDeposit:
		return true
	}
	return false
}

// AnsweredBy names the act that answers a case which cannot be lived with, because money waits behind it until somebody acts; "" = any case else.
func (c Cause) AnsweredBy() string {
	switch c {
	case UnknownLocation, UnknownTill:
		return "confirm"
	case NotBack:
		return "approve, once the stores have sent again what they hold"
	case Stopped:
		return "release"
	case LockedPeriod:
		return "retry, with another date or once the period is open"
	}
	return ""
}

// Anew reports whether each time a case of this cause is opened it is about another record: who accepted one has not seen the next.
func (c Cause) Anew() bool { return c == Conflict }

// Holds reports whether an open case of this cause keeps a store-day out of the books, or leaves it there other than the tills said.
func (c Cause) Holds() bool {
	switch c {
	case UnknownLocation, UnknownTill, NotBack, MissingProof, ControlTotal, SuspenseCap, Parked, LockedPeriod, DateShift, TotalDiffers, ForeignEdit, Deleted, Stopped, TwoHubs, OtherHub:
		return true
	}
	return false
}
