package store

import (
	"context"
	"encoding/hex"

	"github.com/tillpost/tillpost/hub/ingest"
	"github.com/tillpost/tillpost/hub/ledger"
	"github.com/tillpost/tillpost/shared/bug"
	"github.com/tillpost/tillpost/shared/retail"
)

// current is the version in force of a key that was seen before.
type current struct {
	ticket, entry int64
	version       ledger.Version
}

// putVersion books a version of a ticket or drawer event, or says why not. An exact repetition leaves no row of its own: the envelope
// with its checksum is the trace.
func (tx *Tx) putVersion(ctx context.Context, id int64, m ingest.Meaning, f facts) error {
	if m.Entry == nil {
		return nil
	}
	cur, err := tx.newTicket(ctx, m.Entry, f)
	if err != nil {
		return err
	}
	outcome := ledger.First
	if cur == nil {
		if cur, err = tx.current(ctx, m.Entry.Key); err != nil {
			return err
		}
		outcome = ledger.Supersede(&cur.version, m.Version)
	}
	if outcome != ledger.First && outcome != ledger.Duplicate {
		// The till's earlier word told again later (an old export, say) is no news either.
		if told, err := tx.toldBefore(ctx, cur.ticket, m.Version.Hash); err != nil {
			return err
		} else if told {
			outcome = ledger.Duplicate
		}
	}
	if bug.DuplicatePosts && outcome == ledger.Duplicate {
		_, err = tx.putEntry(ctx, id, cur, m, ledger.First)
		return err
	}
	switch outcome {
	case ledger.Duplicate:
		return nil
	case ledger.Clash:
		if err := tx.clash(ctx, id, m, cur); err != nil {
			return err
		}
	}
	entry, err := tx.putEntry(ctx, id, cur, m, outcome)
	if err != nil {
		return err
	}
	if outcome == ledger.Replaces {
		_, err = tx.ExecContext(ctx, `UPDATE ticket SET entry = ?, day = ?, till = ?, number = ?, sequence = ?, at = ? WHERE id = ?`,
			entry, string(m.Entry.Day), string(m.Entry.Till), f.number, f.sequence, micros(f.at), cur.ticket)
	}
	if err == nil && (outcome == ledger.First || outcome == ledger.Replaces) {
		tx.sawTicket(m.Entry, f)
		if err = tx.putTenders(ctx, cur.ticket, m.Record, outcome == ledger.First); err == nil {
			err = tx.putSlip(ctx, cur.ticket, m.Record)
		}
	}
	return err
}

// current reads the version in force of a known key.
func (tx *Tx) current(ctx context.Context, key string) (*current, error) {
	var c current
	var hash []byte
	var loc, till, day string
	err := tx.QueryRowContext(ctx, `SELECT t.id, t.entry, t.location, t.till, t.day, e.hash, e.revision, e.rank FROM ticket t JOIN entry e ON e.id = t.entry WHERE t.key = ?`, key).
		Scan(&c.ticket, &c.entry, &loc, &till, &day, &hash, &c.version.Revision, &c.version.Rank)
	c.version.Hash, c.version.Location, c.version.Till, c.version.Day = hex.EncodeToString(hash), retail.LocationCode(loc), retail.TillCode(till), retail.BusinessDate(day)
	return &c, err
}

func (tx *Tx) toldBefore(ctx context.Context, ticket int64, hash string) (bool, error) {
	b, err := hex.DecodeString(hash)
	if err != nil {
		return false, err
	}
	var n int
	err = tx.QueryRowContext(ctx, `SELECT count(*) FROM entry WHERE ticket = ? AND hash = ?`, ticket, b).Scan(&n)
	return n > 0, err
}

// newTicket makes the row of a key that was never seen, whose entry gets the next id; nil when the key is known. Nearly every ticket is new:
// asking first would cost each of them a look-up more.
func (tx *Tx) newTicket(ctx context.Context, e *ledger.Entry, f facts) (*current, error) {
	next, err := tx.nextEntry(ctx)
	if err != nil {
		return nil, err
	}
	res, err := tx.ExecContext(ctx, `INSERT INTO ticket (key, kind, location, till, number, sequence, day, at, entry) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (key) DO NOTHING`,
		e.Key, e.Kind, string(e.Location), string(e.Till), f.number, f.sequence, string(e.Day), micros(f.at), next)
	if err != nil {
		return nil, err
	}
	if n, err := res.RowsAffected(); err != nil || n == 0 {
		return nil, err
	}
	id, err := res.LastInsertId()
	return &current{ticket: id}, err
}

// nextEntry is the id that the next entry of this transaction gets. One writer: nobody else takes it.
func (tx *Tx) nextEntry(ctx context.Context) (int64, error) {
	if tx.lastEntry == 0 {
		if err := tx.QueryRowContext(ctx, `SELECT COALESCE(max(id), 0) FROM entry`).Scan(&tx.lastEntry); err != nil {
			return 0, err
		}
	}
	return tx.lastEntry + 1, nil
}

func (tx *Tx) putEntry(ctx context.Context, envelope int64, c *current, m ingest.Meaning, outcome ledger.Outcome) (id int64, err error) {
	if id, err = tx.nextEntry(ctx); err != nil {
		return 0, err
	}
	tx.lastEntry = id
	hash, err := hex.DecodeString(m.Version.Hash)
	if err != nil {
		return 0, err
	}
	e, undo := m.Entry, int64(0)
	if outcome == ledger.Replaces {
		undo = c.entry
	}
	_, err = tx.ExecContext(ctx, `INSERT INTO entry (id, ticket, envelope, outcome, undo, location, day, hash, revision, rank, void, currency, gross, tax, rounded, lines, uncosted, postings, cashier)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`, id, c.ticket, envelope, string(outcome), undo, string(e.Location), string(e.Day), hash,
		m.Version.Revision, m.Version.Rank, m.Version.Void, string(e.Currency), e.Gross.Minor, e.Tax.Minor, e.Rounded, e.Lines, e.Uncosted, encodePostings(e.Postings), e.Cashier)
	return id, err
}
