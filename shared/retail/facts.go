package retail

import (
	"errors"
	"fmt"
	"time"

	"github.com/tillpost/tillpost/shared/fault"
	"github.com/tillpost/tillpost/shared/money"
)

// MaxAhead is how far a mark may prove, and how late a payment may be: a file of whole days proves the day that is not over, and a clock may be wrong. One that proves the year 2099
// would have every day closed before its tickets are here.
const MaxAhead = 7 * 24 * time.Hour

// faults are what is wrong with a record.
type faults []error

func (f *faults) say(ok bool, format string, args ...any) {
	if !ok {
		*f = append(*f, fmt.Errorf(format, args...))
	}
}

func (f *faults) amount(a money.Amount) {
	f.say(a.Minor <= MaxMinor && a.Minor >= -MaxMinor, "the amount %s is beyond any payment", a)
}

// Validate refuses a mark that can prove nothing, with code invalid.
func (r ReadTo) Validate(now time.Time) error {
	var f faults
	f.say(!r.Through.IsZero(), "it does not say through when everything was read")
	f.say(!r.Through.After(now.Add(MaxAhead)), "it says that everything was read through %s, which is in the future", r.Through.Format(time.RFC3339))
	return fault.New(fault.Invalid, "mark of "+r.Source, errors.Join(f...))
}

// Validate refuses a control total that is of no day or of no location, with code invalid.
func (c Control) Validate(now time.Time) error {
	var f faults
	f.say(c.Location != "" && len(c.Location) <= maxIDLength, "it names no location")
	f.say(c.Day.Valid(), "its day %q is not a date like 2026-11-20", c.Day)
	if c.Day.Valid() {
		ahead := c.Day.DaysSince(DateOf(now.UTC()))
		f.say(ahead <= 2 && ahead >= -MaxAge, "its day %s is %d days away from today", c.Day, max(ahead, -ahead))
	}
	return fault.New(fault.Invalid, "control total of "+string(c.Location), errors.Join(f...))
}

var (
	paymentStates = map[PaymentState]bool{"": true, PaymentOpen: true, PaymentClosed: true, PaymentVoided: true, PaymentReversed: true, PaymentDeclined: true, PaymentInactive: true, PaymentTimedOut: true}
	batchStates   = map[BatchState]bool{"": true, BatchOpen: true, BatchClosing: true, BatchClosed: true, BatchVoided: true, BatchFailed: true}
)

// Validate refuses a payment that no other record could belong to, with code invalid.
func (p Payment) Validate(now time.Time) error {
	var f faults
	f.say(p.Key.ID != "" && len(p.Key.ID) <= maxIDLength, "the payment has no usable id in its key")
	f.say(paymentStates[p.State], "its state %.40q is unknown", p.State)
	f.say(!p.At.After(now.Add(MaxAhead)), "its time %s is in the future", p.At.Format(time.RFC3339))
	f.amount(p.Amount)
	return fault.New(fault.Invalid, "payment "+p.Key.ID, errors.Join(f...))
}

// Validate refuses a batch that no payment could belong to, with code invalid.
func (b Batch) Validate(now time.Time) error {
	var f faults
	f.say(b.Key.ID != "" && len(b.Key.ID) <= maxIDLength, "the batch has no usable id in its key")
	f.say(batchStates[b.State], "its state %.40q is unknown", b.State)
	f.say(!b.Closed.After(now.Add(MaxAhead)), "its end %s is in the future", b.Closed.Format(time.RFC3339))
	return fault.New(fault.Invalid, "batch "+b.Key.ID, errors.Join(f...))
}

// Validate refuses a terminal that stands nowhere, with code invalid.
func (t Terminal) Validate(time.Time) error {
	var f faults
	f.say(t.Location != "" && len(t.Location) <= maxIDLength, "it names no location")
	return fault.New(fault.Invalid, "terminal "+string(t.Till), errors.Join(f...))
}

// Validate refuses a location without a name, with code invalid.
func (l Location) Validate(time.Time) error {
	var f faults
	f.say(l.Code != "" && len(l.Code) <= maxIDLength, "it has no code")
	return fault.New(fault.Invalid, "location "+string(l.Code), errors.Join(f...))
}
