package odoo

import (
	"context"
	"slices"

	"github.com/tillpost/tillpost/shared/fault"
)

// receipts makes what days need that go as receipts or invoices: a sales journal, and per location a customer for all who give no name.
func (s *setup) receipts(ctx context.Context) error {
	if len(s.Receipts) == 0 && s.Books.Sales == "" {
		if j, made := s.ch.journals[SalesJournal]; made && j.kind == "sale" { // by an earlier run: days that went so keep it
			s.rep.Books.Sales = SalesJournal
		}
		return nil
	}
	s.rep.Books.Sales = SalesJournal
	what := "sales journal " + SalesJournal
	switch j, ok := s.ch.journals[SalesJournal]; {
	case ok && j.kind != "sale":
		return fault.Msg(fault.Invalid, "odoo setup", "Odoo's journal "+SalesJournal+" is of type "+j.kind+"; receipts need one of type Sales: give that journal another code in Odoo, then run it again")
	case ok:
		s.there(what)
	default:
		if _, err := s.make(ctx, what, "account.journal", map[string]any{"name": "Tillpost receipts", "code": SalesJournal, "type": "sale", "company_id": s.ch.company}); err != nil {
			return err
		}
	}
	s.Receipts = slices.Sorted(slices.Values(s.Receipts))
	for _, l := range s.Receipts {
		ref := WalkInRef(l)
		what := "walk-in customer of " + string(l)
		if _, ok := s.ch.customers[ref]; ok {
			s.there(what)
			continue
		}
		name := s.Locations[l]
		if name == "" {
			name = string(l)
		}
		if _, err := s.make(ctx, what, "res.partner", map[string]any{"name": "Walk-in customer, " + name, "ref": ref, "company_id": s.ch.company}); err != nil {
			return err
		}
	}
	return nil
}
