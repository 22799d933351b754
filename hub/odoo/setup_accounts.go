package odoo

import (
	"context"
	"fmt"

	"github.com/tillpost/tillpost/hub/ledger"
	"github.com/tillpost/tillpost/hub/mapping"
	"github.com/tillpost/tillpost/shared/fault"
)

// wanted is one account of the books and the rules that lead to it.
type wanted struct {
	name  string
	kind  string // Odoo's account_type
	first string // where the search for a free code begins
	rules []mapping.Rule
	clear bool // what stands there is paid out by others: its items are reconciled
}

func rule(r ledger.Role, code string) mapping.Rule { return mapping.Rule{Role: r, Code: code} }

// chartOf is the default chart of a retailer (finance.md): a clearing account per tender, contra accounts for what is given back.
func chartOf(tenders, banks []string) []wanted {
	out := []wanted{
		{"Till suspense", "asset_current", "101980", nil, false},
		{"Till sales", "income", "401900", []mapping.Rule{rule(ledger.Sales, mapping.Any), rule(ledger.Fee, mapping.Any), rule(ledger.Shipping, "")}, false},
		{"Till returns", "income", "401910", []mapping.Rule{rule(ledger.Returns, mapping.Any)}, false},
		{"Till discounts", "income", "401920", []mapping.Rule{rule(ledger.Discount, mapping.Any)}, false},
		{"Till gift cards outstanding", "liability_current", "251910", []mapping.Rule{rule(ledger.GiftCard, ""), rule(ledger.Tender, "gift_card")}, false},
		{"Till tips payable", "liability_current", "251920", []mapping.Rule{rule(ledger.Tip, "")}, false},
		{"Till customer deposits", "liability_current", "251930", []mapping.Rule{rule(ledger.Deposit, "")}, false},
		{"Till house accounts", "asset_current", "101970", []mapping.Rule{rule(ledger.House, ""), rule(ledger.Tender, "on_account")}, false},
		{"Till cash over and short", "expense", "601910", []mapping.Rule{rule(ledger.OverShort, mapping.Any)}, false},
		{"Till cash rounding", "expense", "601920", []mapping.Rule{rule(ledger.Rounding, "")}, false},
		{"Till paid in", "income", "401930", []mapping.Rule{rule(ledger.PaidIn, mapping.Any)}, false},
		{"Till paid out", "expense", "601930", []mapping.Rule{rule(ledger.PaidOut, mapping.Any)}, false},
	}
	for _, t := range tenders {
		if t != "gift_card" && t != "on_account" {
			out = append(out, wanted{"Till clearing: " + t, "asset_current", "101900", []mapping.Rule{rule(ledger.Tender, t)}, true})
		}
	}
	if len(banks) == 0 {
		return out
	}
	for _, b := range banks {
		out = append(out, wanted{"Till deposits: " + b, "asset_current", "101960", []mapping.Rule{rule(ledger.Bank, b)}, true})
	}
	return append(out, wanted{"Till card processing fees", "expense", "601940", []mapping.Rule{rule(ledger.Charge, mapping.Any)}, false},
		wanted{"Till card disputes", "asset_current", "101965", []mapping.Rule{rule(ledger.Dispute, "")}, true},
		wanted{"Till chargeback losses", "expense", "601950", []mapping.Rule{rule(ledger.Loss, mapping.Any)}, false},
		wanted{"Till clearing: card", "asset_current", "101900", []mapping.Rule{rule(ledger.Tender, "card")}, true})
}

// accounts finds each account by the rule that names it, then by its name; else it makes it with a free code.
func (s *setup) accounts(ctx context.Context) error {
	domain := []any{[]any{"name", "=like", "Till %"}}
	got, err := s.c.search(ctx, "account.account", domain, []string{"name", "code"}, s.ch.in())
	if err != nil {
		return err
	}
	s.byName = map[string]string{}
	for _, m := range got {
		s.byName[text(m["name"])] = text(m["code"])
	}
	known := map[string]bool{"suspense": true}
	for _, w := range chartOf(s.Tenders, s.Banks) {
		for _, r := range w.rules {
			known[key(r)] = true
		}
		if err := s.offerAll(ctx, w); err != nil {
			return err
		}
	}
	for k := range s.Accounts {
		if !known[k] {
			return fault.Msg(fault.Invalid, "odoo setup", fmt.Sprintf("--account %s: setup books no such thing; it is like tender:cash, sales:* or suspense", k))
		}
	}
	return nil
}

// key names what a rule is about, as head office types it.
func key(r mapping.Rule) string { return string(r.Role) + ":" + r.Code }

// offerAll offers the rules of one account; those that head office told another account for go there.
func (s *setup) offerAll(ctx context.Context, w wanted) error {
	if w.rules == nil {
		code, told, err := s.told("suspense")
		if err == nil && !told {
			code, err = s.account(ctx, w, s.Books.Suspense)
		}
		s.rep.Books.Suspense = code
		return err
	}
	var rest []mapping.Rule
	for _, r := range w.rules {
		code, told, err := s.told(key(r))
		if err != nil {
			return err
		}
		if !told {
			rest = append(rest, r)
			continue
		}
		if t, ok := s.exact(r); ok && t.Account != code {
			return fault.Msg(fault.Invalid, "odoo setup", fmt.Sprintf("%s is mapped to account %s already: change it with `hub mapping set`, setup changes no rule", key(r), t.Account))
		}
		r.Target = mapping.Target{Account: code}
		s.offer(r)
	}
	if len(rest) == 0 {
		return nil
	}
	w.rules = rest
	code, err := s.account(ctx, w, "")
	for _, r := range rest {
		r.Target = mapping.Target{Account: code}
		s.offer(r)
	}
	return err
}

// told is the existing account that head office wants used.
func (s *setup) told(what string) (code string, told bool, err error) {
	if code, told = s.Accounts[what]; !told {
		return "", false, nil
	}
	if a, ok := s.ch.accounts[code]; !ok || a.dead {
		return "", false, fault.Msg(fault.Invalid, "odoo setup", fmt.Sprintf("--account %s=%s: Odoo has no account %s in use", what, code, code))
	}
	s.there("account " + code + " for " + what)
	return code, true, nil
}

// account finds an account by the rule that names it, else by its name; else it makes it, under the code that a rule or wish names when nobody has
// that: a rule holds for every company, and its code must be in each.
func (s *setup) account(ctx context.Context, w wanted, wish string) (code string, err error) {
	for _, r := range w.rules {
		if t, ok := s.exact(r); ok && t.Account != "" {
			if a, ok := s.ch.accounts[t.Account]; ok && !a.dead {
				s.there("account " + t.Account + " for " + w.name)
				return t.Account, s.reconcilable(ctx, t.Account, w)
			}
			wish = t.Account
		}
	}
	if code = s.byName[w.name]; code != "" && (wish == "" || wish == code) {
		s.there("account " + code + " " + w.name)
		return code, s.reconcilable(ctx, code, w)
	}
	if code = wish; code == "" || s.used[code] {
		code = s.free(w.first)
	}
	s.used[code] = true
	_, err = s.make(ctx, "account "+code+" "+w.name, "account.account", map[string]any{"name": w.name, "code": code, "account_type": w.kind, "reconcile": w.clear})
	return code, err
}

// reconcilable lets the items of a clearing account be matched with what paid them out.
func (s *setup) reconcilable(ctx context.Context, code string, w wanted) error {
	a, ok := s.ch.accounts[code]
	if !w.clear || !ok || a.open || a.kind != "asset_current" && a.kind != "liability_current" {
		return nil
	}
	return s.change(ctx, "account "+code+": let its items be reconciled", "account.account", a.id, map[string]any{"reconcile": true})
}

// exact finds a rule that says just this.
func (s *setup) exact(r mapping.Rule) (mapping.Target, bool) {
	for _, h := range s.Have.Rules {
		if h.Role == r.Role && h.Code == r.Code && h.Location == r.Location {
			return h.Target, true
		}
	}
	return mapping.Target{}, false
}

// offer adds a rule unless one says the same thing already.
func (s *setup) offer(r mapping.Rule) {
	if _, ok := s.exact(r); !ok {
		s.rep.Rules = append(s.rep.Rules, r)
	}
}

// free counts a code up until nobody has it.
func (s *setup) free(first string) string {
	var n int64
	_, _ = fmt.Sscan(first, &n)
	for ; ; n++ {
		if code := fmt.Sprint(n); !s.used[code] {
			s.used[code] = true
			return code
		}
	}
}
