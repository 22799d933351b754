package store

import (
	"context"
	"database/sql"
	"fmt"
	"math"
	"slices"

	"github.com/tillpost/tillpost/hub/fleet"
	"github.com/tillpost/tillpost/hub/view"
	"github.com/tillpost/tillpost/shared/fault"
	"github.com/tillpost/tillpost/shared/retail"
)

// maxRollouts is how many rollouts a page looks back.
const maxRollouts = 20

// FleetView reads the fleet: rollouts, what runs where, and every device.
func (s *Store) FleetView(ctx context.Context) (v view.FleetView, err error) {
	ds, err := fleetDevices(ctx, s.read)
	if err != nil {
		return v, classify("read the fleet", err)
	}
	for _, x := range fleet.Spread(ds) {
		v.Spread = append(v.Spread, view.VersionShare(x))
	}
	wishes, err := s.Wishes(ctx)
	if err != nil {
		return v, err
	}
	for i := range ds {
		v.Devices = append(v.Devices, releaseView(&ds[i], wishes))
	}
	err = each(ctx, s.read, func(r *sql.Rows) error {
		var one view.RolloutView
		var made, ended int64
		f, err := scanRollout(r, &made, &ended, &one.Who)
		if err != nil {
			return err
		}
		one.ID, one.Version, one.Previous, one.State, one.Why, one.Made, one.Ended, one.Open = f.ID, f.Version, f.Previous, string(f.State), f.Why, fromMicros(made), fromMicros(ended), ended == 0 && f.State != fleet.Done
		if f.State == fleet.Done && ended == 0 && v.Release == "" {
			v.Release = f.Version
		}
		if len(v.Rollouts) == 0 || one.Open {
			met, err := failedOf(ctx, s.read, ds, f.Version, made, ended)
			if err != nil {
				return err
			}
			rings, causes := fleet.Progresses(f, met, s.Now())
			for _, p := range rings {
				one.Rings = append(one.Rings, view.RingView{Name: p.Name, All: p.All, Told: p.Told, Waiting: p.Waiting, Working: p.Working, Kept: p.Kept, Failed: p.Failed, Lost: p.Lost, Now: p.Now, Missing: p.Missing})
			}
			for _, c := range causes {
				one.Causes = append(one.Causes, view.ReleaseCause(c))
			}
		}
		v.Rollouts = append(v.Rollouts, one)
		return nil
	}, `SELECT number, version, previous, plan, state, why, ring, since, next, forgiven, made, ended, who FROM rollout ORDER BY number DESC LIMIT ?`, maxRollouts)
	return v, classify("read the rollouts", err)
}

// failedOf are the devices with what became of a release on those that did not keep it: they are told something else since, and a person still
// wants to see why.
func failedOf(ctx context.Context, q querier, ds []fleet.Device, version string, made, ended int64) ([]fleet.Device, error) {
	if ended == 0 {
		ended = math.MaxInt64
	}
	last := map[string]fleet.Device{}
	err := each(ctx, q, func(r *sql.Rows) error {
		var d fleet.Device
		var at int64
		err := r.Scan(&d.ID, &d.Step, &d.Why, &at)
		d.Since = fromMicros(at)
		last[d.ID] = d
		return err
	}, `SELECT device, what, why, at FROM device_release_step WHERE version = ? AND at BETWEEN ? AND ? ORDER BY number`, version, made, ended)
	if err != nil {
		return nil, err
	}
	out := slices.Clone(ds)
	for i := range out {
		if was := last[out[i].ID]; out[i].Told != version && (was.Step == fleet.Back || was.Step == fleet.Refused) {
			out[i].Told, out[i].Step, out[i].Why, out[i].Since = version, was.Step, was.Why, was.Since
		}
	}
	return out, nil
}

func releaseView(d *fleet.Device, wishes map[retail.DeviceID]Wish) view.ReleaseView {
	return view.ReleaseView{Device: retail.DeviceID(d.ID), Location: d.Location, Platform: d.Platform, Group: d.Group, Running: d.Running, Told: d.Told,
		NotBefore: wishes[retail.DeviceID(d.ID)].NotBefore, Step: string(d.Step), Why: d.Why, Since: d.Since, Seen: d.Seen, Pin: d.Pin, Channel: d.Channel, Excluded: d.Excluded, Deaf: d.Deaf}
}

// ReleaseOf reads one device with every step on its way. Code not_found.
func (s *Store) ReleaseOf(ctx context.Context, d retail.DeviceID) (v view.ReleaseView, err error) {
	all, err := s.FleetView(ctx)
	if err != nil {
		return v, err
	}
	found := false
	for _, x := range all.Devices {
		if x.Device == d {
			v, found = x, true
		}
	}
	if !found {
		return v, fault.Msg(fault.NotFound, "device", fmt.Sprintf("there is no device %s that may send", d))
	}
	err = each(ctx, s.read, func(r *sql.Rows) error {
		var st view.ReleaseStep
		var at int64
		err := r.Scan(&at, &st.Version, &st.What, &st.Why)
		st.At = fromMicros(at)
		v.Steps = append(v.Steps, st)
		return err
	}, `SELECT at, version, what, why FROM device_release_step WHERE device = ? ORDER BY number DESC LIMIT 200`, string(d))
	return v, classify("read a device's release", err)
}
