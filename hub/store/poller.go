package store

import (
	"context"
	"database/sql"
	"errors"

	"github.com/tillpost/tillpost/hub/cases"
	"github.com/tillpost/tillpost/hub/poller"
	"github.com/tillpost/tillpost/shared/envelope"
	"github.com/tillpost/tillpost/shared/retail"
)

// maxPolls bounds what one device may say it could read: an agent beside the hub has a handful of accounts.
const maxPolls = 100

// putPolls keeps which accounts a device says it could read. A device that nobody registered leaves no trace.
func (tx *Tx) putPolls(ctx context.Context, d retail.DeviceID, b envelope.Birth) error {
	var known int
	if err := tx.QueryRowContext(ctx, `SELECT count(*) FROM device WHERE id = ? AND disabled = 0`, string(d)).Scan(&known); err != nil {
		return err
	}
	if known == 0 || len(b.Polls) > maxPolls {
		b.Polls = nil
	}
	if _, err := tx.ExecContext(ctx, `DELETE FROM poll WHERE device = ?`, string(d)); err != nil {
		return err
	}
	for _, p := range b.Polls {
		if p.Tenant == "" || len(p.Tenant) > 200 {
			continue
		}
		if _, err := tx.ExecContext(ctx, `INSERT INTO poll (device, tenant, whole) VALUES (?, ?, ?) ON CONFLICT (device, tenant) DO NOTHING`, string(d), p.Tenant, p.Whole); err != nil {
			return err
		}
	}
	return nil
}

// Candidates lists by account who could read it. A device that says so of all locations must be assigned to all of them.
func (s *Store) Candidates(ctx context.Context) (map[string][]poller.Candidate, error) {
	rows, err := s.read.QueryContext(ctx, `SELECT p.tenant, p.device, p.whole, d.online, d.seen FROM poll p JOIN device d ON d.id = p.device WHERE d.disabled = 0
		AND EXISTS (SELECT 1 FROM assignment a WHERE a.device = p.device AND a.until = 0 AND (a.location = '*' OR p.whole = 0)) ORDER BY p.tenant, p.device`)
	if err != nil {
		return nil, classify("read who polls", err)
	}
	out := map[string][]poller.Candidate{}
	list, err := scanAll(rows, func(r *sql.Rows) (x struct {
		tenant string
		poller.Candidate
	}, err error) {
		var seen int64
		err = r.Scan(&x.tenant, &x.Device, &x.Whole, &x.Online, &seen)
		x.Seen = fromMicros(seen)
		return x, err
	})
	for _, x := range list {
		out[x.tenant] = append(out[x.tenant], x.Candidate)
	}
	return out, classify("read who polls", err)
}

// Pollers tells who reads each account.
func (s *Store) Pollers(ctx context.Context) (map[string]retail.DeviceID, error) {
	rows, err := s.read.QueryContext(ctx, `SELECT tenant, device FROM poller`)
	if err != nil {
		return nil, classify("read who polls", err)
	}
	out := map[string]retail.DeviceID{}
	list, err := scanAll(rows, func(r *sql.Rows) (x [2]string, err error) {
		err = r.Scan(&x[0], &x[1])
		return x, err
	})
	for _, x := range list {
		out[x[0]] = retail.DeviceID(x[1])
	}
	return out, classify("read who polls", err)
}

// SetPoller gives an account to a device, "" = to nobody, which is a case while somebody could read it and may not.
func (s *Store) SetPoller(ctx context.Context, tenant string, d poller.Decision, wanted bool) error {
	return s.InTx(ctx, func(tx *Tx) error {
		id := cases.ID(cases.Unread, tenant)
		if d.Device == "" && wanted {
			c := cases.New(cases.Unread, tenant, tx.Now)
			c.Detail = d.Why
			if err := tx.OpenCase(ctx, c); err != nil {
				return err
			}
		} else if err := tx.CloseCase(ctx, id, "hub", d.Why); err != nil {
			return err
		}
		var was string
		err := tx.QueryRowContext(ctx, `SELECT device FROM poller WHERE tenant = ?`, tenant).Scan(&was)
		if err != nil && !errors.Is(err, sql.ErrNoRows) || err == nil && was == string(d.Device) {
			return err
		}
		if _, err := tx.ExecContext(ctx, `INSERT INTO poller (tenant, device, since) VALUES (?, ?, ?) ON CONFLICT (tenant) DO UPDATE SET device = excluded.device, since = excluded.since`,
			tenant, string(d.Device), micros(tx.Now)); err != nil {
			return err
		}
		return tx.PutStep(ctx, Step{Subject: "account " + tenant, Who: "hub", What: "reader changed", Before: was, After: string(d.Device), Reason: d.Why})
	})
}
