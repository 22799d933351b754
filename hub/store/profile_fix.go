package store

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/tillpost/tillpost/hub/ingest"
	"github.com/tillpost/tillpost/shared/decode"
	"github.com/tillpost/tillpost/shared/envelope"
	"github.com/tillpost/tillpost/shared/fault"
	"github.com/tillpost/tillpost/shared/mode"
	"github.com/tillpost/tillpost/shared/profile"
)

// fix reads refused rows by the profile as their store has sent it since.
type fix struct {
	name, last string
	known      func(version string) (bool, error)
}

// fixOf is the fix of rows of e's store; nil = none of its devices sent the profile. A device that speaks for every location fixes its own rows alone.
func (s *Store) fixOf(ctx context.Context, q querier, e *envelope.Envelope) (*fix, error) {
	if e.Kind != decode.Rows {
		return nil, nil
	}
	f := fix{name: profileOf(e.Body).Profile}
	err := q.QueryRowContext(ctx, `SELECT version FROM profile_sent WHERE name = ? AND (device = ? OR device IN (SELECT device FROM assignment WHERE location = ?)) ORDER BY envelope DESC LIMIT 1`,
		f.name, string(e.Device), string(e.Location)).Scan(&f.last)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	f.known = func(version string) (bool, error) {
		if _, ok := decode.Shipped(f.name, version); ok {
			return true, nil
		}
		text, err := s.Profile(ctx, f.name, version)
		return len(text) > 0, err
	}
	return &f, classify("read profile", err)
}

// rows are refused rows in the version that came last, or as they are: those of an agent that does not say its version are read by the last already,
// and those whose version has not come wait for it.
func (f *fix) rows(body []byte) ([]byte, error) {
	if f == nil {
		return body, nil
	}
	by := profileOf(body)
	if by.Profile != f.name || by.Version == "" || by.Version == f.last {
		return body, nil
	}
	if ok, err := f.known(by.Version); err != nil || !ok {
		return body, err
	}
	return inVersion(body, f.last), nil
}

// mayFix reports whether another version of a profile can be what a refused record wants: it waits for nothing else.
func mayFix(refused error) bool {
	return fault.Is(refused, fault.Invalid) && !errors.Is(refused, profile.ErrUnknown) && !errors.Is(refused, ingest.ErrUnplaced) && !errors.Is(refused, mode.ErrMixed)
}

// byFix reads a refused record once more by the profile as its store has sent it since: a fix of the profile is there to have the rows booked that the
// one before could not read. What it books is read by it from then on; what is booked already is not read by another.
func (s *Store) byFix(ctx context.Context, tx *Tx, id int64, e *envelope.Envelope, m ingest.Meaning, mean func(*envelope.Envelope) ingest.Meaning) (ingest.Meaning, gathered, error) {
	if !mayFix(m.Refused) {
		return m, nil, nil
	}
	f, err := s.fixOf(ctx, tx, e)
	if err != nil || f == nil {
		return m, nil, err
	}
	fixed := *e
	if fixed.Body, err = f.rows(e.Body); err != nil {
		return m, nil, err
	}
	n := mean(&fixed)
	if err := s.mayTell(ctx, id, fixed, &n); err != nil {
		return m, nil, err
	}
	n, g, err := s.gatherBy(ctx, tx, id, &fixed, n, 0, f)
	if err != nil {
		return m, nil, err
	}
	if n.Refused != nil {
		if n.Refused.Error() != m.Refused.Error() {
			m.Refused = fmt.Errorf("%w; and by the profile as the store sent it since: %w", m.Refused, n.Refused)
		}
		return m, nil, nil
	}
	if !bytes.Equal(fixed.Body, e.Body) {
		err = tx.keepFix(ctx, id, f)
	}
	if err == nil {
		err = tx.keepFixes(ctx, g, f)
	}
	return n, g, err
}

// keepFixes notes which of a ticket's shares are read by a fix.
func (tx *Tx) keepFixes(ctx context.Context, g gathered, f *fix) error {
	for _, one := range g {
		if one.fixed {
			if err := tx.keepFix(ctx, one.id, f); err != nil {
				return err
			}
		}
	}
	return nil
}

func (tx *Tx) keepFix(ctx context.Context, id int64, f *fix) error {
	_, err := tx.ExecContext(ctx, `INSERT INTO read_by (envelope, version) VALUES (?, ?) ON CONFLICT (envelope) DO UPDATE SET version = excluded.version`, id, f.last)
	return err
}

// inFix gives rows the version by which they were booked, where that is not the one that they were made with.
func inFix(ctx context.Context, q querier, id int64, e *envelope.Envelope) error {
	if e.Kind != decode.Rows {
		return nil
	}
	var version string
	err := q.QueryRowContext(ctx, `SELECT version FROM read_by WHERE envelope = ?`, id).Scan(&version)
	if errors.Is(err, sql.ErrNoRows) {
		return nil
	}
	if err == nil {
		e.Body = inVersion(e.Body, version)
	}
	return classify("read record", err)
}

// madeBy is the profile that rows were made with.
type madeBy struct{ Profile, Version string }

func profileOf(body []byte) (by madeBy) {
	_ = json.Unmarshal(body, &by) // what cannot be read was made with none
	return by
}

// inVersion gives rows another version of their profile.
func inVersion(body []byte, version string) []byte {
	var r map[string]json.RawMessage
	if json.Unmarshal(body, &r) != nil {
		return body
	}
	r["version"], _ = json.Marshal(version)
	out, err := json.Marshal(r)
	if err != nil {
		return body
	}
	return out
}
