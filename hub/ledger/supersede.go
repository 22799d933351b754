package ledger

import (
	"cmp"

	"github.com/tillpost/tillpost/shared/bug"
	"github.com/tillpost/tillpost/shared/retail"
)

// Version is what is compared of two captures of one key.
type Version struct {
	Hash     string // of the canonical record: Hash
	Revision int64  // the vendor's, 0 = none
	Rank     int    // of the source
	Location retail.LocationCode
	Till     retail.TillCode
	Day      retail.BusinessDate
	Void     bool
}

// Outcome is what a further capture of a known key is.
type Outcome string

const (
	First     Outcome = "first"     // nothing is known of the key
	Duplicate Outcome = "duplicate" // the same content again, or an older word of the same source
	Replaces  Outcome = "replaces"  // a newer version: it takes back what the current one posted
	Older     Outcome = "older"     // it is kept and posts nothing: a newer or better one is in force
	Clash     Outcome = "clash"     // the same identity with facts that no version can change: a person decides
)

// MaxMove is how many days a ticket's versions may lie apart: a till corrects yesterday, it does not reuse a number of last month.
const MaxMove = 3

// Supersede decides what next is beside current. Order: the source's rank first (a lower one never replaces a higher), then the vendor's
// revision, then capture: what comes later is newer (DESIGN D6).
func Supersede(current *Version, next Version) Outcome {
	switch {
	case current == nil:
		return First
	case current.Hash == next.Hash:
		return Duplicate
	case current.Location != next.Location || current.Till != next.Till && current.Till != "" && next.Till != "" || days(current.Day, next.Day) > MaxMove:
		if bug.ClashReplaces {
			return Replaces
		}
		return Clash
	case next.Rank < current.Rank && !bug.LowerRankWins:
		return Older
	}
	// Which of two captures comes first must not decide: a better source wins whatever the poorer one calls its revision.
	if next.Rank > current.Rank {
		return Replaces
	}
	if current.Revision != 0 && next.Revision != 0 && cmp.Compare(next.Revision, current.Revision) < 0 && !bug.OldRevisionWins {
		return Older
	}
	return Replaces
}

func days(a, b retail.BusinessDate) int {
	n := a.DaysSince(b)
	return max(n, -n)
}
