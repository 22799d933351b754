package odoo

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/tillpost/tillpost/hub/mapping"
	"github.com/tillpost/tillpost/hub/rollup"
	"github.com/tillpost/tillpost/shared/retail"
)

// analytic is an analytic account. A journal item can have one of each plan; of a plan that is divided, the plan at its root counts.
type analytic struct {
	id, root         int64
	plan, code, name string // the root plan's name; code may be ""
}

// names are all that a rule may call it, the plainest first.
func (a analytic) names() []string {
	if a.code == "" {
		return []string{a.name, a.plan + "/" + a.name}
	}
	return []string{a.code, a.name, a.plan + "/" + a.code, a.plan + "/" + a.name}
}

// find is the one account that a rule's name means: by code before by name.
func (ch *chart) find(name string) (analytic, error) {
	for _, fits := range []func(analytic) bool{
		func(a analytic) bool { return a.code != "" && (name == a.code || name == a.plan+"/"+a.code) },
		func(a analytic) bool { return name == a.name || name == a.plan+"/"+a.name },
	} {
		var fit []analytic
		for _, a := range ch.analytics {
			if fits(a) {
				fit = append(fit, a)
			}
		}
		switch len(fit) {
		case 0:
			continue
		case 1:
			return fit[0], nil
		}
		return analytic{}, &lack{fmt.Sprintf("Odoo has %d analytic accounts called %q: write its plan before it, as in \"%s/%s\"", len(fit), name, fit[0].plan, name)}
	}
	return analytic{}, &lack{fmt.Sprintf("Odoo has no analytic account %q (or the user may not see it): make it there, or change the rule that names it", name)}
}

// analyticsOf is the analytic accounts of a line, in the order of their ids: the location's own, or what a rule puts in its place, and those beside it.
// Of one plan what is named last counts, but the location's stays: a result that a location lacks would be missed by nobody.
func (ch *chart) analyticsOf(at retail.LocationCode, l rollup.Line) ([]int64, error) {
	by, place := map[int64]int64{}, map[int64]bool{}
	if own, ok := ch.analytic[at]; ok {
		if i := slices.IndexFunc(ch.analytics, func(a analytic) bool { return a.id == own }); i >= 0 {
			by[ch.analytics[i].root] = own
		}
	}
	for _, n := range mapping.Names(l.At) {
		a, err := ch.find(n)
		if err != nil {
			return nil, err
		}
		by[a.root] = a.id
	}
	if len(by) == 0 {
		return nil, &lack{fmt.Sprintf("Odoo has no analytic account with the code %q (or the user may not see it): run `hub odoo setup`", at)}
	}
	for root := range by {
		place[root] = true
	}
	for _, n := range mapping.Names(l.Analytic) {
		a, err := ch.find(n)
		if err != nil {
			return nil, err
		}
		if place[a.root] && by[a.root] != a.id {
			return nil, &lack{fmt.Sprintf("the analytic account %q is of the plan %q, where the location's own stands, and an item has one of each plan: name an account of another plan in the rule for %s", n, a.plan, l.Measure)}
		}
		by[a.root] = a.id
	}
	return slices.Sorted(maps.Values(by)), nil
}

// distributed is analytic accounts as Odoo's distribution names them: together they take the whole item.
func distributed(ids []int64) string {
	parts := make([]string, len(ids))
	for i, n := range ids {
		parts[i] = strconv.FormatInt(n, 10)
	}
	return strings.Join(parts, ",")
}

// inOrder writes a distribution's key with its ids in the order of distributed: whoever wrote it may have had another.
func inOrder(key string) string {
	parts := strings.Split(key, ",")
	if len(parts) < 2 {
		return key
	}
	slices.SortFunc(parts, func(a, b string) int {
		x, xerr := strconv.ParseInt(a, 10, 64)
		y, yerr := strconv.ParseInt(b, 10, 64)
		if xerr != nil || yerr != nil {
			return strings.Compare(a, b)
		}
		return int(min(max(x-y, -1), 1))
	})
	return strings.Join(parts, ",")
}

// adopted is what stands beside an item, as a line says it: in place of the location's own account when that is missing, else beside it.
func (ch *chart) adopted(at retail.LocationCode, distribution string) (place, beside string) {
	own, found := strconv.FormatInt(ch.analytic[at], 10), false
	var names []string
	for key := range strings.SplitSeq(distribution, ",") {
		if key == own {
			found = true
			continue
		}
		for _, a := range ch.analytics {
			if strconv.FormatInt(a.id, 10) == key {
				names = append(names, a.plan+"/"+a.name)
			}
		}
	}
	if all := mapping.Join(strings.Join(names, ";")); found {
		return "", all
	} else {
		return all, ""
	}
}

// called is every name of the analytic accounts that lines of adopted documents name, by the one that they use.
func (ch *chart) called(lines []rollup.Line) map[string][]string {
	out := map[string][]string{}
	for _, l := range lines {
		for _, n := range mapping.Names(mapping.Join(l.At, l.Analytic)) {
			for _, a := range ch.analytics {
				if a.plan+"/"+a.name == n {
					out[n] = a.names()
				}
			}
		}
	}
	return out
}
