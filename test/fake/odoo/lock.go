package odoo

import (
	"fmt"
	"strings"
	"time"
)

// effective is a lock date as it binds the calling user in a company, "" = none: of the company and those above it, each by its most lenient
// exception from 18 on.
func (s *Server) effective(company int64, field string) (until string) {
	for _, c := range s.above(company) {
		d, _ := s.b.Models["res.company"][c][field].(string)
		if field != "hard_lock_date" {
			d = s.excepted(c, field, d)
		}
		until = max(until, d)
	}
	return until
}

// excepted is what an exception leaves of a lock date: one of the company, for the user or for everybody, that is neither revoked nor over.
func (s *Server) excepted(company int64, field, date string) string {
	now := time.Now().UTC().Format(time.DateTime)
	for _, e := range s.b.Models["account.lock_exception"] {
		user, forAll := e["user_id"], e["user_id"] == false || e["user_id"] == nil
		v, concerned := e[field]
		if end, ends := e["end_datetime"].(string); !concerned || e["active"] == false || ends && end < now || user != s.uid && !forAll || e["company_id"] != company {
			continue
		}
		if d, _ := v.(string); d < date {
			date = d
		}
	}
	return date
}

// above is a company with its parents.
func (s *Server) above(company int64) (out []int64) {
	for at, ok := company, true; ok && at != 0; at, ok = s.b.Models["res.company"][at]["parent_id"].(int64) {
		out = append(out, at)
	}
	return out
}

// closed tells up to when an entry's date is locked, "" = it is open. From 18 on sales and purchase locks concern journals of their type.
func (s *Server) closed(date string, move int64) (until string) {
	fields := []string{"fiscalyear_lock_date", "hard_lock_date"}
	if s.Version == 17 && !s.holds(s.uid, "account.group_account_manager") {
		fields = append(fields, "period_lock_date")
	}
	if s.taxed(move) {
		fields = append(fields, "tax_lock_date")
	}
	m := s.b.Models["account.move"][move]
	journal, _ := m["journal_id"].(int64)
	if kind, _ := s.b.Models["account.journal"][journal]["type"].(string); s.Version >= 18 && (kind == "sale" || kind == "purchase") {
		fields = append(fields, kind+"_lock_date")
	}
	company := s.owner("account.move", m)
	for _, f := range fields {
		if d := s.effective(company, f); date <= d {
			until = max(until, d)
		}
	}
	return until
}

// taxed tells entries that a tax lock binds: those with a tax, and those with what a tax is on.
func (s *Server) taxed(move int64) bool {
	for _, id := range s.lines[move] {
		if l := s.b.Models["account.move.line"][id]; l != nil && (l["tax_repartition_line_id"] != false || len(idList(l["tax_ids"])) > 0) {
			return true
		}
	}
	return false
}

// yearly reports whether a journal numbers its entries by year: those of sales and money do, others by month.
func (s *Server) yearly(journal any) bool {
	id, _ := journal.(int64)
	kind := s.b.Models["account.journal"][id]["type"]
	return kind == "sale" || kind == "bank" || kind == "cash"
}

// shift is the date that Odoo gives an entry of a closed period: the end of the first open month, or year where a journal counts by it, or
// today while that is still on.
func shift(until string, yearly bool) string {
	t, _ := time.Parse(time.DateOnly, until)
	t = t.AddDate(0, 0, 1)
	now, span, end := time.Now(), "2006-01", time.Date(t.Year(), t.Month()+1, 0, 0, 0, 0, 0, time.UTC)
	if yearly {
		span, end = "2006", time.Date(t.Year(), time.December, 31, 0, 0, 0, 0, time.UTC)
	}
	if t.Format(span) >= now.Format(span) {
		return max(t.Format(time.DateOnly), now.Format(time.DateOnly))
	}
	return end.Format(time.DateOnly)
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

// userLock is one of the dates that are computed for the calling user, and in 17 the tax lock over all parents; none is Python's first day,
// without its zeros.
func (s *Server) userLock(company int64, name string) string {
	if d := s.effective(company, strings.TrimPrefix(strings.TrimPrefix(name, "user_"), "max_")); d != "" {
		return d
	}
	return "1-01-01"
}
