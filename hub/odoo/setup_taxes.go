package odoo

import (
	"context"
	"fmt"

	"github.com/tillpost/tillpost/hub/ledger"
	"github.com/tillpost/tillpost/hub/mapping"
	"github.com/tillpost/tillpost/shared/fault"
)

// taxes finds or makes one Odoo tax per jurisdiction. Its rate is zero: the till's cents are booked as they are, never computed anew, and
// the tax report shows them under the tax's name.
func (s *setup) taxes(ctx context.Context) error {
	for _, name := range s.Taxes {
		if t, ok := s.exact(rule(ledger.Tax, name)); ok {
			if err := s.taxAsMapped(ctx, name, t); err != nil {
				return err
			}
			continue
		}
		target, err := s.taxTarget(ctx, name)
		if err != nil {
			return err
		}
		for _, r := range []ledger.Role{ledger.Tax, ledger.TaxRefund} {
			s.offer(mapping.Rule{Role: r, Code: name, Target: target})
		}
	}
	return nil
}

// taxAsMapped finds the tax that a rule names. One of setup's own that this company lacks is made, on the account that the rule names.
func (s *setup) taxAsMapped(ctx context.Context, name string, t mapping.Target) error {
	if _, there := s.ch.taxes[t.Tax]; there || t.Tax != "Till "+name {
		s.there("tax " + t.Tax + " for " + name)
		return nil
	}
	payable, err := s.payable(ctx, t.Account)
	if err != nil {
		return err
	}
	return s.makeTax(ctx, t.Tax, s.ch.accounts[payable].id)
}

// taxTarget is the tax that head office named, with that tax's own account, or the one that setup makes.
func (s *setup) taxTarget(ctx context.Context, name string) (mapping.Target, error) {
	if told := s.TaxNames[name]; told != "" {
		t, ok := s.ch.taxes[told]
		if !ok || t.parts != 1 {
			return mapping.Target{}, fault.Msg(fault.Invalid, "odoo setup", fmt.Sprintf("--tax-as %q=%q: Odoo has no sales tax of that name with exactly one tax line", name, told))
		}
		if t.invoice.account != 0 && t.refund.account != 0 {
			s.there("tax " + told + " for " + name)
			return mapping.Target{Tax: told}, nil
		}
		payable, err := s.payable(ctx, "")
		s.there("tax " + told + " for " + name)
		return mapping.Target{Account: payable, Tax: told}, err
	}
	payable, err := s.payable(ctx, "")
	if err != nil {
		return mapping.Target{}, err
	}
	own := "Till " + name
	if t, ok := s.ch.taxes[own]; ok && t.parts == 1 {
		s.there("tax " + own)
	} else if err := s.makeTax(ctx, own, s.ch.accounts[payable].id); err != nil {
		return mapping.Target{}, err
	}
	return mapping.Target{Account: payable, Tax: own}, nil
}

// payable is the account of the taxes that setup makes, under a code if that is wished; it is looked for once.
func (s *setup) payable(ctx context.Context, wish string) (code string, err error) {
	if s.taxAccount != "" {
		return s.taxAccount, nil
	}
	if s.taxAccount, err = s.account(ctx, wanted{"Till sales tax payable", "liability_current", "251900", nil, false}, wish); err != nil || s.dry {
		return s.taxAccount, err
	}
	s.ch, err = readChart(ctx, s.c, books{name: s.c.cfg.Company}) // its id
	return s.taxAccount, err
}

func (s *setup) makeTax(ctx context.Context, name string, payable int64) error {
	lines := func() []any {
		return []any{[]any{0, 0, map[string]any{"repartition_type": "base"}}, []any{0, 0, map[string]any{"repartition_type": "tax", "account_id": payable}}}
	}
	_, err := s.make(ctx, "tax "+name, "account.tax", map[string]any{"name": name, "type_tax_use": "sale", "amount_type": "percent", "amount": 0,
		"company_id": s.ch.company, "invoice_repartition_line_ids": lines(), "refund_repartition_line_ids": lines()})
	return err
}
