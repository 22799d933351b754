package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"time"

	"github.com/tillpost/tillpost/hub/view"
	"github.com/tillpost/tillpost/shared/retail"
)

// LocationViews lists the registry with tills and devices.
func (s *Store) LocationViews(ctx context.Context, codes []retail.LocationCode) (out []view.LocationView, err error) {
	where, args := only("l.code", codes)
	err = each(ctx, s.read, func(r *sql.Rows) error {
		var v view.LocationView
		var seen int64
		err := r.Scan(&v.Code, &v.Name, &v.Currency, &v.Company, &v.OpenDays, &v.Confirmed, &seen, &v.Zone, &v.Cutoff)
		v.Seen = fromMicros(seen)
		out = append(out, v)
		return err
	}, `SELECT l.code, l.name, l.currency, l.company, l.open_days, l.confirmed, l.seen,
		COALESCE((SELECT zone FROM trading t WHERE t.location = l.code ORDER BY since DESC LIMIT 1), ''), COALESCE((SELECT cutoff FROM trading t WHERE t.location = l.code ORDER BY since DESC LIMIT 1), '')
		FROM location l WHERE `+where+` ORDER BY l.code`, args...)
	if err != nil {
		return nil, classify("list locations", err)
	}
	for i := range out {
		if out[i].Tills, err = s.tillViews(ctx, out[i].Code); err != nil {
			return nil, classify("list locations", err)
		}
		if out[i].Devices, err = s.DeviceViews(ctx, out[i].Code); err != nil {
			return nil, err
		}
	}
	return out, nil
}

func (s *Store) tillViews(ctx context.Context, l retail.LocationCode) (out []view.TillView, err error) {
	err = each(ctx, s.read, func(r *sql.Rows) error {
		var v view.TillView
		var seen, skew int64
		var told string
		err := r.Scan(&v.Code, &v.Confirmed, &v.Number, &seen, &skew, &told)
		v.Seen, v.Clock, v.Kind = fromMicros(seen), time.Duration(skew)*time.Microsecond, "till"
		var t retail.Terminal
		if told != "" && json.Unmarshal([]byte(told), &t) == nil {
			v.Model, v.Serial, v.Software, v.Status = t.Model, t.Serial, t.Software, t.Status
			if t.Kind != "" {
				v.Kind = t.Kind
			}
		}
		out = append(out, v)
		return err
	}, `SELECT code, confirmed, number, seen, skew, told FROM till WHERE location = ? ORDER BY code`, string(l))
	return out, err
}

// DeviceViews lists devices that may speak for a location; "" = all devices.
func (s *Store) DeviceViews(ctx context.Context, l retail.LocationCode) (out []view.DeviceView, err error) {
	err = each(ctx, s.read, func(r *sql.Rows) error {
		var v view.DeviceView
		var seen int64
		var disabled bool
		err := r.Scan(&v.ID, &v.Version, &seen, &disabled, &v.Stopped)
		v.Seen = fromMicros(seen)
		if disabled {
			v.Stopped = "disabled"
		}
		out = append(out, v)
		return err
	}, `SELECT d.id, d.version, max(d.seen, COALESCE((SELECT max(changed) FROM lane n WHERE n.device = d.id), 0)), d.disabled, COALESCE((SELECT max(stopped) FROM lane n WHERE n.device = d.id), '')
		FROM device d WHERE ? = '' OR EXISTS (SELECT 1 FROM assignment a WHERE a.device = d.id AND a.until = 0 AND a.location IN (?, '*')) ORDER BY d.id`, string(l), string(l))
	return out, classify("list devices", err)
}

// PutLocation is SetLocation with a form of the pages.
func (s *Store) PutLocation(ctx context.Context, f view.LocationForm, who string) error {
	return s.InTx(ctx, func(tx *Tx) error {
		return tx.SetLocation(ctx, Location{Code: f.Code, Name: f.Name, Currency: f.Currency, Company: f.Company, OpenDays: f.OpenDays, Zone: f.Zone, Cutoff: f.Cutoff}, f.From, who)
	})
}

// ConfirmTill answers the question about a till.
func (s *Store) ConfirmTill(ctx context.Context, l retail.LocationCode, t retail.TillCode, who string) error {
	return s.InTx(ctx, func(tx *Tx) error { return tx.ConfirmTill(ctx, l, t, who) })
}

// Currencies lists what confirmed locations sell in.
func (s *Store) Currencies(ctx context.Context) (out []string, err error) {
	err = each(ctx, s.read, func(r *sql.Rows) error {
		var c string
		err := r.Scan(&c)
		out = append(out, c)
		return err
	}, `SELECT DISTINCT currency FROM location WHERE confirmed = 1`)
	return out, classify("list currencies", err)
}

// Codes lists the till's own codes of a role that were ever seen.
func (s *Store) Codes(ctx context.Context, role string) (out []string, err error) {
	err = each(ctx, s.read, func(r *sql.Rows) error {
		var m sql.NullString
		err := r.Scan(&m)
		if m.String != "" {
			out = append(out, m.String)
		}
		return err
	}, `SELECT DISTINCT substr(measure, length(?) + 2) FROM total WHERE substr(measure, 1, length(?) + 1) = ? || ':' ORDER BY 1`, role, role, role)
	return out, classify("list codes", err)
}
