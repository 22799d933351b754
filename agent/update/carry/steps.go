package carry

import (
	"context"
	"errors"

	"github.com/tillpost/tillpost/agent/update"
	"github.com/tillpost/tillpost/agent/update/slots"
	"github.com/tillpost/tillpost/shared/fault"
)

// find asks what is signed. A release that already lies in its slot is not fetched again.
func (u *Updater) find(ctx context.Context, p update.Plan, from Releases) (Target, error) {
	if from == nil {
		return Target{}, update.Failure{Cause: update.NoRelease, Detail: "this PC has no source of releases", Final: true}
	}
	t, err := from.Find(ctx, u.Version, p.Want.Version)
	if err == nil && t.Release.Installed() {
		err = update.Failure{Cause: update.NoRelease, Detail: "version " + t.Release.Version + " is named without a checksum", Final: true}
	}
	return t, err
}

func (u *Updater) fetch(ctx context.Context, from Releases) error {
	if u.Store.Whole(u.target.Release) {
		return nil
	}
	if err := u.Store.Room(u.target.Release); err != nil {
		if fault.Is(err, fault.Unavailable) {
			return update.Failure{Cause: update.NoRoom, Detail: err.Error()}
		}
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, within)
	defer cancel()
	return from.Fetch(ctx, u.target, u.Exe, u.Store.Download())
}

// check puts the program in its slot and tries it there.
func (u *Updater) check(ctx context.Context, r update.Release) error {
	err := u.Store.Place(r)
	switch {
	case fault.Is(err, fault.Invalid):
		return update.Failure{Cause: update.Wrong, Detail: err.Error()} // a download that was spoilt is fetched anew
	case err != nil:
		return update.Failure{Cause: update.Store, Detail: err.Error()}
	}
	return u.Checker.Check(ctx, u.Store.Path(r), r)
}

// failure words an error; what has its cause already keeps it.
func failure(err error, usual update.Cause) update.Failure {
	var f update.Failure
	switch {
	case errors.As(err, &f):
		if slots.Full(err) {
			f.Cause = update.NoRoom
		}
		return f
	case slots.Full(err):
		return update.Failure{Cause: update.NoRoom, Detail: err.Error()}
	}
	return update.Failure{Cause: usual, Detail: err.Error()}
}

// keep writes the plan when it is another than the disk has, and reports whether the disk has it.
func (u *Updater) keep(ctx context.Context, p update.Plan) bool {
	u.mu.Lock()
	u.plan = p
	u.mu.Unlock()
	if alike(p, u.kept) {
		return true
	}
	if err := u.Store.KeepPlan(p); err != nil {
		u.Log.WarnContext(ctx, "the update waits: its note cannot be written", "err", err)
		return false
	}
	u.kept = p
	return true
}

// alike: but for a little more waiting.
func alike(a, b update.Plan) bool {
	if (a.Waited - b.Waited).Abs() >= keepLate {
		return false
	}
	a.Waited, a.Rest = b.Waited, b.Rest
	return equal(a, b)
}

func equal(a, b update.Plan) bool {
	same := a.Phase == b.Phase && a.Seq == b.Seq && a.Want == b.Want && a.To == b.To && a.From == b.From && a.Tries == b.Tries && a.Why == b.Why
	return same && (a.Last == nil) == (b.Last == nil) && (a.Last == nil || *a.Last == *b.Last)
}

func (u *Updater) tidy(ctx context.Context) {
	if err := u.Store.Tidy(update.Needs(u.Store.Plan(), u.Store.Watch(), u.Store.Current())); err != nil {
		u.Log.WarnContext(ctx, "an old version could not be deleted; it is tried again after the next update", "err", err)
	}
}
