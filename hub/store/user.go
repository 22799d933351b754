package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/tillpost/tillpost/hub/view"
	"github.com/tillpost/tillpost/shared/fault"
)

const userColumns = `name, role, locations, password, stamp, disabled, created, signed_in`

// AddUser makes a user. Code conflict when the name is taken.
func (tx *Tx) AddUser(ctx context.Context, u view.User, who string) error {
	locations, err := checkUser(u)
	if err != nil {
		return err
	}
	res, err := tx.ExecContext(ctx, `INSERT INTO login (name, role, locations, password, stamp, created) VALUES (?, ?, ?, ?, 1, ?) ON CONFLICT (name) DO NOTHING`,
		u.Name, string(u.Role), locations, u.Hash, micros(tx.Now))
	if err != nil {
		return err
	}
	if n, err := res.RowsAffected(); err != nil || n == 0 {
		return errors.Join(err, fault.Msg(fault.Conflict, "add user", "the name "+u.Name+" is taken; use user set to change it"))
	}
	return tx.PutStep(ctx, Step{Subject: "user " + u.Name, Who: who, What: "added", After: string(u.Role) + " " + locations})
}

// SetUser changes role, locations and whether the user may sign in; sessions end. The last admin who may sign in stays one.
func (tx *Tx) SetUser(ctx context.Context, u view.User, who string) error {
	locations, err := checkUser(u)
	if err != nil {
		return err
	}
	var role, had string
	var disabled bool
	err = tx.QueryRowContext(ctx, `SELECT role, locations, disabled FROM login WHERE name = ?`, u.Name).Scan(&role, &had, &disabled)
	if errors.Is(err, sql.ErrNoRows) {
		return unknownUser(u.Name)
	}
	if err != nil {
		return err
	}
	if _, err := tx.ExecContext(ctx, `UPDATE login SET role = ?, locations = ?, disabled = ?, stamp = stamp + 1 WHERE name = ?`,
		string(u.Role), locations, u.Disabled, u.Name); err != nil {
		return err
	}
	if err := tx.keepAdmin(ctx); err != nil {
		return err
	}
	return tx.PutStep(ctx, Step{Subject: "user " + u.Name, Who: who, What: "set",
		Before: fmt.Sprintf("%s %s disabled=%v", role, had, disabled), After: fmt.Sprintf("%s %s disabled=%v", u.Role, locations, u.Disabled)})
}

// keepAdmin refuses a change that would leave nobody to manage users.
func (tx *Tx) keepAdmin(ctx context.Context) error {
	var n int
	if err := tx.QueryRowContext(ctx, `SELECT count(*) FROM login WHERE role = 'admin' AND disabled = 0`).Scan(&n); err != nil || n > 0 {
		return err
	}
	return fault.Msg(fault.Conflict, "set user", "this is the last admin: make another one first")
}

// SetPassword stores a new password's hash and ends the user's sessions.
func (tx *Tx) SetPassword(ctx context.Context, name, hash, who string) error {
	res, err := tx.ExecContext(ctx, `UPDATE login SET password = ?, stamp = stamp + 1 WHERE name = ?`, hash, name)
	if err != nil {
		return err
	}
	if n, err := res.RowsAffected(); err != nil || n == 0 {
		return errors.Join(err, unknownUser(name))
	}
	return tx.PutStep(ctx, Step{Subject: "user " + name, Who: who, What: "password set"})
}

// User reads a user. Code not_found.
func (s *Store) User(ctx context.Context, name string) (view.User, error) {
	u, err := scanUser(s.read.QueryRowContext(ctx, `SELECT `+userColumns+` FROM login WHERE name = ?`, name))
	if errors.Is(err, sql.ErrNoRows) {
		return u, unknownUser(name)
	}
	return u, classify("read user", err)
}

// Users lists all users by name.
func (s *Store) Users(ctx context.Context) ([]view.User, error) {
	rows, err := s.read.QueryContext(ctx, `SELECT `+userColumns+` FROM login ORDER BY name`)
	if err != nil {
		return nil, classify("list users", err)
	}
	out, err := scanAll(rows, func(r *sql.Rows) (view.User, error) { return scanUser(r) })
	return out, classify("list users", err)
}

// ChangePassword is SetPassword in a transaction of its own, as the pages need it.
func (s *Store) ChangePassword(ctx context.Context, name, hash, who string) error {
	return s.InTx(ctx, func(tx *Tx) error { return tx.SetPassword(ctx, name, hash, who) })
}

// SignedIn notes when a user came in, and keeps the audit line of it.
func (s *Store) SignedIn(ctx context.Context, name, from string) error {
	return s.InTx(ctx, func(tx *Tx) error {
		if _, err := tx.ExecContext(ctx, `UPDATE login SET signed_in = ? WHERE name = ?`, micros(tx.Now), name); err != nil {
			return err
		}
		return tx.PutStep(ctx, Step{Subject: "user " + name, Who: name, What: "signed in", After: from})
	})
}

func scanUser(r interface{ Scan(...any) error }) (u view.User, err error) {
	var locations string
	var created, signedIn int64
	if err = r.Scan(&u.Name, (*string)(&u.Role), &locations, &u.Hash, &u.Stamp, &u.Disabled, &created, &signedIn); err != nil {
		return u, err
	}
	u.Created, u.SignedIn = fromMicros(created), fromMicros(signedIn)
	return u, json.Unmarshal([]byte(locations), &u.Locations)
}

// checkUser returns the locations as they are stored.
func checkUser(u view.User) (locations string, err error) {
	switch {
	case len(u.Name) < 1 || len(u.Name) > 64 || strings.Trim(u.Name, "abcdefghijklmnopqrstuvwxyz0123456789.@_-") != "":
		return "", fault.Msg(fault.Invalid, "user", fmt.Sprintf("%q cannot be a user's name: use a to z, 0 to 9 and . @ _ -, at most 64", u.Name))
	case !slices.Contains(view.Roles, u.Role):
		return "", fault.Msg(fault.Invalid, "user", fmt.Sprintf("%q is no role; choose one of %v", u.Role, view.Roles))
	case u.Role == view.Store && len(u.Locations) == 0:
		return "", fault.Msg(fault.Invalid, "user", "a store user needs at least one location")
	}
	if u.Locations == nil {
		return "[]", nil
	}
	b, err := json.Marshal(u.Locations)
	return string(b), err
}

func unknownUser(name string) error {
	return fault.Msg(fault.NotFound, "user", "there is no user "+name)
}
