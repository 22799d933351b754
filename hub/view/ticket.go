package view

import (
	"time"

	"github.com/tillpost/tillpost/hub/ledger"
	"github.com/tillpost/tillpost/shared/money"
	"github.com/tillpost/tillpost/shared/retail"
)

// TicketFilter finds tickets by what a person has in the hand.
type TicketFilter struct {
	Find  string                // receipt number, or the key
	Only  []retail.LocationCode // what the user may see; nil = all
	Limit int
}

// TicketView is a ticket or drawer event with its raw record, its entry and its place in Odoo.
type TicketView struct {
	TicketRow
	Key        string
	Zone       string // the location's
	Cashier    string
	Gross      money.Amount
	Tax        money.Amount
	Rounded    string // decimal text, "" = not rounded
	Lines      []TicketLine
	Tenders    []TicketTender
	Payments   []PaymentView    // of the gateway, with how sure they are its own
	Postings   []ledger.Posting // of the version in force
	History    []VersionView    // oldest first
	Places     []PlaceView
	Raw        Raw
	Shares     []Raw // other files' rows that are in it, as they came before Raw
	Cases      []CaseView
	Steps      []StepView
	Parent     string // id of the ticket that is returned or exchanged
	Warning    string // understood, but worth a look: the till's day is not ours
	Mended     bool   // a person mended the record; MendedBody is what was booked, Raw what came
	MendedBody []byte
	Decoding   string // why Lines and Tenders cannot be shown, "" = they are
}

// TicketLine is one line as the till wrote it.
type TicketLine struct {
	Kind, Code, Category, Description, Quantity, Reason string
	Amount                                              money.Amount
}

// TicketTender is one way of paying.
type TicketTender struct {
	Type, Brand, Last4, Auth, Ref string
	Amount                        money.Amount
}

// VersionView is one version of a ticket: what the till said, and when.
type VersionView struct {
	Entry    int64
	Outcome  string // first replaces conflict older …
	Revision int64
	Void     bool
	Current  bool
	Gross    money.Amount
	Tax      money.Amount
	Envelope int64
	Received time.Time
}

// WayStop is one stage of a ticket's way from the till to the books.
type WayStop struct {
	At    time.Time `json:"at,omitzero"` // zero = not yet
	Stage string    `json:"stage"`       // till capture ingest fold document load post read-back, or who decided
	Text  string    `json:"text"`
}

// PlaceView is one line of a document that holds a part of the ticket.
type PlaceView struct {
	Document string // id
	Number   int
	Location retail.LocationCode
	Day      retail.BusinessDate
	State    string
	Measure  ledger.Account
	Label    string
	Account  string
	Amount   money.Amount // the ticket's part, debit positive
	Line     money.Amount // the whole line
	Odoo     Odoo
}

// Raw is the record as the till gave it.
type Raw struct {
	Envelope    int64
	Device      retail.DeviceID
	Stream      string
	Position    string
	Kind        string
	ContentType string
	Captured    time.Time
	Received    time.Time
	Sum         string // hexadecimal, chained
	Source      string
	File        string
	SHA256      string // of the file
	Rows        []int
	Profile     string
	Body        []byte
	Erased      bool // its customer was erased: the body is gone, chain and sums hold
}
