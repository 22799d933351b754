package odoo

import (
	"fmt"
	"strings"
	"time"
)

// effective is a lock date as it binds the calling user, "" = none: an exception takes its place from 18 on.
func (s *Server) effective(company int64, field string) string {
	for _, e := range s.b.Models["account.lock_exception"] {
		if v, concerned := e[field]; concerned && e["user_id"] == s.uid && e["active"] != false {
			d, _ := v.(string)
			return d
		}
	}
	d, _ := s.b.Models["res.company"][company][field].(string)
	return d
}

// closed tells up to when an entry's date is locked, "" = it is open. The sales and purchase locks do not concern journal entries.
func (s *Server) closed(date string, move int64) (until string) {
	fields := []string{"fiscalyear_lock_date", "hard_lock_date"}
	if s.Version == 17 && !s.holds(s.uid, "account.group_account_manager") {
		fields = append(fields, "period_lock_date")
	}
	if s.taxed(move) {
		fields = append(fields, "tax_lock_date")
	}
	if sold(s.b.Models["account.move"][move]) && s.Version >= 18 {
		fields = append(fields, "sale_lock_date")
	}
	company := s.owner("account.move", s.b.Models["account.move"][move])
	for _, f := range fields {
		if d := s.effective(company, f); date <= d {
			until = max(until, d)
		}
	}
	return until
}

func (s *Server) taxed(move int64) bool {
	for _, id := range s.lines[move] {
		if l := s.b.Models["account.move.line"][id]; l != nil && l["tax_repartition_line_id"] != false {
			return true
		}
	}
	return false
}

// shift is the date that Odoo gives an entry of a closed period: the end of the first open month, or today when that month is still on.
func shift(until string) string {
	t, _ := time.Parse(time.DateOnly, until)
	t = t.AddDate(0, 0, 1)
	now := time.Now()
	if t.Format("2006-01") >= now.Format("2006-01") {
		return max(t.Format(time.DateOnly), now.Format(time.DateOnly))
	}
	return time.Date(t.Year(), t.Month()+1, 0, 0, 0, 0, 0, time.UTC).Format(time.DateOnly)
}

// lockedWords is how a version says that a period is closed.
func (s *Server) lockedWords(until string) fault {
	t, _ := time.Parse(time.DateOnly, until)
	if s.Version == 17 {
		return fault{2, "You cannot add/modify entries prior to and inclusive of the lock date " + t.Format("01/02/2006") + "."}
	}
	return fault{2, "You cannot add/modify entries prior to and inclusive of: Global Lock Date (" + t.Format("01/02/2006") + ")."}
}

// relock checks new lock dates of the company.
func (s *Server) relock(old record, changes record) error {
	if was, _ := old["hard_lock_date"].(string); was != "" {
		if v, asked := changes["hard_lock_date"]; asked && v != was && fmt.Sprint(v) < was {
			return fault{2, "The Hard Lock Date cannot be removed."}
		} else if asked && v == false {
			return fault{2, "The Hard Lock Date cannot be removed."}
		}
	}
	until, _ := changes["fiscalyear_lock_date"].(string)
	if s.Version != 17 || until == "" {
		return nil
	}
	for _, m := range s.b.Models["account.move"] {
		if d, _ := m["date"].(string); m["state"] == "draft" && d <= until {
			return fault{2, "('There are still unposted entries in the period you want to lock. You should either post or delete them.', {'type': 'ir.actions.act_window'}, 'Show unposted entries', None)"}
		}
	}
	return nil
}

// userLock is one of the dates that 18 and 19 compute for the calling user; none is Python's first day, without its zeros.
func (s *Server) userLock(company int64, name string) string {
	if d := s.effective(company, strings.TrimPrefix(name, "user_")); d != "" {
		return d
	}
	return "1-01-01"
}
