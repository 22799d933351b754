package plan

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/tillpost/tillpost/hub/mapping"
)

// choice is an account that was found or is to be made.
type choice struct {
	code, name, why string
	sure            Certainty
	made            bool
}

// choose finds the account for a want: the one of its other rules, the one an earlier setup made, the one whose type and name fit; else a new one.
func (d *work) choose(x want) choice {
	for _, r := range x.rules {
		for _, l := range d.p.Lines {
			if a, ok := d.ch.account(l.Rule.Target.Account); ok && l.Rule.Role == r.Role && l.Rule.Code == r.Code && !a.Dead {
				return d.take(x, a, Sure, fmt.Sprintf("%s is there already", named(l.Rule)))
			}
		}
	}
	for _, a := range d.ch.Accounts {
		if a.Name == x.name && !a.Dead {
			return d.take(x, a, Sure, "an earlier setup made it for this")
		}
	}
	if fit, h := d.fit(x); len(fit) > 0 && d.good(fit, h.sure) {
		why := fmt.Sprintf("of type %s, and its name has %q", fit[0].Type, h.words)
		if h.sure != Sure {
			why += ", which is close to " + strings.ToLower(strings.TrimPrefix(x.name, "Till "))
		}
		certain := h.sure
		if len(fit) > 1 {
			certain = Unsure
			why += "; so have " + list(fit[1:])
		}
		return d.take(x, fit[0], certain, why)
	}
	return d.account(x, "", "the chart has no account of a fitting type that is named for this")
}

// good reports whether what fits may be taken: anything, or only the one account that is named for just this.
func (d *work) good(fit []Account, s Certainty) bool { return !d.Sure || s == Sure && len(fit) == 1 }

// has reports whether the chart has an account for a want.
func (d *work) has(x want) bool {
	fit, h := d.fit(x)
	return len(fit) > 0 && d.good(fit, h.sure) || slices.ContainsFunc(d.ch.Accounts, func(a Account) bool { return a.Name == x.name && !a.Dead })
}

// fit are the accounts that the best hint which fits any fits equally well, by code.
func (d *work) fit(x want) (out []Account, h hint) {
	for _, h = range x.hints {
		for _, a := range d.ch.Accounts {
			if d.may(x, a) && holds(words(a.Name), h.words) {
				out = append(out, a)
			}
		}
		if len(out) > 0 {
			break
		}
	}
	size := func(a Account) int { return len(strings.Fields(words(a.Name))) }
	slices.SortFunc(out, func(a, b Account) int { return cmp.Or(cmp.Compare(size(a), size(b)), cmp.Compare(a.Code, b.Code)) })
	if n := slices.IndexFunc(out, func(a Account) bool { return size(a) > size(out[0]) }); n > 0 { // the shorter name says it more plainly
		out = out[:n]
	}
	return out, h
}

// may rules out what cannot hold it: another type, one in use for something else, one in which Odoo itself books.
func (d *work) may(x want, a Account) bool {
	if a.Dead || !slices.Contains(x.types, a.Type) || strings.HasPrefix(a.Name, "Till ") {
		return false
	}
	if by, taken := d.taken[a.Code]; taken && by != x.name && !(x.clear && strings.HasPrefix(by, "Till clearing: ") && !strings.HasPrefix(x.name, "Till deposits: ")) && !slices.Contains(result, a.Type) {
		return false
	}
	if _, bound := d.ch.bound(a.Code); bound {
		return false
	}
	name := words(a.Name)
	return !slices.ContainsFunc(x.not, func(n string) bool { return holds(name, n) })
}

// take uses an account that is there, and lets its items be reconciled where others pay them out.
func (d *work) take(x want, a Account, s Certainty, why string) choice {
	if _, mine := d.taken[a.Code]; !mine {
		d.taken[a.Code] = x.name
	}
	if x.clear && !a.Open && (a.Type == "asset_current" || a.Type == "liability_current") {
		d.make(Thing{Kind: ReconcileThing, Code: a.Code, Name: a.Name, Why: "what stands there is paid out by others: its items must be reconcilable"})
	}
	return choice{code: a.Code, name: a.Name, why: why, sure: s}
}

// account makes one, under a code if that is wished.
func (d *work) account(x want, code, why string) choice {
	if code == "" {
		code = d.free(x.first)
	}
	if at := slices.IndexFunc(d.p.Create, func(t Thing) bool { return t.Kind == AccountThing && t.Code == code }); at >= 0 { // another rule names it too
		made := &d.p.Create[at]
		made.Clear = made.Clear || x.clear
		return choice{code: code, name: made.Name, why: why + ": a new one", sure: Sure, made: true}
	}
	d.used[code], d.taken[code] = true, x.name
	d.make(Thing{Kind: AccountThing, Code: code, Name: x.name, Type: x.kind, Clear: x.clear, Why: why})
	return choice{code: code, name: x.name, why: why + ": a new one", sure: Sure, made: true}
}

// free counts a code up until nobody has it.
func (d *work) free(first string) string {
	var n int64
	_, _ = fmt.Sscan(first, &n)
	for ; ; n++ {
		if code := fmt.Sprint(n); !d.used[code] {
			return code
		}
	}
}

// list names a few accounts.
func list(as []Account) string {
	var out []string
	for i, a := range as {
		if i == 3 {
			out = append(out, fmt.Sprintf("%d more", len(as)-i))
			break
		}
		out = append(out, a.Code+" "+a.Name)
	}
	return strings.Join(out, ", ")
}

// named is a rule as people type it.
func named(r mapping.Rule) string { return string(r.Role) + ":" + r.Code }
