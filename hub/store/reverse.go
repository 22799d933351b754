package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/tillpost/tillpost/hub/roll"
	"github.com/tillpost/tillpost/hub/rollup"
	"github.com/tillpost/tillpost/shared/fault"
)

// Posted is a document that Odoo has.
type Posted struct {
	Document rollup.Document
	Move     int64
	Parts    map[string]int64 // what belongs to it
	Book     string           // of the settings' databases
	Home     int64            // company there
	State    string
}

// DayPosted lists a store-day's own documents with where they stand.
func (s *Store) DayPosted(ctx context.Context, k rollup.DayKey) (out []Posted, err error) {
	err = each(ctx, s.read, func(r *sql.Rows) error {
		var p Posted
		var body, parts string
		if err := r.Scan(&body, &p.Move, &p.Book, &p.Home, &p.State, &parts); err != nil {
			return err
		}
		err := json.Unmarshal([]byte(body), &p.Document)
		if parts != "" {
			err = errors.Join(err, json.Unmarshal([]byte(parts), &p.Parts))
		}
		out = append(out, p)
		return err
	}, `SELECT body, move, book, home, state, `+partsOf+` FROM document d WHERE location = ? AND day = ? AND own = 1 ORDER BY number`, string(k.Location), string(k.Day))
	return out, classify("list a day's documents", err)
}

// ReverseDay takes a store-day back, but for the lines that are kept: a counter-document is made, nothing that is posted is touched. Codes:
// invalid without a name and a reason, conflict when a document is still on its way.
func (s *Store) ReverseDay(ctx context.Context, k rollup.DayKey, kept []rollup.Line, who, reason string) error {
	if who == "" || strings.TrimSpace(reason) == "" {
		return fault.Msg(fault.Invalid, "reverse day", "say why it is taken back: whoever audits it will ask. Nothing was changed")
	}
	posted, err := s.DayPosted(ctx, k)
	if err != nil {
		return err
	}
	if len(posted) == 0 {
		return fault.Msg(fault.Conflict, "reverse day", "nothing of store-day "+k.String()+" is in the books: there is nothing to take back; hold it instead")
	}
	for _, p := range posted {
		if p.State != roll.Verified && p.State != roll.Accepted {
			return fault.Msg(fault.Conflict, "reverse day", fmt.Sprintf("document %s is %s: wait until it is settled, then take the day back; nothing was changed", p.Document.ID(), p.State))
		}
	}
	body, err := json.Marshal(roll.Reversal{By: who, Why: reason, Kept: kept})
	if err != nil {
		return err
	}
	return s.InTx(ctx, func(tx *Tx) error {
		after := fmt.Sprintf("taken back; %d lines stay because they are matched in Odoo", len(kept))
		return tx.actOnDay(ctx, k, Step{Who: who, What: "taken back", Reason: reason, After: after}, `UPDATE day SET reversed = ?, dirty = 1 WHERE location = ? AND day = ?`, string(body))
	})
}
