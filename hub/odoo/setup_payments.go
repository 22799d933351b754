package odoo

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/tillpost/tillpost/hub/ledger"
	"github.com/tillpost/tillpost/hub/mapping"
	"github.com/tillpost/tillpost/hub/plan"
	"github.com/tillpost/tillpost/shared/fault"
)

// PaymentsJournal is the code of the one for payments, where a tender's rule names none.
const PaymentsJournal = plan.OwnPayments

// payments makes what payments need: a journal of their own, and in it, or in the journal that a tender's rule names, a payment method each way for each
// account on which tenders stand. Nobody else's method is changed: one that books elsewhere stays as it is, and a new one stands beside it.
func (s *setup) payments(ctx context.Context) error {
	if s.rep.Books.Sales == "" {
		return nil
	}
	s.rep.Books.Payments = PaymentsJournal
	what := "payments journal " + PaymentsJournal
	j, ok := s.ch.journals[PaymentsJournal]
	switch {
	case ok && j.kind != "cash":
		return fault.Msg(fault.Invalid, "odoo setup", "Odoo's journal "+PaymentsJournal+" is of type "+j.kind+"; payments need one of type Cash: give that journal another code in Odoo, then run it again")
	case ok:
		s.there(what)
	default:
		n, err := s.make(ctx, what, "account.journal", map[string]any{"name": "Tillpost payments", "code": PaymentsJournal, "type": "cash", "company_id": s.ch.company})
		if err != nil {
			return err
		}
		s.ch.journals[PaymentsJournal] = journal{id: n, kind: "cash"}
	}
	for _, p := range paymentPlaces(append(slices.Clone(s.Have.Rules), s.rep.Rules...)) {
		if err := s.methods(ctx, p); err != nil {
			return err
		}
	}
	return nil
}

// paymentPlace is an account on which payments stand, in a journal.
type paymentPlace struct {
	journal, account string
	method           string // as the rule names it, "" = any that books there
	code             string // of its first tender, by which a new method is called
}

// name is what its methods are called.
func (p paymentPlace) name() string { return cmp.Or(p.method, "Till "+p.code) }

// has reports whether a place has its method one way.
func (ch *chart) has(p paymentPlace, in bool) bool {
	j, account := ch.journals[p.journal].id, ch.accounts[p.account].id
	return slices.ContainsFunc(ch.methods, func(m method) bool {
		return account != 0 && m.journal == j && m.account == account && m.in == in && (p.method == "" || m.name == p.method)
	})
}

// paymentPlaces are those of tenders' rules, each once, in an order of their own.
func paymentPlaces(rules []mapping.Rule) []paymentPlace {
	seen := map[paymentPlace]string{}
	for _, r := range rules {
		if r.Role != ledger.Tender || r.Target.Account == "" {
			continue
		}
		p := paymentPlace{journal: cmp.Or(r.Target.Journal, PaymentsJournal), account: r.Target.Account, method: r.Target.Method}
		if old, ok := seen[p]; !ok || r.Code < old {
			seen[p] = r.Code
		}
	}
	var out []paymentPlace
	for p, code := range seen {
		p.code = code
		out = append(out, p)
	}
	slices.SortFunc(out, func(a, b paymentPlace) int {
		return cmp.Or(cmp.Compare(a.journal, b.journal), cmp.Compare(a.name(), b.name()), cmp.Compare(a.account, b.account))
	})
	return out
}

// methods makes the method of a place each way, unless one books there already.
func (s *setup) methods(ctx context.Context, p paymentPlace) error {
	j, ok := s.ch.journals[p.journal]
	if !ok || !slices.Contains([]string{"bank", "cash", "credit"}, j.kind) {
		return fault.Msg(fault.Invalid, "odoo setup", fmt.Sprintf("the rule for %s names the journal %s for its payments, which Odoo does not have as one for bank, cash or credit cards: correct it with `hub mapping set`", p.code, p.journal))
	}
	account := s.ch.accounts[p.account].id
	for _, in := range []bool{true, false} {
		way := map[bool]string{true: "inbound", false: "outbound"}[in]
		what := fmt.Sprintf("payment method %s, %s, in %s", p.name(), way, p.journal)
		if s.ch.has(p, in) {
			s.there(what)
			continue
		}
		values := map[string]any{"name": s.ch.free(p, in), "journal_id": j.id, "payment_account_id": account}
		if !s.dry {
			if account == 0 { // it was made by this very run
				n, err := s.accountID(ctx, p.account)
				if err != nil {
					return err
				}
				values["payment_account_id"], account = n, n
			}
			manual, err := s.manual(ctx)
			if err != nil {
				return err
			}
			values["payment_method_id"] = manual[way]
		}
		n, err := s.make(ctx, what, "account.payment.method.line", values)
		if err != nil {
			return err
		}
		s.ch.methods = append(s.ch.methods, method{n, j.id, account, fmt.Sprint(values["name"]), in})
	}
	return nil
}

// free is a place's name for its method, or another when somebody's method of that name books elsewhere: names are unique in a journal.
func (ch *chart) free(p paymentPlace, in bool) string {
	j := ch.journals[p.journal].id
	if slices.ContainsFunc(ch.methods, func(m method) bool { return m.journal == j && m.in == in && m.name == p.name() }) {
		return p.name() + " " + p.account
	}
	return p.name()
}

// lackingMethods names what payments will wait for.
func (ch *chart) lackingMethods(rules []mapping.Rule) (out []string) {
	for _, p := range paymentPlaces(rules) {
		for _, in := range []bool{true, false} {
			if !ch.has(p, in) {
				out = append(out, fmt.Sprintf("payment method in %s that books %s payments on %s", p.journal, map[bool]string{true: "incoming", false: "outgoing"}[in], p.account))
			}
		}
	}
	return out
}

// manual are Odoo's ids of the payment methods that no provider stands behind, by their way.
func (s *setup) manual(ctx context.Context) (map[string]int64, error) {
	if s.manuals != nil {
		return s.manuals, nil
	}
	got, err := s.c.search(ctx, "account.payment.method", []any{[]any{"code", "=", "manual"}}, []string{"payment_type"}, s.ch.in())
	out := map[string]int64{}
	for _, m := range got {
		out[text(m["payment_type"])] = id(m["id"])
	}
	if err != nil || len(out) != 2 {
		return nil, cannot("find the manual payment methods", err)
	}
	s.manuals = maps.Clone(out)
	return out, nil
}

func (s *setup) accountID(ctx context.Context, code string) (int64, error) {
	domain := []any{[]any{"code", "=", code}}
	if s.ch.version.Major < 18 {
		domain = append(domain, []any{"company_id", "=", s.ch.company})
	}
	got, err := s.c.search(ctx, "account.account", domain, []string{"code"}, s.ch.in())
	if err != nil || len(got) != 1 {
		return 0, cannot("find the account "+code, err)
	}
	return id(got[0]["id"]), nil
}
