package store

import (
	"context"
	"database/sql"
	"errors"
	"slices"
	"strings"

	"github.com/tillpost/tillpost/shared/envelope"
	"github.com/tillpost/tillpost/shared/profile"
)

// putProfile keeps the text of a profile beside every other one of its name.
func (tx *Tx) putProfile(ctx context.Context, id int64, e *envelope.Envelope) error {
	version := profile.VersionOf(e.Body)
	for _, put := range []struct {
		query string
		args  []any
	}{
		{`INSERT INTO profile (name, own, body) VALUES (?, 0, ?) ON CONFLICT (name, own) DO UPDATE SET body = excluded.body`, []any{e.Key, string(e.Body)}},
		{`INSERT INTO profile_text (name, version, body) VALUES (?, ?, ?) ON CONFLICT (name, version) DO NOTHING`, []any{e.Key, version, string(e.Body)}},
		{`INSERT INTO profile_sent (name, device, version, envelope) VALUES (?, ?, ?, ?) ON CONFLICT (name, device) DO UPDATE SET version = excluded.version, envelope = excluded.envelope`,
			[]any{e.Key, string(e.Device), version, id}},
	} {
		if _, err := tx.ExecContext(ctx, put.query, put.args...); err != nil {
			return err
		}
	}
	return nil
}

// Profile returns the text by which rows of a version of a profile are read: the hub's own before all, else the one that they were made with; of rows
// that do not say which, the last that came. It is empty when that is not here, or is the shipped one.
func (s *Store) Profile(ctx context.Context, name, version string) ([]byte, error) {
	var body, last string
	var own bool
	err := s.read.QueryRowContext(ctx, `SELECT body, own FROM profile WHERE name = ? ORDER BY own DESC LIMIT 1`, name).Scan(&last, &own)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return nil, nil // neither is there another version of it
	case err != nil:
		return nil, classify("read profile", err)
	case own || version == "" || version == profile.VersionOf([]byte(last)):
		return []byte(last), nil
	}
	err = s.read.QueryRowContext(ctx, `SELECT COALESCE((SELECT body FROM profile_text WHERE name = ? AND version = ?), '')`, name, version).Scan(&body)
	return []byte(body), classify("read profile", err)
}

// KnownProfile is a profile by name, and whose version is in force.
type KnownProfile struct {
	Name     string `json:"name"`
	Whose    string `json:"whose"`              // "the hub's own", "sent by an agent" or "shipped"
	Versions int    `json:"versions,omitempty"` // how many texts of it agents sent: rows are read by the one that they were made with
}

// Profiles lists shipped profiles and those that were set here or came from agents.
func (s *Store) Profiles(ctx context.Context, shipped []string) (out []KnownProfile, err error) {
	known := map[string]KnownProfile{}
	for _, n := range shipped {
		known[n] = KnownProfile{Name: n, Whose: "shipped"}
	}
	err = each(ctx, s.read, func(r *sql.Rows) error {
		var k KnownProfile
		var own int
		err := r.Scan(&k.Name, &own, &k.Versions)
		k.Whose = [...]string{"sent by an agent", "the hub's own"}[min(own, 1)]
		known[k.Name] = k
		return err
	}, `SELECT name, max(own), (SELECT count(*) FROM profile_text x WHERE x.name = p.name) FROM profile p GROUP BY name`)
	for _, k := range known {
		out = append(out, k)
	}
	slices.SortFunc(out, func(a, b KnownProfile) int { return strings.Compare(a.Name, b.Name) })
	return out, classify("list profiles", err)
}

// SetProfile stores the hub's own version of a profile, audited; reprocess then reads what was refused.
func (s *Store) SetProfile(ctx context.Context, name string, body []byte, who, reason string) error {
	before, err := s.Profile(ctx, name, "")
	if err != nil {
		return err
	}
	return s.InTx(ctx, func(tx *Tx) error {
		if _, err := tx.ExecContext(ctx, `INSERT INTO profile (name, own, body) VALUES (?, 1, ?) ON CONFLICT (name, own) DO UPDATE SET body = excluded.body`, name, string(body)); err != nil {
			return err
		}
		return tx.PutStep(ctx, Step{Subject: "profile " + name, Who: who, What: "set", Reason: reason, Before: string(before), After: string(body)})
	})
}
