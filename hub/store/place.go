package store

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/tillpost/tillpost/hub/mapping"
	"github.com/tillpost/tillpost/hub/odoo"
	"github.com/tillpost/tillpost/hub/view"
	"github.com/tillpost/tillpost/shared/fault"
)

// SetRule is TakeRules of one rule.
func (c Clerk) SetRule(ctx context.Context, r mapping.Rule, who, reason string) error {
	return c.TakeRules(ctx, []mapping.Rule{r}, who, reason)
}

// TakeRules is SetRules for what a person says: an account or tax that the books do not have is refused before a document is made with it,
// all of them at once, and then none of the rules is kept. While the books cannot be asked, the person's word counts.
func (c Clerk) TakeRules(ctx context.Context, rs []mapping.Rule, who, reason string) error {
	if err := c.inBooks(ctx, rs); err != nil {
		return err
	}
	defer c.Done()
	return c.SetRules(ctx, rs, who, reason)
}

// TryRules says what TakeRules would do to store-days, and refuses what it would refuse. Nothing is changed.
func (c Clerk) TryRules(ctx context.Context, rs []mapping.Rule) ([]view.MappingEffect, error) {
	if err := c.inBooks(ctx, rs); err != nil {
		return nil, err
	}
	return c.MappingEffect(ctx, rs)
}

// inBooks looks up what the rules would change: a file that was written here comes back in even where an account was closed meanwhile.
func (c Clerk) inBooks(ctx context.Context, rs []mapping.Rule) error {
	if c.Places == nil {
		return nil
	}
	all, err := c.Places(ctx)
	if err != nil || len(all) == 0 {
		return nil
	}
	set, err := c.Mapping(ctx)
	if err != nil {
		return err
	}
	var wrong []string
	for _, r := range rs {
		if slices.Contains(set.Rules, r) {
			continue
		}
		if words := missing(all, r.Target); words != "" {
			wrong = append(wrong, words)
		}
	}
	if wrong = slices.Compact(wrong); len(wrong) > 0 {
		return fault.Msg(fault.Invalid, "map", "nothing was changed, and what stands in suspense stays there. "+strings.Join(wrong, ". "))
	}
	return nil
}

// missing says what of a target the books do not have, "" = they have it.
func missing(all []odoo.Place, t mapping.Target) string {
	account, tax := t.Account == "", t.Tax == ""
	var near, taxes []string
	for _, p := range all {
		account = account || !p.Tax && p.Code == t.Account
		tax = tax || p.Tax && p.Name == t.Tax
		if !p.Tax && t.Account != "" && strings.HasPrefix(p.Code, t.Account[:min(3, len(t.Account))]) && len(near) < nearMost {
			near = append(near, p.Code+" "+p.Name)
		}
		if p.Tax && len(taxes) < nearMost && alike(p.Name, t.Tax) {
			taxes = append(taxes, p.Name)
		}
	}
	switch {
	case !account:
		return fmt.Sprintf("Odoo has no account %q in use%s", t.Account, nearWords(near))
	case !tax:
		return fmt.Sprintf("Odoo has no sales tax %q with one tax line%s", t.Tax, nearWords(taxes))
	}
	return ""
}

// nearMost is how many accounts or taxes a refusal names.
const nearMost = 5

// nearWords names what the person may have meant.
func nearWords(near []string) string {
	if len(near) == 0 {
		return "; take it as it is written there"
	}
	return "; near it are: " + strings.Join(near, "; ")
}

// alike says whether two names share a word.
func alike(a, b string) bool {
	words := strings.Fields(strings.ToLower(b))
	return slices.ContainsFunc(strings.Fields(strings.ToLower(a)), func(w string) bool { return slices.Contains(words, w) })
}

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
