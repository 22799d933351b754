// Package portico reads what Heartland's payment gateway answers to its report requests: the outcome of a call, the rows of a report, and
// the card payment or settlement batch that a row means. It is pure.
//
// Names, codes and states are those of the Portico Developer Guide, API 3.37.
package portico

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/tillpost/tillpost/shared/fault"
	"github.com/tillpost/tillpost/shared/money"
	"github.com/tillpost/tillpost/shared/retail"
)

// System is the vendor system in the keys of payments and batches.
const System = "heartland-portico"

// Record is the body of an envelope of kind portico.v1: what the gateway said of one payment or batch, each report cut to its one row and
// to the elements that may be kept. The gateway knows neither our location nor, reliably, a currency: the settings say them.
type Record struct {
	Location retail.LocationCode `json:"location"`
	Till     retail.TillCode     `json:"till,omitempty"`
	Currency money.Currency      `json:"currency"`
	Site     string              `json:"site,omitempty"`
	Asked    time.Time           `json:"asked"` // orders what the gateway said of one payment; it never goes back
	Reports  []string            `json:"reports"`
}

// Limits of a Record: two reports of one row each, a few KB, are what a source sends.
const (
	maxReports = 8
	maxRecord  = 4 << 20
)

// Encode writes a record as Decode reads it.
func (r Record) Encode() ([]byte, error) { return json.Marshal(r) }

// Decode reads a record: a retail.Payment, a retail.Batch, or nil for a request that is no payment of its own, such as a void: what it
// did is the next version of the payment concerned. Code invalid.
func Decode(body []byte) (retail.Record, error) {
	var r Record
	if len(body) > maxRecord {
		return nil, fault.Msg(fault.Invalid, "read payment", fmt.Sprintf("the record is over %d MB", maxRecord>>20))
	}
	if err := json.Unmarshal(body, &r); err != nil {
		return nil, fault.New(fault.Invalid, "read payment", err)
	}
	return r.Mean()
}

// Mean is what the record's reports say together; the later report fills in what the earlier ones leave out.
func (r Record) Mean() (retail.Record, error) {
	if len(r.Reports) == 0 || len(r.Reports) > maxReports {
		return nil, fault.Msg(fault.Invalid, "read payment", fmt.Sprintf("the record holds %d reports, not 1 to %d", len(r.Reports), maxReports))
	}
	if !r.Currency.Valid() {
		return nil, fault.Msg(fault.Invalid, "read payment", fmt.Sprintf("the currency %q is not an ISO code: name it in the agent's settings", r.Currency))
	}
	var out retail.Record
	for _, text := range r.Reports {
		rep, err := ParseReport([]byte(text))
		if err != nil {
			return nil, err
		}
		rec, err := r.one(rep)
		if err != nil {
			return nil, err
		}
		if out, err = join(out, rec); err != nil {
			return nil, err
		}
	}
	return out, nil
}

func (r Record) one(rep Report) (retail.Record, error) {
	switch rep.Name {
	case BatchHistory, BatchSummary:
		if len(rep.Rows) > 1 && rep.Name == BatchHistory {
			return nil, fault.Msg(fault.Invalid, "read batch", fmt.Sprintf("%d rows where one was expected", len(rep.Rows)))
		}
		return r.batch(rep)
	case Activity, Find, BatchDetail, OpenAuths, TxnDetail:
		if len(rep.Rows) != 1 {
			return nil, fault.Msg(fault.Invalid, "read payment", fmt.Sprintf("%d rows where one was expected", len(rep.Rows)))
		}
		return r.payment(rep)
	}
	return nil, fault.Msg(fault.Invalid, "read payment", fmt.Sprintf("%.40q is no report that is known", rep.Name))
}

// join puts two readings of one thing together.
func join(a, b retail.Record) (retail.Record, error) {
	if a == nil || b == nil {
		if a == nil {
			a = b
		}
		return a, nil
	}
	switch x := a.(type) {
	case retail.Payment:
		if y, ok := b.(retail.Payment); ok && x.Key == y.Key {
			return x.With(y), nil
		}
	case retail.Batch:
		if y, ok := b.(retail.Batch); ok && x.Key == y.Key {
			return x.With(y), nil
		}
	}
	return nil, fault.Msg(fault.Invalid, "read payment", "its reports speak of different payments")
}
