package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"slices"
	"strings"
	"time"

	"github.com/tillpost/tillpost/hub/ledger"
	"github.com/tillpost/tillpost/hub/view"
	"github.com/tillpost/tillpost/shared/fault"
	"github.com/tillpost/tillpost/shared/retail"
)

// LocationViews lists the registry with tills and devices.
func (s *Store) LocationViews(ctx context.Context, f view.LocationFilter) (out []view.LocationView, err error) {
	where, args := only("l.code", f.Only)
	order := "l.code"
	if f.Worst {
		order = "l.confirmed, l.seen, l.code"
	}
	args = append(args, f.Find, f.Find, f.Find, limit(f.Limit), f.Offset)
	at := map[retail.LocationCode]int{}
	err = each(ctx, s.read, func(r *sql.Rows) error {
		var v view.LocationView
		var seen int64
		err := r.Scan(&v.Code, &v.Name, &v.Currency, &v.Company, &v.OpenDays, &v.Review, &v.Shadow, &v.OldWay, &v.Costs, &v.Period, &v.Confirmed, &seen)
		v.Seen = fromMicros(seen)
		at[v.Code] = len(out)
		out = append(out, v)
		return err
	}, `SELECT l.code, l.name, l.currency, l.company, l.open_days, l.review, l.shadow_until, l.old_journal, l.cogs_from, l.closed_period, l.confirmed, l.seen FROM location l
		WHERE `+where+` AND (? = '' OR lower(l.code) LIKE '%' || lower(?) || '%' OR lower(l.name) LIKE '%' || lower(?) || '%') ORDER BY `+order+` LIMIT ? OFFSET ?`, args...)
	if err != nil || len(out) == 0 {
		return nil, classify("list locations", err)
	}
	for _, fill := range []func(context.Context, []view.LocationView, map[retail.LocationCode]int) error{s.fillTrading, s.fillModes, s.fillTills, s.fillDevices} {
		if err := fill(ctx, out, at); err != nil {
			return nil, classify("list locations", err)
		}
	}
	return out, s.withConnections(ctx, out)
}

// withConnections puts each device's connections beside it.
func (s *Store) withConnections(ctx context.Context, ls []view.LocationView) error {
	all, err := s.Connections(ctx)
	if err != nil || len(all) == 0 {
		return err
	}
	by := map[retail.DeviceID][]view.ConnectionView{}
	for _, c := range all {
		by[c.Device] = append(by[c.Device], c)
	}
	for i := range ls {
		for j, d := range ls[i].Devices {
			ls[i].Devices[j].Connections = by[d.ID]
		}
	}
	return nil
}

// codesOf is a condition on a location column for the locations of a list.
func codesOf(column string, ls []view.LocationView) (where string, args []any) {
	codes := make([]retail.LocationCode, len(ls))
	for i, l := range ls {
		codes[i] = l.Code
	}
	return only(column, codes)
}

func (s *Store) fillTrading(ctx context.Context, out []view.LocationView, at map[retail.LocationCode]int) error {
	where, args := codesOf("location", out)
	return each(ctx, s.read, func(r *sql.Rows) error {
		var l string
		var t view.TradingView
		if err := r.Scan(&l, (*string)(&t.From), &t.Zone, &t.Cutoff); err != nil {
			return err
		}
		v := &out[at[retail.LocationCode(l)]]
		v.Coming = append(v.Coming, t)
		z, err := time.LoadLocation(t.Zone)
		if err != nil {
			return err
		}
		if v.Zone == "" || t.From <= retail.DateOf(s.Now().In(z)) { // they come in the order of their days: the last that has begun holds
			v.Zone, v.Cutoff = t.Zone, t.Cutoff
		}
		return nil
	}, `SELECT location, since, zone, cutoff FROM trading WHERE `+where+` ORDER BY location, since`, args...)
}

func (s *Store) fillTills(ctx context.Context, out []view.LocationView, at map[retail.LocationCode]int) error {
	where, args := codesOf("location", out)
	return each(ctx, s.read, func(r *sql.Rows) error {
		var v view.TillView
		var seen, skew int64
		var l, told string
		err := r.Scan(&l, &v.Code, &v.Confirmed, &v.Number, &seen, &skew, &told)
		v.Seen, v.Clock, v.Kind = fromMicros(seen), time.Duration(skew)*time.Microsecond, "till"
		var t retail.Terminal
		if told != "" && json.Unmarshal([]byte(told), &t) == nil {
			v.Model, v.Serial, v.Software, v.Status = t.Model, t.Serial, t.Software, t.Status
			if t.Kind != "" {
				v.Kind = t.Kind
			}
		}
		to := &out[at[retail.LocationCode(l)]]
		to.Tills = append(to.Tills, v)
		return err
	}, `SELECT location, code, confirmed, number, seen, skew, told FROM till WHERE `+where+` ORDER BY location, code`, args...)
}

// fillDevices gives each location the devices that speak for it, or for all.
func (s *Store) fillDevices(ctx context.Context, out []view.LocationView, at map[retail.LocationCode]int) error {
	ds, err := s.DeviceViews(ctx, "")
	if err != nil {
		return err
	}
	for _, d := range ds {
		for _, l := range strings.Split(d.Locations, ", ") {
			if l == AllLocations {
				for i := range out {
					out[i].Devices = append(out[i].Devices, d)
				}
				break
			}
			if i, ok := at[retail.LocationCode(l)]; ok {
				out[i].Devices = append(out[i].Devices, d)
			}
		}
	}
	return nil
}

// DeviceViews lists devices that may speak for a location; "" = all devices.
func (s *Store) DeviceViews(ctx context.Context, l retail.LocationCode) (out []view.DeviceView, err error) {
	speaks := map[retail.DeviceID][]string{}
	if err := each(ctx, s.read, func(r *sql.Rows) error {
		var d, l string
		err := r.Scan(&d, &l)
		speaks[retail.DeviceID(d)] = append(speaks[retail.DeviceID(d)], l)
		return err
	}, `SELECT DISTINCT device, location FROM assignment WHERE until = 0 ORDER BY device, location`); err != nil {
		return nil, classify("list devices", err)
	}
	certs := map[retail.DeviceID]view.CertificateView{}
	if err := each(ctx, s.read, func(r *sql.Rows) error {
		c, err := scanCertificate(r)
		certs[c.Device] = c
		return err
	}, `SELECT device, serial, begins, ends, used, ended, why FROM certificate WHERE ended = 0 ORDER BY number`); err != nil {
		return nil, classify("list devices", err)
	}
	err = each(ctx, s.read, func(r *sql.Rows) error {
		var v view.DeviceView
		var seen, changed, told int64
		var disabled, enrolled bool
		var list string
		if err := r.Scan(&v.ID, &v.Version, &v.Online, &seen, &changed, &disabled, &v.Stopped, &list, &told, &enrolled); err != nil {
			return err
		}
		v.Certificate, v.Enrolled = certs[v.ID], enrolled
		v.Seen, v.Told, v.Locations = fromMicros(max(seen, changed)), fromMicros(told), strings.Join(speaks[v.ID], ", ")
		if disabled {
			v.Stopped = deviceDisabled
		}
		if list != "" {
			if err := json.Unmarshal([]byte(list), &v.Health); err != nil {
				return err
			}
		}
		if l == "" || slices.Contains(speaks[v.ID], string(l)) || slices.Contains(speaks[v.ID], AllLocations) {
			out = append(out, v)
		}
		return nil
	}, `SELECT d.id, d.version, d.online, d.seen, COALESCE(n.changed, 0), d.disabled, COALESCE(n.stopped, ''), d.health, d.told, d.password = '' FROM device d
		LEFT JOIN (SELECT device, max(changed) AS changed, max(stopped) AS stopped FROM lane GROUP BY device) n ON n.device = d.id ORDER BY d.id`)
	return out, classify("list devices", err)
}

// CountLocations tells how many locations a user may see, and how many need a look: those nobody confirmed, and those that are silent since.
func (s *Store) CountLocations(ctx context.Context, codes []retail.LocationCode, since time.Time) (n view.LocationCount, err error) {
	where, args := only("code", codes)
	err = s.read.QueryRowContext(ctx, `SELECT count(*), COALESCE(sum(1 - confirmed), 0) FROM location WHERE `+where, args...).Scan(&n.All, &n.Unconfirmed)
	if err != nil {
		return n, classify("count locations", err)
	}
	silent, err := s.Silent(ctx, since)
	for _, l := range silent {
		if codes == nil || slices.Contains(codes, l) {
			n.Silent++
		}
	}
	return n, err
}

// Silent lists confirmed locations of which nothing was heard since then, neither a record nor a device of theirs that is connected. Where the registry
// says on which days a location is open, only their hours count: a store whose PC is off on Sunday is not silent.
func (s *Store) Silent(ctx context.Context, since time.Time) (out []retail.LocationCode, err error) {
	now := s.Now()
	type quiet struct {
		code retail.LocationCode
		days string
		seen int64
	}
	var all []quiet
	err = each(ctx, s.read, func(r *sql.Rows) error {
		var q quiet
		err := r.Scan((*string)(&q.code), &q.days, &q.seen)
		all = append(all, q)
		return err
	}, `SELECT code, open_days, seen FROM location l WHERE confirmed = 1 AND seen < ? AND NOT EXISTS (SELECT 1 FROM assignment a JOIN device d ON d.id = a.device
		WHERE a.until = 0 AND a.location = l.code AND d.online = 1 AND d.disabled = 0) ORDER BY code`, micros(since))
	if err != nil {
		return nil, classify("look for silent stores", err)
	}
	for _, q := range all {
		if q.days != "" && q.seen > 0 {
			c, err := s.Calendar(ctx, q.code)
			if err != nil {
				return nil, err
			}
			if openTime(c, q.days, fromMicros(q.seen), now) < now.Sub(since) {
				continue
			}
		}
		out = append(out, q.code)
	}
	return out, nil
}

// LocationForm is what the registry says of a location now, to be changed in parts. Code not_found.
func (s *Store) LocationForm(ctx context.Context, code retail.LocationCode) (f view.LocationForm, err error) {
	err = s.readTx(ctx, func(tx *Tx) error {
		l, err := tx.location(ctx, code, "")
		f = view.LocationForm{Code: code, Name: l.Name, Zone: l.Zone, Cutoff: l.Cutoff, Currency: l.Currency, Company: l.Company, OpenDays: l.OpenDays,
			Review: l.Review, Shadow: l.Shadow, OldWay: l.OldWay, Costs: l.Costs, Period: l.Period, Posting: l.Posting}
		if err == nil && l.Code == "" {
			err = fault.Msg(fault.NotFound, "location", "there is no location "+string(code)+"; nothing was changed")
		}
		return err
	})
	return f, classify("read location", err)
}

// PutLocation is SetLocation with a form of the pages.
func (s *Store) PutLocation(ctx context.Context, f view.LocationForm, who string) error {
	return s.InTx(ctx, func(tx *Tx) error {
		return tx.SetLocation(ctx, Location{Code: f.Code, Name: f.Name, Currency: f.Currency, Company: f.Company, OpenDays: f.OpenDays, Zone: f.Zone, Cutoff: f.Cutoff,
			Review: f.Review, Shadow: f.Shadow, OldWay: f.OldWay, Costs: f.Costs, Period: f.Period, Posting: f.Posting, PostingFrom: f.PostingFrom}, f.From, who)
	})
}

// ConfirmTill answers the question about a till.
func (s *Store) ConfirmTill(ctx context.Context, l retail.LocationCode, t retail.TillCode, who string) error {
	return s.InTx(ctx, func(tx *Tx) error { return tx.ConfirmTill(ctx, l, t, who) })
}

// Codes lists the till's own codes of a role that were ever seen.
func (s *Store) Codes(ctx context.Context, role string) (out []string, err error) {
	err = each(ctx, s.read, func(r *sql.Rows) error {
		var m string
		err := r.Scan(&m)
		if _, code := ledger.Account(m).Split(); code != "" && !slices.Contains(out, code) {
			out = append(out, code)
		}
		return err
	}, `SELECT DISTINCT measure FROM total WHERE substr(measure, 1, length(?) + 1) = ? || ':' ORDER BY 1`, role, role)
	return out, classify("list codes", err)
}

// LocationSteps lists what was done to a location and its tills, the oldest first.
func (s *Store) LocationSteps(ctx context.Context, l retail.LocationCode) ([]view.StepView, error) {
	return s.steps(ctx, "location "+string(l), "till "+string(l)+"/")
}
