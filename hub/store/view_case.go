package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/tillpost/tillpost/hub/cases"
	"github.com/tillpost/tillpost/hub/ingest"
	"github.com/tillpost/tillpost/hub/view"
	"github.com/tillpost/tillpost/shared/fault"
	"github.com/tillpost/tillpost/shared/retail"
)

// CaseViews lists cases, the oldest first.
func (s *Store) CaseViews(ctx context.Context, f view.CaseFilter) (out []view.CaseView, err error) {
	where, args := only("location", f.Only)
	args = append(args, f.All, string(f.Location), string(f.Location), string(f.Day), string(f.Day), limit(f.Limit), f.Offset)
	err = each(ctx, s.read, func(r *sql.Rows) error {
		var body string
		var v view.CaseView
		if err := r.Scan(&body); err != nil {
			return err
		}
		var err error
		v.Case, err = readCase(body)
		out = append(out, v)
		return err
	}, `SELECT body FROM kase WHERE `+where+` AND (state = 'open' OR ?) AND (? = '' OR location = ?) AND (? = '' OR day = ?) ORDER BY opened, id LIMIT ? OFFSET ?`, args...)
	return out, classify("list cases", err)
}

// OpenCases counts them.
func (s *Store) OpenCases(ctx context.Context, codes []retail.LocationCode) (n int, err error) {
	where, args := only("location", codes)
	err = s.read.QueryRowContext(ctx, `SELECT count(*) FROM kase WHERE state = 'open' AND `+where, args...).Scan(&n)
	return n, classify("count cases", err)
}

// CaseView reads a case with its steps, its record and what can be chosen. Code not_found.
func (s *Store) CaseView(ctx context.Context, id string) (v view.CaseView, err error) {
	var found bool
	err = s.readTx(ctx, func(tx *Tx) error {
		v.Case, found, err = tx.getCase(ctx, id)
		return err
	})
	if err != nil {
		return v, classify("read case", err)
	}
	if !found {
		return v, fault.Msg(fault.NotFound, "read case", "there is no case "+id)
	}
	if v.Steps, err = s.steps(ctx, "case "+id, ""); err != nil {
		return v, err
	}
	if v.Envelope != 0 {
		raw, err := s.Raw(ctx, v.Envelope)
		if err != nil {
			return v, err
		}
		v.Raw = &raw
	}
	if v.Cause == cases.UnknownLocation {
		v.Proposal, err = s.proposal(ctx, retail.LocationCode(v.Subject))
	}
	return v, err
}

// CaseView is the store's, with what a person may choose from.
func (c Clerk) CaseView(ctx context.Context, id string) (v view.CaseView, err error) {
	if v, err = c.Store.CaseView(ctx, id); err != nil {
		return v, err
	}
	if v.Raw != nil {
		if mended, ok, err := c.mended(ctx, c.read, v.Envelope); err == nil && ok {
			v.Raw.Body = mended
		}
	}
	switch v.Cause {
	case cases.UnknownCode:
		err = c.choices(ctx, &v)
	case cases.UnknownLocation:
		var n int
		err = c.read.QueryRowContext(ctx, `SELECT count(*) FROM envelope WHERE refusal <> '' AND location = ? AND refusal LIKE '%' || ? || '%'`, v.Subject, ingest.ErrUnplaced.Error()).Scan(&n)
		if n > 0 {
			v.Detail += fmt.Sprintf("; %d records of it wait for its time zone", n)
		}
	}
	return v, classify("read case", err)
}

// accounts lists the accounts that rules already name, each with what it is used for.
func (s *Store) accounts(ctx context.Context) (out []view.AccountView, err error) {
	set, err := s.Mapping(ctx)
	if err != nil {
		return nil, err
	}
	uses := map[string][]string{}
	for _, r := range set.Rules {
		if r.Target.Account != "" {
			uses[r.Target.Account] = append(uses[r.Target.Account], strings.TrimSpace(string(r.Role)+" "+r.Code))
		}
	}
	for _, code := range slices.Sorted(maps.Keys(uses)) {
		out = append(out, view.AccountView{Code: code, Name: strings.Join(uses[code], ", ")})
	}
	return out, nil
}

// proposal is what a store says of itself.
func (s *Store) proposal(ctx context.Context, code retail.LocationCode) (*view.LocationForm, error) {
	f := &view.LocationForm{Code: code, Cutoff: "04:00", Currency: "USD"}
	var told string
	err := s.read.QueryRowContext(ctx, `SELECT told FROM location WHERE code = ?`, string(code)).Scan(&told)
	if err == sql.ErrNoRows || err == nil && told == "" {
		return f, nil
	}
	if err != nil {
		return nil, classify("read location", err)
	}
	var l retail.Location
	if json.Unmarshal([]byte(told), &l) == nil {
		f.Name, f.Zone = l.Name, l.Zone
		if l.Cutoff != "" {
			f.Cutoff = l.Cutoff
		}
		if l.Currency != "" {
			f.Currency = l.Currency
		}
	}
	return f, nil
}
