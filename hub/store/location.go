package store

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/tillpost/tillpost/hub/cases"
	"github.com/tillpost/tillpost/hub/ledger"
	"github.com/tillpost/tillpost/hub/lockdate"
	"github.com/tillpost/tillpost/hub/rollup"
	"github.com/tillpost/tillpost/hub/view"
	"github.com/tillpost/tillpost/shared/money"
	"github.com/tillpost/tillpost/shared/retail"
)

// Location is a store in the hub's registry.
type Location struct {
	Code      retail.LocationCode `json:"code"`
	Name      string              `json:"name"`
	Currency  money.Currency      `json:"currency"`
	Company   string              `json:"company,omitempty"`
	OpenDays  string              `json:"open_days,omitempty"` // "mon tue wed"; "" = no day is expected
	Review    view.Review         `json:"review,omitempty"`
	Shadow    retail.BusinessDate `json:"shadow_until,omitempty"` // first day that is posted, "" = as head office says for all
	OldWay    string              `json:"old_journal,omitempty"`  // where the old way writes in Odoo
	Costs     retail.BusinessDate `json:"cogs_from,omitempty"`    // first day whose cost of goods is posted, "" = none
	Period    lockdate.Policy     `json:"closed_period,omitempty"`
	Posting   rollup.Mode         `json:"posting,omitempty"` // as what its days go to the books; setting it, "" = as it is
	Confirmed bool                `json:"confirmed"`
	Seen      time.Time           `json:"seen,omitzero"`
	Zone      string              `json:"zone"`
	Cutoff    string              `json:"cutoff"`
	Tills     []Till              `json:"tills,omitempty"`

	PostingFrom retail.BusinessDate `json:"-"` // the mode holds from this day on, "" = always
}

// Till is a register or terminal in the registry.
type Till struct {
	Code      retail.TillCode `json:"code"`
	Confirmed bool            `json:"confirmed"`
	Number    string          `json:"last_number,omitempty"`
	Sequence  int64           `json:"last_sequence,omitempty"`
	Seen      time.Time       `json:"seen,omitzero"`
	Clock     time.Duration   `json:"clock_offset,omitempty"`
	Told      string          `json:"told,omitempty"`
}

// tillKey names a till.
type tillKey struct {
	location retail.LocationCode
	till     retail.TillCode
}

// touched collects what a transaction saw, so that each registry row is written once per transaction and not once per ticket.
type touched struct {
	tills     map[tillKey]facts
	days      map[dayKey]bool
	locations map[retail.LocationCode]bool
	match     map[dayKey]bool // by UTC date
}

type dayKey struct {
	location retail.LocationCode
	day      retail.BusinessDate
}

func (tx *Tx) sawTicket(e *ledger.Entry, f facts) {
	if tx.seen.tills == nil {
		tx.seen.tills = map[tillKey]facts{}
	}
	k := tillKey{e.Location, e.Till}
	have := tx.seen.tills[k]
	// An event at the drawer shows that the till lives, and has no number that anybody reads.
	if e.Kind == "ticket" && (have.number == "" || f.sequence > have.sequence || f.sequence == have.sequence && !f.at.Before(have.at)) {
		have.number, have.sequence = f.number, f.sequence
	}
	if f.at.After(have.at) {
		have.at = f.at
	}
	tx.seen.tills[k] = have
}

func (tx *Tx) touchDay(l retail.LocationCode, d retail.BusinessDate) {
	if tx.seen.days == nil {
		tx.seen.days = map[dayKey]bool{}
	}
	tx.seen.days[dayKey{l, d}] = true
}

func (tx *Tx) touchLocation(l retail.LocationCode) {
	if tx.seen.locations == nil {
		tx.seen.locations = map[retail.LocationCode]bool{}
	}
	tx.seen.locations[l] = true
}

// flush writes what the transaction collected; InTx calls it before the commit.
func (tx *Tx) flush(ctx context.Context) error {
	for k, f := range tx.seen.tills {
		tx.touchLocation(k.location)
		if k.till == "" {
			continue
		}
		if _, err := tx.ExecContext(ctx, `INSERT INTO till (location, code, number, sequence, seen) VALUES (?, ?, ?, ?, ?) ON CONFLICT (location, code) DO UPDATE SET
			number = CASE WHEN excluded.number <> '' AND (excluded.seen >= till.seen OR excluded.sequence > till.sequence) THEN excluded.number ELSE till.number END,
			sequence = max(till.sequence, excluded.sequence), seen = max(till.seen, excluded.seen)`,
			string(k.location), string(k.till), f.number, f.sequence, micros(f.at)); err != nil {
			return err
		}
		if err := tx.askTill(ctx, k); err != nil {
			return err
		}
	}
	for l := range tx.seen.locations {
		if err := tx.askLocation(ctx, l); err != nil {
			return err
		}
		if _, err := tx.ExecContext(ctx, `UPDATE day SET dirty = 1 WHERE location = ? AND state IN ('open', 'complete', 'audited', 'shadow')`, string(l)); err != nil {
			return err
		}
	}
	for k := range tx.seen.days {
		if _, err := tx.ExecContext(ctx, `INSERT INTO day (location, day) VALUES (?, ?) ON CONFLICT (location, day) DO UPDATE SET dirty = 1`, string(k.location), string(k.day)); err != nil {
			return err
		}
	}
	return tx.flushMatch(ctx)
}

// askTill and askLocation open the one question that an unknown name needs answered. While the location itself is unknown its tills ask
// nothing: whoever confirms it confirms them with it.
func (tx *Tx) askTill(ctx context.Context, k tillKey) error {
	var confirmed, known bool
	err := tx.QueryRowContext(ctx, `SELECT confirmed, COALESCE((SELECT confirmed FROM location WHERE code = till.location), 0) FROM till WHERE location = ? AND code = ?`,
		string(k.location), string(k.till)).Scan(&confirmed, &known)
	if err != nil || confirmed || !known {
		return err
	}
	c := cases.New(cases.UnknownTill, string(k.location)+"/"+string(k.till), tx.Now)
	c.Location, c.Detail = k.location, fmt.Sprintf("till %s of location %s", k.till, k.location)
	return tx.ask(ctx, c)
}

func (tx *Tx) askLocation(ctx context.Context, l retail.LocationCode) error {
	var confirmed bool
	err := tx.QueryRowContext(ctx, `INSERT INTO location (code, seen) VALUES (?, ?) ON CONFLICT (code) DO UPDATE SET seen = excluded.seen RETURNING confirmed`, string(l), micros(tx.Now)).Scan(&confirmed)
	if err != nil || confirmed {
		return err
	}
	c := cases.New(cases.UnknownLocation, string(l), tx.Now)
	c.Location, c.Detail = l, "location "+string(l)
	return tx.ask(ctx, c)
}

// tellLocation keeps the store's own word of itself beside head office's: it proposes, it does not decide.
func (tx *Tx) tellLocation(ctx context.Context, l retail.Location) error {
	told, err := json.Marshal(l)
	if err != nil {
		return err
	}
	tx.touchLocation(l.Code)
	if _, err = tx.ExecContext(ctx, `INSERT INTO location (code, name, currency, seen, told) VALUES (?, ?, ?, ?, ?) ON CONFLICT (code) DO UPDATE SET told = excluded.told, seen = excluded.seen`,
		string(l.Code), l.Name, string(l.Currency), micros(tx.Now), string(told)); err != nil {
		return err
	}
	if _, err := time.LoadLocation(l.Zone); err != nil || l.Zone == "" {
		return nil // an unknown zone is no proposal
	}
	if _, err := retail.ParseClock(l.Cutoff); err != nil {
		l.Cutoff = "00:00"
	}
	_, err = tx.ExecContext(ctx, `INSERT INTO trading (location, since, zone, cutoff) VALUES (?, '', ?, ?) ON CONFLICT (location, since) DO NOTHING`, string(l.Code), l.Zone, l.Cutoff)
	return err
}

func (tx *Tx) tellTerminal(ctx context.Context, t retail.Terminal) error {
	told, err := json.Marshal(t)
	if err != nil {
		return err
	}
	tx.touchLocation(t.Location)
	_, err = tx.ExecContext(ctx, `INSERT INTO till (location, code, seen, skew, told) VALUES (?, ?, ?, ?, ?) ON CONFLICT (location, code) DO UPDATE SET
		told = excluded.told, skew = excluded.skew, seen = max(till.seen, excluded.seen)`, string(t.Location), string(t.Till), micros(t.At), t.Clock.Microseconds(), string(told))
	if err == nil {
		err = tx.holdsOffline(ctx, t)
	}
	if err != nil || t.Kind == "card" { // a card terminal rings up nothing: no question about it
		return err
	}
	return tx.askTill(ctx, tillKey{t.Location, t.Till})
}
