package retail

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/tillpost/tillpost/shared/fault"
	"github.com/tillpost/tillpost/shared/money"
)

// Record is what an envelope means once decoded: one of Ticket, Drawer, Terminal, Location, Payment, Batch, BankDeposit, SettledPayment,
// Dispute, MonthlyFees, ReadTo, Control.
type Record interface{ record() }

func (Ticket) record()         {}
func (Drawer) record()         {}
func (Terminal) record()       {}
func (Location) record()       {}
func (Payment) record()        {}
func (Batch) record()          {}
func (BankDeposit) record()    {}
func (SettledPayment) record() {}
func (Dispute) record()        {}
func (MonthlyFees) record()    {}
func (ReadTo) record()         {}
func (Control) record()        {}
func (Note) record()           {}

// Where is the location that a record is about, as it says itself; "" for one that names none, or that speaks for a whole account, as batches do.
func Where(r Record) LocationCode {
	switch r := r.(type) {
	case Ticket:
		return r.Location
	case Drawer:
		return r.Location
	case Terminal:
		return r.Location
	case Location:
		return r.Code
	case Payment:
		return r.Location
	case ReadTo:
		return r.Location
	case Control:
		return r.Location
	}
	return ""
}

// Note is a record that moves no money and is understood only as far as whom it names: so that a customer can be erased from it.
type Note struct {
	Key      Key    `json:"key,omitzero"`
	Customer string `json:"customer,omitzero"`
}

// DrawerKind is what happened at the cash drawer.
type DrawerKind string

const (
	NoSale      DrawerKind = "no_sale"
	PaidIn      DrawerKind = "paid_in"
	PaidOut     DrawerKind = "paid_out"
	DrawerOpen  DrawerKind = "drawer_open"  // Amount = float
	DrawerClose DrawerKind = "drawer_close" // Amount = expected cash
	DrawerCount DrawerKind = "drawer_count" // Amount = expected, Counted = counted: their difference is over/short
)

// Drawer is one drawer event. Only paid-in, paid-out and a count that differs move money.
type Drawer struct {
	Key      Key            `json:"key,omitzero"`
	Location LocationCode   `json:"location,omitzero"`
	Till     TillCode       `json:"till,omitzero"`
	Cashier  string         `json:"cashier,omitzero"`
	Day      BusinessDate   `json:"day,omitzero"`
	At       time.Time      `json:"at,omitzero"`
	Kind     DrawerKind     `json:"kind,omitzero"`
	Currency money.Currency `json:"currency,omitzero"`
	Amount   money.Amount   `json:"amount,omitzero"` // ≥ 0
	Counted  money.Amount   `json:"counted,omitzero"`
	Reason   string         `json:"reason,omitzero"`
	Revision int64          `json:"revision,omitzero"`
	Rank     int            `json:"rank,omitzero"`
	Origin   Origin         `json:"-"`
}

// Terminal is what is known of a till or card terminal, sent as state: the last one wins.
type Terminal struct {
	Location LocationCode  `json:"location,omitzero"`
	Till     TillCode      `json:"till,omitzero"`
	Kind     string        `json:"kind,omitzero"` // "till" or "card"
	Model    string        `json:"model,omitzero"`
	Serial   string        `json:"serial,omitzero"`
	Software string        `json:"software,omitzero"`
	Status   string        `json:"status,omitzero"` // "ok", "busy", "offline", or the device's own word
	Clock    time.Duration `json:"clock,omitzero"`  // till clock minus agent clock
	At       time.Time     `json:"at,omitzero"`
	Offline  *Held         `json:"offline,omitempty"` // nil: it did not say; a count of 0: it holds none
}

// Held is what a card terminal took without asking the bank and still has, or what the bank then declined.
type Held struct {
	Count    int          `json:"count"`
	AtRisk   money.Amount `json:"at_risk,omitzero"`
	Oldest   time.Time    `json:"oldest,omitzero"`
	Payments []Payment    `json:"payments,omitempty"` // the first of them
}

// Location is what the store says of itself, sent as state; head office's registry decides.
type Location struct {
	Code     LocationCode   `json:"code,omitzero"`
	Name     string         `json:"name,omitzero"`
	Zone     string         `json:"zone,omitzero"`   // IANA name
	Cutoff   string         `json:"cutoff,omitzero"` // "04:00"
	Currency money.Currency `json:"currency,omitzero"`
	At       time.Time      `json:"at,omitzero"`
}

// OfPayments marks how far a source has read card payments: it says nothing of tickets and closes no store-day.
const OfPayments = "payments"

// ReadTo is a source's proof: everything of Location before Through has been captured and stands before this mark in the stream.
type ReadTo struct {
	Source   string       `json:"source,omitzero"`
	Of       string       `json:"of,omitzero"` // "" = tickets
	Location LocationCode `json:"location,omitzero"`
	Through  time.Time    `json:"through,omitzero"`
	Profile  string       `json:"profile,omitzero"` // which says what else the source proves; "" = none
}

// Control is a control total of a location's day, from the till's Z report or the vendor's analyzer.
type Control struct {
	Source   string       `json:"source,omitzero"`
	Location LocationCode `json:"location,omitzero"`
	Day      BusinessDate `json:"day,omitzero"`
	Tickets  int64        `json:"tickets,omitzero"` // count, -1 = not given
	Gross    money.Amount `json:"gross,omitzero"`   // lines without tax, returns deducted
	Tax      money.Amount `json:"tax,omitzero"`
	Paid     money.Amount `json:"paid,omitzero"` // sum of tenders
	At       time.Time    `json:"at,omitzero"`
}

func escape(s string) string {
	if !strings.ContainsAny(s, "|%\n") {
		return s
	}
	return strings.NewReplacer("%", "%25", "|", "%7C", "\n", "%0A").Replace(s)
}

// Validate lists every fault of d at once, with code invalid. now bounds its date.
func (d Drawer) Validate(now time.Time) error {
	var bad []error
	say := func(ok bool, format string, args ...any) {
		if !ok {
			bad = append(bad, fmt.Errorf(format, args...))
		}
	}
	say(d.Key.ID != "" && len(d.Key.ID) <= maxIDLength, "the drawer event has no usable id")
	say(d.Location != "", "it names no location")
	say(!d.At.IsZero(), "it has no time")
	say(d.Currency.Valid(), "the currency %q is not an ISO code", d.Currency)
	say(d.Day == "" || d.Day.Valid(), "the business day %q is not a date", d.Day)
	if !d.At.IsZero() {
		bad = append(bad, believable(d.At, d.Day, now)...)
	}
	say(drawerKinds[d.Kind], "its kind %q is unknown", d.Kind)
	for _, a := range []money.Amount{d.Amount, d.Counted} {
		say(a.Minor >= 0 && a.Minor <= MaxMinor, "the amount %s is beyond any drawer", a)
		say(a == money.Amount{} || a.Currency == d.Currency, "the amount %s is not in %s", a, d.Currency)
	}
	return fault.New(fault.Invalid, "drawer event "+d.Key.ID, errors.Join(bad...))
}

var drawerKinds = map[DrawerKind]bool{NoSale: true, PaidIn: true, PaidOut: true, DrawerOpen: true, DrawerClose: true, DrawerCount: true}
