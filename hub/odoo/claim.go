package odoo

import (
	"fmt"
	"regexp"
	"strconv"
	"time"

	"github.com/tillpost/tillpost/shared/envelope"
)

// Claim is what a hub writes into the claim on a company's books: who it is and that it lives. The zero value is nobody's.
type Claim struct {
	Hub  envelope.HubID // shortened, as in references
	Run  string         // of one start of the process: a copied hub has the same identity and another run
	Beat int64          // grows while it lives
	Name string         // where people find it
}

// released stands for the run of a hub that ended and gave its claim back.
const released = "-"

// claimForm takes the claim's text apart.
var claimForm = regexp.MustCompile(`^Tillpost-claim hub=(\S+) run=(\S+) beat=(\d+) at=(.*)$`)

// String is the claim as it stands in Odoo.
func (c Claim) String() string {
	return fmt.Sprintf("Tillpost-claim hub=%s run=%s beat=%d at=%s", c.Hub, c.Run, c.Beat, label(c.Name))
}

// parseClaim reads it back; what somebody else wrote there is nobody's claim.
func parseClaim(s string) Claim {
	m := claimForm.FindStringSubmatch(s)
	if m == nil {
		return Claim{}
	}
	n, err := strconv.ParseInt(m[3], 10, 64)
	if err != nil {
		return Claim{}
	}
	return Claim{Hub: envelope.HubID(m[1]), Run: m[2], Beat: n, Name: m[4]}
}

// Free reports whether nobody holds it.
func (c Claim) Free() bool { return c.Run == "" || c.Run == released }

// by reports whether two claims are of one run of one hub.
func (c Claim) by(o Claim) bool { return c.Hub == o.Hub && c.Run == o.Run }

// Beat is what a hub wrote last into a claim, or was about to.
type Beat struct {
	Run string
	N   int64

	Was  string // the run before a restart, until the first beat of this one is known to stand
	WasN int64
}

// wrote reports whether c can be what stands in Odoo after b: its last write may not have arrived.
func (b Beat) wrote(c Claim) bool {
	return b.Run != "" && b.Run == c.Run && (c.Beat == b.N || c.Beat == b.N-1) || b.Was != "" && b.Was == c.Run && c.Beat == b.WasN
}

// pulse is another hub's claim as it is seen over time. That it lives is known by its moving and by no clock.
type pulse struct {
	last   Claim
	since  time.Time // it has stood as it is
	looked time.Time
	moved  bool // it was seen to move
}

// see takes in what stands there now. A look that comes later than gap after the one before it begins the watch anew: while Odoo was away, the
// other could not write either.
func (p pulse) see(c Claim, now time.Time, gap time.Duration) pulse {
	if c.Free() {
		return pulse{}
	}
	next := pulse{last: c, since: now, looked: now, moved: p.last.by(c) && (p.moved || p.last != c)}
	if p.last == c && now.Sub(p.looked) <= gap {
		next.since = p.since
	}
	return next
}

// dead reports whether it has stood still for as long as no living hub does.
func (p pulse) dead(now time.Time, still time.Duration) bool {
	return !p.last.Free() && now.Sub(p.since) >= still
}

// move is what a hub does about a claim that it has read.
type move int

const (
	beatOn move = iota // it is this hub's own: say that it lives
	take               // it becomes this hub's
	hold               // it is another's: nothing is posted
)

// judge decides about a claim. ours is what this hub wrote last, also before a restart; watched is the claim as another's; order = a person said that
// this hub takes it.
func judge(c Claim, me Claim, ours Beat, watched pulse, order bool, now time.Time, still time.Duration) move {
	switch {
	case c.Free():
		return take
	case c.Hub == me.Hub && ours.wrote(c):
		return beatOn
	case order || watched.dead(now, still):
		return take
	}
	return hold
}

// Standing is how a claim stands for this hub.
type Standing struct {
	Ours    bool      // this hub may post
	Other   Claim     // the hub that holds it, or, when it is ours, the one that wants it; zero = nobody
	Lives   bool      // the other was seen to move: two hubs run on one database
	Copy    bool      // the other has this hub's own identity
	Company string    // whose books
	By      string    // the person's word by which it was taken over just now, "" = none
	Again   time.Time // when the claim is looked at next, while it is not ours
}

// same reports whether two standings say the same to a person.
func (s Standing) same(o Standing) bool {
	return s.Ours == o.Ours && s.Lives == o.Lives && s.Other.by(o.Other) && s.Other.Name == o.Other.Name && s.By == o.By
}

// Why words why documents wait.
func (s Standing) Why() string {
	if s.Lives {
		return "It is not in the books: another Tillpost hub (" + s.Other.Name + ") posts to this Odoo, and two must not. See the case about it; it goes by itself once that hub has stopped"
	}
	return "It is not in the books yet: a hub (" + s.Other.Name + ") has claimed this Odoo; within minutes it is seen whether that one still runs, and if not, this goes by itself"
}

// Detail words the case: which other hub, what it means, what to do. "" = there is no trouble.
func (s Standing) Detail() string {
	if !s.Lives {
		return ""
	}
	who := fmt.Sprintf("hub %s at %s", s.Other.Hub, s.Other.Name)
	if s.Copy {
		who += ", which has this hub's own identity: a copy of its folder, or a clone or backup of it that was started while the first one runs"
	}
	if s.Ours {
		return fmt.Sprintf("Two hubs run on the books of company %s: this one posts, and %s wants to and is held. What only that one was told (tickets of its stores, files imported there) is not in the books. "+
			"Stop it, and bring what it alone has to this hub; if it is the one that should post, run `hub odoo claim --take-over --reason …` there and stop this one", s.Company, who)
	}
	return fmt.Sprintf("Two hubs run on the books of company %s: %s posts, and this one is held. Its store-days wait here; nothing is lost and nothing is posted twice. "+
		"Stop the one that should not run: this one goes on by itself within minutes. If this is the one that should post, run `hub odoo claim --take-over --reason …` here and stop the other", s.Company, who)
}
