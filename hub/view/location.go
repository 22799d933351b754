package view

import (
	"time"

	"github.com/tillpost/tillpost/hub/lockdate"
	"github.com/tillpost/tillpost/hub/rollup"
	"github.com/tillpost/tillpost/shared/health"
	"github.com/tillpost/tillpost/shared/money"
	"github.com/tillpost/tillpost/shared/retail"
)

// Review says who lets a location's complete days go.
type Review string

// What a location can say; ByDefault is what head office says for all.
const (
	ByDefault Review = ""
	Auto      Review = "auto"
	ByPerson  Review = "person"
)

// LocationFilter narrows the list of locations. The zero filter is every one, by code.
type LocationFilter struct {
	Only   []retail.LocationCode // what the user may see; nil = all
	Find   string                // a part of the code or name
	Worst  bool                  // those that need a look first: not confirmed, then the longest silent
	Limit  int                   // 0 = no limit
	Offset int
}

// LocationCount is how many locations there are, and how many of them need a look.
type LocationCount struct{ All, Unconfirmed, Silent int }

// LocationView is a store in the registry.
type LocationView struct {
	Code      retail.LocationCode
	Name      string
	Zone      string // in force today
	Cutoff    string
	Coming    []TradingView // other rules, with their days: past and to come
	Currency  money.Currency
	Company   string
	OpenDays  string // "mon tue …", "" = not known
	Review    Review
	Shadow    retail.BusinessDate // its first day that is posted, "" = as head office says for all
	OldWay    string              // code of the journal that the old way writes to, "" = known by the analytic account
	Costs     retail.BusinessDate // its first day whose cost of goods is posted, "" = none is
	Period    lockdate.Policy     // what becomes of a day whose period is closed
	Posting   rollup.Mode         // as what its days go to the books today
	Postings  []rollup.ModeRule   // all rules of that, past and to come
	Confirmed bool
	Seen      time.Time // something of it arrived
	Devices   []DeviceView
	Tills     []TillView
}

// TradingView is how a location counts its days from a day on.
type TradingView struct {
	From         retail.BusinessDate // "" = from the beginning
	Zone, Cutoff string
}

// DeviceView is an agent that speaks for a location.
type DeviceView struct {
	ID        retail.DeviceID
	Version   string
	Locations string // what it speaks for, "S1, S2" or "*"
	Online    bool   // connected, as far as the broker knows
	Seen      time.Time
	Stopped   string          // why a stream of it waits for a person, "" = none does
	Health    []health.Status // what it says is wrong at its store, the worst first
	Told      time.Time       // when it said so

	Connections []ConnectionView
	Certificate CertificateView // the newest that holds; zero = none
	Enrolled    bool            // it has or had one: no password opens
}

// CertificateView is a certificate of a store's PC.
type CertificateView struct {
	Device       retail.DeviceID
	Serial       string
	Begins, Ends time.Time
	Used         time.Time // when it first came in, zero = never
	Ended        time.Time // before its time
	Why          string    // revoked, replaced or renewed
}

// Holds reports whether it gives rights at a time.
func (c CertificateView) Holds(now time.Time) bool {
	return c.Serial != "" && c.Ended.IsZero() && now.Before(c.Ends)
}

// DaysLeft counts whole days.
func (c CertificateView) DaysLeft(now time.Time) int { return int(c.Ends.Sub(now) / (24 * time.Hour)) }

// CodeMade is a new one-time code, in the only answer that ever holds it.
type CodeMade struct {
	Device   retail.DeviceID
	Code     string // in groups of four
	Expires  time.Time
	Port     string // of the hub, where PCs enrol
	Replaces bool   // the PC that has the device's certificate now loses it when the code is used
}

// CodeView is a one-time code that waits for its PC.
type CodeView struct {
	ID            string // its first signs
	Made, Expires time.Time
	Who           string
	Wrong         int // tries with a wrong secret
}

// TillView is a register or card terminal in the registry.
type TillView struct {
	Code      retail.TillCode
	Kind      string // till or card
	Model     string
	Serial    string
	Software  string
	Status    string // ok busy offline, or the device's own word
	Confirmed bool
	Number    string // last ticket
	Seen      time.Time
	Clock     time.Duration // till clock minus agent clock
}

// LocationForm is what head office says of a location.
type LocationForm struct {
	Code     retail.LocationCode
	Name     string
	Zone     string
	Cutoff   string
	Currency money.Currency
	Company  string
	OpenDays string
	Review   Review
	Shadow   retail.BusinessDate // first day that is posted
	OldWay   string              // journal code
	Costs    retail.BusinessDate // first day whose cost of goods is posted, "" = none: an Odoo that values stock books it itself
	Period   lockdate.Policy     // of a day whose period is closed
	Posting  rollup.Mode         // as what its days go to the books, "" = as it is
	From     retail.BusinessDate // zone and cutoff hold from this day on, "" = always

	PostingFrom retail.BusinessDate // the way of posting holds from this day on, "" = always
}
