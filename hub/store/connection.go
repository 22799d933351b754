package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/tillpost/tillpost/hub/cases"
	"github.com/tillpost/tillpost/hub/view"
	"github.com/tillpost/tillpost/shared/breaker"
	"github.com/tillpost/tillpost/shared/envelope"
	"github.com/tillpost/tillpost/shared/retail"
)

const (
	// maxConnections bounds what one agent may tell: a store has a handful.
	maxConnections = 500
	// maxReason bounds a reason in words.
	maxReason = 500
)

// tellConnections keeps how a device's connections stand. One that refuses is a case, which closes when it works again or is not there any
// more. A list that cannot be read says nothing; the raw record is kept.
func (tx *Tx) tellConnections(ctx context.Context, e *envelope.Envelope) error {
	var list []breaker.Status
	if err := json.Unmarshal(e.Body, &list); err != nil || len(list) > maxConnections {
		return nil
	}
	there := map[string]bool{}
	for _, s := range list {
		there[s.Name] = true
		if err := tx.putConnection(ctx, e.Device, s, e.At); err != nil {
			return err
		}
	}
	var gone []string
	if err := each(ctx, tx, func(r *sql.Rows) error {
		var name string
		err := r.Scan(&name)
		if !there[name] {
			gone = append(gone, name)
		}
		return err
	}, `SELECT name FROM connection WHERE device = ?`, string(e.Device)); err != nil {
		return err
	}
	for _, name := range gone {
		if _, err := tx.ExecContext(ctx, `DELETE FROM connection WHERE device = ? AND name = ?`, string(e.Device), name); err != nil {
			return err
		}
		if err := tx.CloseCase(ctx, refusedCase(e.Device, name), "hub", "the connection is not in the agent's settings any more"); err != nil {
			return err
		}
	}
	return nil
}

// SetConnection keeps how one of the hub's own connections stands.
func (s *Store) SetConnection(ctx context.Context, c breaker.Status) error {
	return s.InTx(ctx, func(tx *Tx) error { return tx.putConnection(ctx, "", c, tx.Now) })
}

func (tx *Tx) putConnection(ctx context.Context, d retail.DeviceID, s breaker.Status, at time.Time) error {
	if r := []rune(s.Reason); len(r) > maxReason {
		s.Reason = string(r[:maxReason]) + "…"
	}
	body, err := json.Marshal(s)
	if err != nil {
		return err
	}
	if _, err := tx.ExecContext(ctx, `INSERT INTO connection (device, name, body, told) VALUES (?, ?, ?, ?) ON CONFLICT (device, name) DO UPDATE SET body = excluded.body, told = excluded.told`,
		string(d), s.Name, string(body), micros(at)); err != nil {
		return err
	}
	switch s.State {
	case breaker.Refused:
		c := cases.New(cases.ConnectionRefused, connectionSubject(d, s.Name), tx.Now)
		c.Detail = s.Name + ": " + s.Reason
		if d != "" {
			c.Detail = fmt.Sprintf("device %s, %s", d, c.Detail)
			c.Do += fmt.Sprintf(" There: agent connection retry %s", s.Name)
		}
		if c.Location, err = tx.onlyLocation(ctx, d); err != nil {
			return err
		}
		return tx.ask(ctx, c)
	case breaker.Closed:
		return tx.CloseCase(ctx, refusedCase(d, s.Name), "hub", "the connection works again")
	}
	return nil
}

// OnlyConnections forgets those of the hub's own connections that the settings do not name any more, with their cases.
func (s *Store) OnlyConnections(ctx context.Context, names []string) error {
	return s.InTx(ctx, func(tx *Tx) error {
		var gone []string
		if err := each(ctx, tx, func(r *sql.Rows) error {
			var name string
			err := r.Scan(&name)
			if !slices.Contains(names, name) {
				gone = append(gone, name)
			}
			return err
		}, `SELECT name FROM connection WHERE device = ''`); err != nil {
			return err
		}
		for _, name := range gone {
			if _, err := tx.ExecContext(ctx, `DELETE FROM connection WHERE device = '' AND name = ?`, name); err != nil {
				return err
			}
			for _, id := range []string{refusedCase("", name), cases.ID(cases.KeyEnds, connectionSubject("", name))} {
				if err := tx.CloseCase(ctx, id, "hub", "the connection is not in the settings any more"); err != nil {
					return err
				}
			}
		}
		return nil
	})
}

// KeyCase keeps the case about the key of one of the hub's own connections: detail says when it ends, "" = not soon.
func (s *Store) KeyCase(ctx context.Context, name, detail string) error {
	c := cases.New(cases.KeyEnds, connectionSubject("", name), s.Now())
	c.Detail = detail
	return s.InTx(ctx, func(tx *Tx) error {
		if detail == "" {
			return tx.CloseCase(ctx, c.ID, "hub", "the key does not end soon")
		}
		return tx.ask(ctx, c)
	})
}

// ReleaseCase keeps the case about the signed releases: detail says what runs out or is wrong, "" = nothing.
func (s *Store) ReleaseCase(ctx context.Context, detail string) error {
	c := cases.New(cases.ReleaseEnds, "releases", s.Now())
	c.Detail = detail
	return s.InTx(ctx, func(tx *Tx) error {
		if detail == "" {
			return tx.CloseCase(ctx, c.ID, "hub", "the releases are signed for long enough")
		}
		return tx.ask(ctx, c)
	})
}

// ReleaseSteps lists who put which releases into force and why, the oldest first.
func (s *Store) ReleaseSteps(ctx context.Context) ([]view.StepView, error) {
	return s.steps(ctx, "releases", "")
}

func connectionSubject(d retail.DeviceID, name string) string {
	if d == "" {
		return "hub/" + name
	}
	return string(d) + "/" + name
}

func refusedCase(d retail.DeviceID, name string) string {
	return cases.ID(cases.ConnectionRefused, connectionSubject(d, name))
}

// onlyLocation is the one location that a device speaks for, "" when there are more or none.
func (tx *Tx) onlyLocation(ctx context.Context, d retail.DeviceID) (l retail.LocationCode, err error) {
	var n int
	err = tx.QueryRowContext(ctx, `SELECT count(*), COALESCE(min(location), '') FROM (SELECT DISTINCT location FROM assignment WHERE device = ? AND until = 0) a`, string(d)).Scan(&n, &l)
	if n != 1 || l == AllLocations {
		l = ""
	}
	return l, err
}

// Connections lists how every connection stands, the hub's own first.
func (s *Store) Connections(ctx context.Context) (out []view.ConnectionView, err error) {
	err = each(ctx, s.read, func(r *sql.Rows) error {
		var v view.ConnectionView
		var body string
		var told int64
		if err := r.Scan(&v.Device, &body, &told); err != nil {
			return err
		}
		err := json.Unmarshal([]byte(body), &v.Status)
		v.Told = fromMicros(told)
		out = append(out, v)
		return err
	}, `SELECT device, body, told FROM connection ORDER BY device, name`)
	return out, classify("list connections", err)
}

// holdsOffline keeps the case of a terminal with payments that no bank has promised. A terminal that does not tell has said nothing: the
// case stays as it is.
func (tx *Tx) holdsOffline(ctx context.Context, t retail.Terminal) error {
	subject := string(t.Location) + "/" + string(t.Till)
	switch {
	case t.Offline == nil:
		return nil
	case t.Offline.Count == 0:
		return tx.CloseCase(ctx, cases.ID(cases.OfflinePayments, subject), "hub", "the terminal holds none any more")
	}
	c := cases.New(cases.OfflinePayments, subject, tx.Now)
	c.Location, c.Amount = t.Location, t.Offline.AtRisk
	var b strings.Builder
	fmt.Fprintf(&b, "terminal %s of %s: %d payments, %s", t.Till, t.Location, t.Offline.Count, t.Offline.AtRisk)
	if !t.Offline.Oldest.IsZero() {
		fmt.Fprintf(&b, ", the oldest of %s", t.Offline.Oldest.In(tx.zone(ctx, t.Location)).Format("2006-01-02 15:04 MST"))
	}
	for i, p := range t.Offline.Payments {
		if i == 20 {
			break
		}
		became := "not sent yet"
		if p.State == retail.PaymentDeclined {
			became = "DECLINED by the bank"
		}
		fmt.Fprintf(&b, "; %s %s …%s %s, ticket %s", p.Amount, p.Brand, p.Last4, became, or(p.Ticket, "not known"))
	}
	c.Detail = b.String()
	return tx.ask(ctx, c)
}

// zone is a location's time zone now, UTC when nobody has said it.
func (tx *Tx) zone(ctx context.Context, l retail.LocationCode) *time.Location {
	var name string
	if err := tx.QueryRowContext(ctx, `SELECT zone FROM trading WHERE location = ? ORDER BY since DESC LIMIT 1`, string(l)).Scan(&name); err != nil {
		return time.UTC
	}
	z, err := time.LoadLocation(name)
	if err != nil {
		return time.UTC
	}
	return z
}

func or(s, otherwise string) string {
	if s == "" {
		return otherwise
	}
	return s
}
