package store

import (
	"context"
	"fmt"
	"strings"

	"github.com/tillpost/tillpost/hub/mapping"
	"github.com/tillpost/tillpost/hub/odoo"
	"github.com/tillpost/tillpost/hub/view"
	"github.com/tillpost/tillpost/shared/fault"
)

// SetRule is SetRules for what a person says: an account or tax that the books do not have is refused before a document is made with it.
// While the books cannot be asked, the person's word counts.
func (c Clerk) SetRule(ctx context.Context, r mapping.Rule, who, reason string) error {
	if err := c.inBooks(ctx, r.Target); err != nil {
		return err
	}
	defer c.Done()
	return c.SetRules(ctx, []mapping.Rule{r}, who, reason)
}

// TryRule says what SetRule would do to store-days, and refuses what it would refuse. Nothing is changed.
func (c Clerk) TryRule(ctx context.Context, r mapping.Rule) ([]view.MappingEffect, error) {
	if err := c.inBooks(ctx, r.Target); err != nil {
		return nil, err
	}
	return c.MappingEffect(ctx, []mapping.Rule{r})
}

func (c Clerk) inBooks(ctx context.Context, t mapping.Target) error {
	if c.Places == nil {
		return nil
	}
	all, err := c.Places(ctx)
	if err != nil || len(all) == 0 {
		return nil
	}
	account, tax := t.Account == "", t.Tax == ""
	var near []string
	for _, p := range all {
		account = account || !p.Tax && p.Code == t.Account
		tax = tax || p.Tax && p.Name == t.Tax
		if !p.Tax && t.Account != "" && strings.HasPrefix(p.Code, t.Account[:min(3, len(t.Account))]) && len(near) < nearMost {
			near = append(near, p.Code+" "+p.Name)
		}
	}
	switch {
	case !account:
		return fault.Msg(fault.Invalid, "map", fmt.Sprintf("Odoo has no account %q in use; nothing was changed, the amount stays in suspense. Near it are: %s", t.Account, strings.Join(near, "; ")))
	case !tax:
		return fault.Msg(fault.Invalid, "map", fmt.Sprintf("Odoo has no sales tax %q with one tax line; nothing was changed, the amount stays in suspense", t.Tax))
	}
	return nil
}

// nearMost is how many accounts a refusal names.
const nearMost = 5

// choices are the places a person may map a code to: Odoo's own, else those that rules name.
func (c Clerk) choices(ctx context.Context, v *view.CaseView) error {
	var all []odoo.Place
	if c.Places != nil {
		all, _ = c.Places(ctx) // the books are away: what rules name is better than nothing
	}
	for _, p := range all {
		if p.Tax {
			v.Taxes = append(v.Taxes, p.Name)
		} else {
			v.Accounts = append(v.Accounts, view.AccountView{Code: p.Code, Name: p.Name})
		}
	}
	if len(v.Accounts) > 0 {
		return nil
	}
	accounts, err := c.accounts(ctx)
	v.Accounts = accounts
	return err
}
