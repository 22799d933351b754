// Package poller decides which device reads a vendor's account: one at a time, because the vendor counts requests by account. It is pure. Two
// that read by mistake cost requests and book nothing twice: what a ticket is does not depend on who read it.
package poller

import (
	"slices"
	"strings"
	"time"

	"github.com/tillpost/tillpost/shared/retail"
)

// Grace is how long a device that went away keeps its account: it may be restarting, and it may well read on behind a broken line.
const Grace = 2 * time.Minute

// Candidate is a device that could read an account.
type Candidate struct {
	Device retail.DeviceID
	Whole  bool // all locations: it stands beside the hub
	Online bool
	Seen   time.Time // when it last came or went
}

// Decision is who reads an account.
type Decision struct {
	Device retail.DeviceID // "" = nobody
	Why    string          // for everybody who does not: in words
	Next   time.Time       // when time alone changes it, zero = never
}

// Decide chooses. A device beside the hub comes before every store's own; a store's own reads only when it is the account's only one, for
// the others' tickets would be missing. Who reads goes on reading while nothing better is there.
func Decide(all []Candidate, holder retail.DeviceID, now time.Time) Decision {
	here := func(c Candidate) bool { return c.Online || c.Device == holder && now.Sub(c.Seen) < Grace }
	var whole, own []Candidate
	for _, c := range all {
		if c.Whole {
			whole = append(whole, c)
		} else {
			own = append(own, c)
		}
	}
	pick := func(cs []Candidate) (out Candidate, ok bool) {
		cs = slices.DeleteFunc(slices.Clone(cs), func(c Candidate) bool { return !here(c) })
		if i := slices.IndexFunc(cs, func(c Candidate) bool { return c.Device == holder }); i >= 0 {
			return cs[i], true
		}
		if len(cs) == 0 {
			return out, false
		}
		return slices.MinFunc(cs, func(a, b Candidate) int { return strings.Compare(string(a.Device), string(b.Device)) }), true
	}
	if c, ok := pick(whole); ok {
		return chosen(c, now)
	}
	switch {
	case len(whole) == 0 && len(own) > 1:
		return Decision{Why: "several stores' own agents could read this account and none beside the hub: set one up beside the hub, that reads all locations"}
	case len(whole) > 0 || len(own) == 0:
		return Decision{Why: "the agent that reads this account is away"}
	}
	if c, ok := pick(own); ok {
		return chosen(c, now)
	}
	return Decision{Why: "the agent that reads this account is away"}
}

func chosen(c Candidate, now time.Time) Decision {
	d := Decision{Device: c.Device, Why: "agent " + string(c.Device) + " reads this account"}
	if !c.Online {
		d.Next = c.Seen.Add(Grace)
		if d.Next.Before(now) {
			d.Next = time.Time{}
		}
	}
	return d
}
