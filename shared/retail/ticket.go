package retail

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/shopspring/decimal"

	"github.com/tillpost/tillpost/shared/fault"
	"github.com/tillpost/tillpost/shared/money"
)

// Key is what makes two captures the same thing: the vendor's id within the scope that the profile declares. The source is not part of
// it: a ticket seen by file, API and push is one (DESIGN D6).
type Key struct {
	Tenant string `json:"tenant,omitzero"` // the customer's account at the vendor
	System string `json:"system,omitzero"` // vendor system: "heartland-retail", "tillpost", …
	Record string `json:"record,omitzero"` // "ticket", "payment", "batch", "drawer"
	Scope  string `json:"scope,omitzero"`  // "", or location, location/till, location/till/day
	ID     string `json:"id,omitzero"`     // the vendor's id; one that looks like a card number is a guard token
}

// String is the key in one line, parts separated by '|'; parts are escaped, so two keys never share a text.
func (k Key) String() string {
	return escape(k.Tenant) + "|" + escape(k.System) + "|" + escape(k.Record) + "|" + escape(k.Scope) + "|" + escape(k.ID)
}

// Numbered is the scope of a key by the number on the receipt, within a location.
func Numbered(l LocationCode) string { return numbered + string(l) }

const numbered = "number/"

// ByNumber reports whether k names a ticket by the number on its receipt, as exports do.
func (k Key) ByNumber() bool { return strings.HasPrefix(k.Scope, numbered) }

// TicketKind says what the till did. Whether money moved is told by the lines and tenders alone.
type TicketKind string

const (
	Sale     TicketKind = "sale"
	Return   TicketKind = "return"
	Exchange TicketKind = "exchange" // sold and returned lines on one ticket
	Void     TicketKind = "void"     // cancelled; posts nothing, whatever its lines say
)

// Origin is where a record was read: enough to find its rows again.
type Origin struct {
	Source  string // the source's name in the agent's configuration
	File    string // base name, "" when no file
	SHA256  string // of the whole settled file
	Rows    []int  // 1-based row numbers in the file, or nil
	Profile string
}

// Ticket is a sale, return or mix as the till wrote it. Lines sum to what was owed, tenders to what was paid, and both are equal.
type Ticket struct {
	Key      Key
	Also     []Key  // other names under which a poorer source may tell of it: an export knows only what stands on the receipt
	Number   string // what a cashier reads on the receipt
	Sequence int64  // the till's running number for the gap check, 0 = none
	Location LocationCode
	Till     TillCode
	Cashier  string
	Day      BusinessDate // the till's own business day, "" if it gives none
	At       time.Time    // completion, UTC
	Kind     TicketKind
	Currency money.Currency
	Lines    []Line
	Tenders  []Tender
	Parent   string // vendor id of the ticket that is returned or exchanged
	Customer string // vendor's customer id only: names and addresses stay in the raw record
	Revision int64  // the vendor's revision, or updated_at in Unix microseconds; 0 = none
	Rank     int    // declared rank of the source: a lower one never replaces a higher
	Rounded  string // decimal text: booked total minus the source's exact total, "" = 0
	Origin   Origin
}

// LineKind says which measure of the store-day a line belongs to.
type LineKind string

const (
	Item     LineKind = "item"
	Tax      LineKind = "tax"
	Discount LineKind = "discount"
	Shipping LineKind = "shipping"
	GiftCard LineKind = "gift_card" // sold or loaded: a liability, not a sale
	Tip      LineKind = "tip"
	Fee      LineKind = "fee"
	Deposit  LineKind = "deposit"  // layaway or order deposit taken (positive) or applied (negative)
	Account  LineKind = "account"  // received on a house account
	Rounding LineKind = "rounding" // cash rounding
)

var lineKinds = map[LineKind]bool{Item: true, Tax: true, Discount: true, Shipping: true, GiftCard: true, Tip: true, Fee: true,
	Deposit: true, Account: true, Rounding: true}

// Line is one signed amount of a ticket: positive is owed by the customer, negative is owed to the customer.
type Line struct {
	Kind        LineKind
	Code        string // item number; tax jurisdiction; discount or fee code
	Category    string // sales category or department: what the mapping knows
	Description string
	Quantity    decimal.Decimal
	Amount      money.Amount // extended, tax excluded, discount included unless a discount line says it
	Reason      string
	Cost        money.Amount // what goods had cost, extended, with the sign of what was sold; without currency = not known
	Taxes       []string     `json:",omitempty"` // codes of the taxes on it, as the ticket's tax lines are coded; none in any line = the till does not say
}

// CostOf is what a line's goods had cost, rounded to the minor unit; goods that come back take their cost back, however the source writes it. A
// cost beyond any ticket is not known: a sale goes to the books whatever its goods had cost.
func CostOf(back bool, cost decimal.Decimal, c money.Currency) money.Amount {
	if back && cost.IsPositive() {
		cost = cost.Neg()
	}
	a, err := money.Round(cost, c)
	if err != nil || a.Minor > MaxMinor || a.Minor < -MaxMinor {
		return money.Amount{}
	}
	return a
}

// Tender is one signed way of paying: negative is money given back. Card numbers never get here (package guard).
type Tender struct {
	Type   string // the till's own word: "cash", "Ewallet", "VISA": what the mapping knows
	Brand  string
	Amount money.Amount
	Ref    string // gateway transaction id or gift card token
	Last4  string
	Auth   string
}

// Total is the sum of the lines: what the ticket comes to.
func (t Ticket) Total() (money.Amount, error) { return sumLines(t.Lines, "") }

// TaxTotal is the sum of the tax lines.
func (t Ticket) TaxTotal() (money.Amount, error) { return sumLines(t.Lines, Tax) }

// Paid is the sum of the tenders.
func (t Ticket) Paid() (total money.Amount, err error) {
	for _, p := range t.Tenders {
		if total, err = total.Add(p.Amount); err != nil {
			return money.Amount{}, err
		}
	}
	return total, nil
}

func sumLines(lines []Line, kind LineKind) (total money.Amount, err error) {
	for _, l := range lines {
		if kind != "" && l.Kind != kind {
			continue
		}
		if total, err = total.Add(l.Amount); err != nil {
			return money.Amount{}, err
		}
	}
	return total, nil
}

// Limits keep absurd input out of the books: it is refused with a case, not posted.
const (
	MaxLines    = 20_000         // a wholesale invoice has some hundreds
	MaxTaxes    = 20             // on one line; a place has at most six or seven jurisdictions
	MaxMinor    = 10_000_000_00  // ten million of a two-digit currency on one line
	MaxFuture   = 36 * time.Hour // a till's clock may be wrong by a time zone and a bit
	MaxAge      = 20 * 365       // days
	MaxBehind   = 31             // days of a business day before the time of a sale: a till's day may stay open until somebody closes it
	maxIDLength = 256
)

// Validate lists every fault of t at once, with code invalid. now bounds its date.
func (t Ticket) Validate(now time.Time) error {
	var bad []error
	say := func(ok bool, format string, args ...any) {
		if !ok {
			bad = append(bad, fmt.Errorf(format, args...))
		}
	}
	say(t.Key.ID != "" && len(t.Key.ID) <= maxIDLength, "the ticket has no usable id")
	say(t.Location != "" && len(t.Location) <= maxIDLength, "the ticket names no location; where a file names none, the folder's settings must, or import --location")
	say(t.Currency.Valid(), "the currency %q is not an ISO code", t.Currency)
	say(t.Day == "" || t.Day.Valid(), "the business day %q is not a date", t.Day)
	say(!t.At.IsZero(), "the ticket has no time")
	for _, err := range believable(t.At, t.Day, now) {
		bad = append(bad, err)
	}
	say(len(t.Lines) <= MaxLines, "it has %d lines, more than %d", len(t.Lines), MaxLines)
	say(t.Kind == Sale || t.Kind == Return || t.Kind == Exchange || t.Kind == Void, "its kind %q is unknown", t.Kind)
	say(t.Kind == Void || len(t.Lines)+len(t.Tenders) > 0, "it has neither lines nor tenders")
	for i, l := range t.Lines {
		if !lineKinds[l.Kind] {
			bad = append(bad, fmt.Errorf("line %d is of unknown kind %q", i+1, l.Kind))
		}
		bad = append(bad, t.checkAmount(l.Amount, "line", i+1)...)
	}
	for i, p := range t.Tenders {
		if p.Type == "" {
			bad = append(bad, fmt.Errorf("tender %d has no type", i+1))
		}
		bad = append(bad, t.checkAmount(p.Amount, "tender", i+1)...)
	}
	if len(bad) == 0 && t.Kind != Void {
		bad = append(bad, t.balance()...)
	}
	return fault.New(fault.Invalid, "ticket "+t.Number, errors.Join(bad...))
}

// believable lists what cannot be true of a record's time and of the business day that its till gives it, "" = none.
func believable(at time.Time, day BusinessDate, now time.Time) (bad []error) {
	if at.After(now.Add(MaxFuture)) {
		bad = append(bad, fmt.Errorf("its time %s is in the future", at.Format(time.RFC3339)))
	}
	if !at.After(now.AddDate(0, 0, -MaxAge)) {
		bad = append(bad, fmt.Errorf("its time %s is more than %d days ago", at.Format(time.RFC3339), MaxAge))
	}
	if day == "" || at.IsZero() {
		return bad
	}
	if ahead := day.DaysSince(DateOf(at.UTC())); ahead > 2 || ahead < -MaxBehind {
		bad = append(bad, fmt.Errorf("its business day %s is %d days away from its time %s: it would be booked there", day, max(ahead, -ahead), at.Format(time.RFC3339)))
	}
	return bad
}

func (t Ticket) checkAmount(a money.Amount, what string, n int) (bad []error) {
	if a.Currency != t.Currency {
		bad = append(bad, fmt.Errorf("%s %d is in %s, the ticket in %s", what, n, a.Currency, t.Currency))
	}
	if a.Minor > MaxMinor || a.Minor < -MaxMinor {
		bad = append(bad, fmt.Errorf("%s %d of %s is beyond any ticket", what, n, a))
	}
	return bad
}

func (t Ticket) balance() []error {
	total, err1 := t.Total()
	paid, err2 := t.Paid()
	if err := errors.Join(err1, err2); err != nil {
		return []error{err}
	}
	if total.Minor != paid.Minor {
		return []error{fmt.Errorf("its lines come to %s, its tenders to %s: %w", total, paid, ErrUnbalanced)}
	}
	return nil
}

// ErrUnbalanced: a ticket's lines and tenders differ.
var ErrUnbalanced = errors.New("the ticket does not balance")

// SourceLines is how many rows of its source the ticket was read from: its rows of a file, else its lines.
func (t Ticket) SourceLines() int {
	if len(t.Origin.Rows) > 0 {
		return len(t.Origin.Rows)
	}
	return len(t.Lines)
}
