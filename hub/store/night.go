package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/tillpost/tillpost/shared/fault"
	"github.com/tillpost/tillpost/shared/release"
	"github.com/tillpost/tillpost/shared/retail"
)

// Night is when of a store's day the programs of its PCs may be changed, in minutes; From = Until is at any hour, Until may be before From.
type Night struct{ From, Until int }

// UsualNight is that of a store of which nobody said another.
var UsualNight = Night{60, 300}

// ShortestNight is what download, change and probation of a PC need, with the stores' own moments spread over it.
const ShortestNight = 60

// ParseNight reads hours such as 22:30-04:00; always is at any hour. Code invalid.
func ParseNight(s string) (n Night, err error) {
	if s == "always" {
		return Night{}, nil
	}
	bad := fault.Msg(fault.Invalid, "night", fmt.Sprintf("%q is not hours such as 01:00-05:00, at least an hour, or always; nothing was changed", s))
	if len(s) != len("01:00-05:00") || s[5] != '-' {
		return n, bad
	}
	from, ferr := time.Parse("15:04", s[:5])
	until, uerr := time.Parse("15:04", s[6:])
	if ferr != nil || uerr != nil {
		return n, bad
	}
	n = Night{from.Hour()*60 + from.Minute(), until.Hour()*60 + until.Minute()}
	if (n.Until-n.From+24*60)%(24*60) < ShortestNight {
		return Night{}, bad
	}
	return n, nil
}

// String is the form that ParseNight reads.
func (n Night) String() string {
	if n.From == n.Until {
		return "always"
	}
	return fmt.Sprintf("%02d:%02d-%02d:%02d", n.From/60, n.From%60, n.Until/60, n.Until%60)
}

// SetNight says when the PCs of a location may change their programs; AllLocations speaks for those that have no night of their own, nil takes
// back what was said. Code not_found.
func (tx *Tx) SetNight(ctx context.Context, l retail.LocationCode, n *Night, who, reason string) error {
	if l != AllLocations {
		var known int
		if err := tx.QueryRowContext(ctx, `SELECT count(*) FROM location WHERE code = ?`, string(l)).Scan(&known); err != nil {
			return err
		}
		if known == 0 {
			return fault.Msg(fault.NotFound, "night", "there is no location "+string(l)+"; nothing was changed")
		}
	}
	var was Night
	before, after := "", ""
	err := tx.QueryRowContext(ctx, `SELECT begins, ends FROM store_night WHERE location = ?`, string(l)).Scan(&was.From, &was.Until)
	switch {
	case err == nil:
		before = was.String()
	case !errors.Is(err, sql.ErrNoRows):
		return err
	}
	if n != nil {
		after = n.String()
	}
	if before == after {
		return nil
	}
	if n == nil {
		_, err = tx.ExecContext(ctx, `DELETE FROM store_night WHERE location = ?`, string(l))
	} else {
		_, err = tx.ExecContext(ctx, `INSERT OR REPLACE INTO store_night (location, begins, ends) VALUES (?, ?, ?)`, string(l), n.From, n.Until)
	}
	if err != nil {
		return err
	}
	subject := "location " + string(l)
	if l == AllLocations {
		subject = "fleet nights"
	}
	return tx.PutStep(ctx, Step{Subject: subject, Who: who, What: "hours of updates", Reason: reason, Before: before, After: after})
}

// SetChannel lets a PC be given candidates of a channel beside what is released for everybody; "" or stable = no more. What it is held at and
// could not find until now, it is told anew. Codes: not_found, invalid.
func (tx *Tx) SetChannel(ctx context.Context, d retail.DeviceID, channel, who, reason string) error {
	if channel == release.Stable {
		channel = ""
	}
	if channel != "" && !release.Word(channel) {
		return fault.Msg(fault.Invalid, "channel", fmt.Sprintf("%.40q is no channel of releases; nothing was changed", channel))
	}
	if err := tx.setRelease(ctx, d, "channel", channel, who, reason); err != nil {
		return err
	}
	_, err := tx.ExecContext(ctx, `UPDATE device_release SET told = '', step = '', why = '' WHERE device = ? AND pin <> '' AND told = pin AND step <> 'kept'`, string(d))
	return err
}

// Channel is the channel of a PC, stable unless a person said another.
func (tx *Tx) Channel(ctx context.Context, d retail.DeviceID) (channel string, err error) {
	err = tx.QueryRowContext(ctx, `SELECT channel FROM device_release WHERE device = ?`, string(d)).Scan(&channel)
	if errors.Is(err, sql.ErrNoRows) || err == nil && channel == "" {
		return release.Stable, nil
	}
	return channel, err
}
