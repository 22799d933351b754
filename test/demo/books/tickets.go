package books

import (
	"cmp"
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"maps"
	"math/big"
	"slices"
	"strings"
)

// Ticket is a ticket as the ledger holds it: the version in force.
type Ticket struct {
	ID, Day string
	Cents   int64 // lines and taxes
}

// Tickets lists a location's tickets from the hub's own database file, in the order of their keys.
func Tickets(ctx context.Context, db *sql.DB, location string) (out []Ticket, err error) {
	rows, err := db.QueryContext(ctx, `SELECT t.key, t.day, e.gross + e.tax FROM ticket t JOIN entry e ON e.id = t.entry WHERE t.location = ? AND t.kind = 'ticket' ORDER BY t.key`, location)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var t Ticket
		if err := rows.Scan(&t.ID, &t.Day, &t.Cents); err != nil {
			return nil, err
		}
		t.ID = t.ID[strings.LastIndex(t.ID, "|")+1:]
		out = append(out, t)
	}
	return out, rows.Err()
}

// What may be wrong with a ticket.
const (
	Lost    = "lost"    // told, and not in the ledger
	Foreign = "foreign" // in the ledger, and never told: a doubled one among them
	Shifted = "shifted" // on another day
	Off     = "off"     // other cents
)

// Difference is one ticket about which till and ledger do not agree.
type Difference struct {
	Location, Ticket, What string
	Till, Ledger           int64 // cents
	Booked, Day            string
}

func (d Difference) String() string {
	switch d.What {
	case Lost:
		return fmt.Sprintf("%s: ticket %s with %s was sold and is not in the ledger", d.Location, d.Ticket, Text(d.Till))
	case Foreign:
		return fmt.Sprintf("%s: ticket %s with %s is in the ledger, and no till sold it", d.Location, d.Ticket, Text(d.Ledger))
	case Shifted:
		return fmt.Sprintf("%s: ticket %s with %s is booked on %s instead of %s", d.Location, d.Ticket, Text(d.Ledger), d.Booked, d.Day)
	}
	return fmt.Sprintf("%s: ticket %s is %s at the till and %s in the ledger", d.Location, d.Ticket, Text(d.Till), Text(d.Ledger))
}

// Differences compares what a location's tills told of a day with what the ledger has, ticket by ticket.
func Differences(location, day string, told Told, ledger []Ticket) (out []Difference) {
	open := maps.Clone(told)
	for _, t := range ledger {
		w, known := open[t.ID]
		delete(open, t.ID) // a second one of the same id is foreign
		d := Difference{Location: location, Ticket: t.ID, Till: w.Cents, Ledger: t.Cents, Booked: t.Day, Day: cmp.Or(w.Day, day)}
		switch {
		case !known:
			d.What = Foreign
		case t.Day != d.Day:
			d.What = Shifted
		case w.Cents != t.Cents:
			d.What = Off
		default:
			continue
		}
		out = append(out, d)
	}
	for _, id := range slices.Sorted(maps.Keys(open)) {
		out = append(out, Difference{Location: location, Ticket: id, What: Lost, Till: open[id].Cents, Day: day})
	}
	return out
}

// Told is what tills told of their tickets: by id, the word with the highest revision, whenever it came.
type Told map[string]Word

// Word is one version of a ticket.
type Word struct {
	Revision, Cents int64
	Day             string // on which it belongs where that is not the day told, "" = that one
}

// Hear takes one more word of a till; a void comes to nothing.
func (t Told) Hear(body []byte) error {
	var x struct {
		ID       string `json:"id"`
		Kind     string `json:"kind"`
		Revision int64  `json:"revision"`
		Lines    []struct {
			Amount json.Number `json:"amount"`
		} `json:"lines"`
	}
	if err := json.Unmarshal(body, &x); err != nil {
		return err
	}
	sum := new(big.Rat)
	for _, l := range x.Lines {
		a, ok := new(big.Rat).SetString(string(l.Amount))
		if !ok {
			return fmt.Errorf("ticket %s: amount %q", x.ID, l.Amount)
		}
		sum.Add(sum, a)
	}
	sum.Mul(sum, big.NewRat(100, 1))
	if !sum.IsInt() {
		return fmt.Errorf("ticket %s: parts of a cent", x.ID)
	}
	w := Word{Revision: x.Revision, Cents: sum.Num().Int64()}
	if x.Kind == "void" {
		w.Cents = 0
	}
	if have, known := t[x.ID]; !known || w.Revision >= have.Revision {
		t[x.ID] = w
	}
	return nil
}

// Text writes cents as a person reads them: "-12.30".
func Text(cents int64) string {
	sign := ""
	if cents < 0 {
		sign, cents = "-", -cents
	}
	return fmt.Sprintf("%s%d.%02d", sign, cents/100, cents%100)
}
