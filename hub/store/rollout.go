package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/tillpost/tillpost/hub/fleet"
	"github.com/tillpost/tillpost/shared/fault"
)

// rolloutPlan is what of a rollout does not change on its way.
type rolloutPlan struct {
	Rings    []fleet.Ring  `json:"rings"`
	InFlight int           `json:"in_flight,omitempty"`
	Failures int           `json:"failures,omitempty"`
	Failing  int           `json:"failing,omitempty"`
	Silent   time.Duration `json:"silent,omitempty"`
	Size     int64         `json:"size,omitempty"`
	Rate     int64         `json:"rate,omitempty"`
}

// StartRollout begins a rollout and gives it its number. The fleet's release of before stays that until this one is done. Codes: invalid; conflict
// while another one is on its way.
func (tx *Tx) StartRollout(ctx context.Context, r fleet.Rollout, who string) (id string, err error) {
	r.Version, r.Previous = bare(r.Version), bare(r.Previous)
	if err := r.Check(); err != nil {
		return "", err
	}
	now, is, err := rollout(ctx, tx, `state <> 'done' AND ended = 0`)
	if err != nil {
		return "", err
	}
	if is && now.State != fleet.Aborted && now.State != fleet.Reverse {
		return "", fault.Msg(fault.Conflict, "start rollout", fmt.Sprintf("rollout %s of %s is %s. End it first (hub rollout abort %s or back %s), or let it go on; nothing was changed", now.ID, now.Version, now.State, now.ID, now.ID))
	}
	if _, err := tx.ExecContext(ctx, `UPDATE rollout SET ended = ? WHERE state <> 'done' AND ended = 0`, micros(tx.Now)); err != nil {
		return "", err
	}
	plan, err := json.Marshal(rolloutPlan{r.Rings, r.InFlight, r.Failures, r.Failing, r.Silent, r.Size, r.Rate})
	if err != nil {
		return "", err
	}
	res, err := tx.ExecContext(ctx, `INSERT INTO rollout (version, previous, plan, state, since, made, who) VALUES (?, ?, ?, ?, ?, ?, ?)`,
		r.Version, r.Previous, string(plan), string(fleet.Running), micros(tx.Now), micros(tx.Now), who)
	if err != nil {
		return "", err
	}
	n, err := res.LastInsertId()
	if err != nil {
		return "", err
	}
	id = strconv.FormatInt(n, 10)
	return id, tx.PutStep(ctx, Step{Subject: "rollout " + id, Who: who, What: "started", After: r.Version + " " + string(plan)})
}

// OrderRollout carries out a person's word. Codes: not_found; conflict where it makes no sense.
func (tx *Tx) OrderRollout(ctx context.Context, id string, o fleet.Order, who, why string) error {
	r, ok, err := rollout(ctx, tx, `ended = 0 AND number = CAST(? AS INTEGER)`, id)
	if err != nil {
		return err
	}
	if !ok {
		return fault.Msg(fault.NotFound, string(o)+" rollout", "there is no rollout "+id+" that has not ended; hub rollout list names them")
	}
	next, err := r.Obey(o, why, tx.Now)
	if err != nil {
		return err
	}
	if err := tx.putRollout(ctx, r, next); err != nil {
		return err
	}
	return tx.PutStep(ctx, Step{Subject: "rollout " + id, Who: who, What: string(o), Reason: why, Before: string(r.State), After: string(next.State)})
}

// putRollout keeps what a rollout became; a state that nobody ordered is a step of the hub's.
func (tx *Tx) putRollout(ctx context.Context, was, is fleet.Rollout) error {
	if was.State == is.State && was.Ring == is.Ring && was.Why == is.Why && was.Next.Equal(is.Next) && was.Forgiven.Equal(is.Forgiven) {
		return nil
	}
	if _, err := tx.ExecContext(ctx, `UPDATE rollout SET state = ?, why = ?, ring = ?, since = ?, next = ?, forgiven = ? WHERE number = CAST(? AS INTEGER)`,
		string(is.State), is.Why, is.Ring, micros(is.Since), micros(is.Next), micros(is.Forgiven), is.ID); err != nil {
		return err
	}
	switch {
	case was.State == fleet.Running && is.State == fleet.Done:
		if _, err := tx.ExecContext(ctx, `UPDATE rollout SET ended = ? WHERE state = 'done' AND ended = 0 AND number <> CAST(? AS INTEGER)`, micros(tx.Now), is.ID); err != nil {
			return err
		}
		return tx.PutStep(ctx, Step{Subject: "rollout " + is.ID, Who: "hub", What: "done", Before: string(was.State), After: string(is.State)})
	case was.State == fleet.Running && is.State == fleet.Stopped:
		return tx.PutStep(ctx, Step{Subject: "rollout " + is.ID, Who: "hub", What: "stopped by itself", Reason: is.Why, Before: string(was.State), After: string(is.State)})
	case was.Ring != is.Ring:
		return tx.PutStep(ctx, Step{Subject: "rollout " + is.ID, Who: "hub", What: "next ring", Before: was.Rings[was.Ring].Name, After: is.Rings[is.Ring].Name})
	}
	return nil
}

// rollout reads the newest for which a condition holds.
func rollout(ctx context.Context, q querier, where string, args ...any) (r fleet.Rollout, ok bool, err error) {
	err = each(ctx, q, func(rows *sql.Rows) error {
		ok = true
		r, err = scanRollout(rows)
		return err
	}, `SELECT number, version, previous, plan, state, why, ring, since, next, forgiven FROM rollout WHERE `+where+` ORDER BY number DESC LIMIT 1`, args...)
	return r, ok, err
}

// scanRollout reads the columns of rollout, and more behind them.
func scanRollout(rows *sql.Rows, more ...any) (r fleet.Rollout, err error) {
	var plan string
	var number, since, next, forgiven int64
	if err := rows.Scan(append([]any{&number, &r.Version, &r.Previous, &plan, &r.State, &r.Why, &r.Ring, &since, &next, &forgiven}, more...)...); err != nil {
		return r, err
	}
	var p rolloutPlan
	if err := json.Unmarshal([]byte(plan), &p); err != nil {
		return r, err
	}
	r.ID = strconv.FormatInt(number, 10)
	r.Rings, r.InFlight, r.Failures, r.Failing, r.Silent, r.Size, r.Rate = p.Rings, p.InFlight, p.Failures, p.Failing, p.Silent, p.Size, p.Rate
	r.Since, r.Next, r.Forgiven = fromMicros(since), fromMicros(next), fromMicros(forgiven)
	if r.Ring < 0 || r.Ring >= len(r.Rings) {
		return r, errors.New("rollout " + r.ID + " stands in a ring that it does not have")
	}
	return r, nil
}
