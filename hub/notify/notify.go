// Package notify tells people what cannot wait until they look: one message when a trouble begins and one when it ends, by mail and by a
// signed webhook. What is to be told is decided and stored before anything is sent, so that a hub that dies in between still tells it, and
// under the same id, so that nobody is told twice.
package notify

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/tillpost/tillpost/hub/cases"
	"github.com/tillpost/tillpost/hub/upkeep"
	"github.com/tillpost/tillpost/shared/breaker"
	"github.com/tillpost/tillpost/shared/money"
	"github.com/tillpost/tillpost/shared/retail"
)

// When a trouble is worth a message.
const (
	LaneClosed = 15 * time.Minute // an Odoo lane that does not work
	Quiet      = 24 * time.Hour   // a location of which nothing is heard, in its open time
)

// Silence is a location of which nothing is heard.
type Silence struct {
	Location retail.LocationCode
	Name     string
	Since    time.Time
	Open     time.Duration // how much of that time it was open
}

// Facts are all that may be a trouble now.
type Facts struct {
	Holding []cases.Case     // open cases that hold a store-day
	Lanes   []breaker.Status // to Odoo
	Silent  []Silence
	Needs   []upkeep.Need // of the hub's own machine
}

// Trouble is one cause that people are told of.
type Trouble struct {
	Key      string // the same for as long as it lasts: "case:…", "lane:…", "silent:…", "upkeep:…"
	Level    int    `json:",omitempty"` // one that rises is told again
	Since    time.Time
	Title    string
	Means    string // for the money
	Do       string
	Detail   string
	Location retail.LocationCode // "" = all
	Day      retail.BusinessDate
	Amount   money.Amount // at stake; no currency = not known
	Page     string       // path at the hub
}

// Kind of a notice.
type Kind string

const (
	Begin Kind = "begin"
	End   Kind = "end"
)

// Notice is one message. ID is the same whenever it is decided again.
type Notice struct {
	ID string
	Trouble
	Kind Kind
	At   time.Time
}

// Troubles says which facts are worth a message.
func Troubles(f Facts, now time.Time) (out []Trouble) {
	for _, c := range f.Holding {
		out = append(out, Trouble{Key: "case:" + c.ID, Since: c.Opened, Title: c.Title, Means: c.Means, Do: c.Do, Detail: c.Detail, Location: c.Location, Day: c.Day, Amount: c.Amount,
			Page: "/case?id=" + url.QueryEscape(c.ID)})
	}
	for _, l := range f.Lanes {
		if l.State != breaker.Closed && now.Sub(l.Since) >= LaneClosed {
			out = append(out, Trouble{Key: "lane:" + l.Name, Since: l.Since, Title: "Odoo has not been reached for a while", Means: "Store-days wait and are not in the books yet; nothing is lost and nothing will be doubled.",
				Do: "Bring Odoo back or renew its key; `hub odoo check` says what is wrong. The days go by themselves.", Detail: l.Reason, Page: "/"})
		}
	}
	for _, s := range f.Silent {
		if s.Open >= Quiet {
			out = append(out, Trouble{Key: "silent:" + string(s.Location), Since: s.Since, Title: fmt.Sprintf("Nothing is heard of %s", s.Name), Means: "Its sales wait on its PC, or are not captured; its days are not posted.",
				Do: "Call the store: is the PC on, and is its internet there?", Detail: fmt.Sprintf("last heard %s", s.Since.UTC().Format("2006-01-02 15:04 UTC")), Location: s.Location, Page: "/locations"})
		}
	}
	for _, n := range f.Needs {
		out = append(out, Trouble{Key: "upkeep:" + n.Key, Level: int(n.Level), Since: n.Since, Title: n.Title, Means: n.Means, Do: n.Do, Detail: n.Detail, Page: "/"})
	}
	slices.SortFunc(out, func(a, b Trouble) int { return strings.Compare(a.Key, b.Key) })
	return out
}

// Next decides what is to be told, given what is wrong now and which troubles people believe to last: one notice for each that begins or
// presses more than what was told, and one for each that has ended.
func Next(wrong, told []Trouble, now time.Time) (out []Notice) {
	for _, t := range wrong {
		if at := slices.IndexFunc(told, func(o Trouble) bool { return o.Key == t.Key }); at < 0 || told[at].Level < t.Level {
			out = append(out, notice(t, Begin, now))
		}
	}
	for _, t := range told {
		if !has(wrong, t.Key) {
			out = append(out, notice(t, End, now))
		}
	}
	return out
}

func has(ts []Trouble, key string) bool {
	return slices.ContainsFunc(ts, func(t Trouble) bool { return t.Key == key })
}

// notice names a message by what it tells: the same trouble that begins again later, or presses more, is another one.
func notice(t Trouble, k Kind, now time.Time) Notice {
	what := fmt.Appendf(nil, "%s|%d|%s", t.Key, t.Since.UnixMicro(), k)
	if t.Level > 1 {
		what = fmt.Appendf(what, "|%d", t.Level)
	}
	sum := sha256.Sum256(what)
	return Notice{ID: hex.EncodeToString(sum[:12]), Trouble: t, Kind: k, At: now}
}

// Subject is the message's one line.
func (n Notice) Subject() string {
	what := n.Title
	if n.Location != "" && !strings.Contains(what, string(n.Location)) {
		what += ": " + string(n.Location)
	}
	if n.Day != "" {
		what += ", " + string(n.Day)
	}
	if n.Kind == End {
		return "Over: " + what
	}
	return what
}

// Text is the message for a person; base is the hub's address.
func (n Notice) Text(base string) string {
	var b strings.Builder
	line := func(name, text string) {
		if text != "" {
			fmt.Fprintf(&b, "%-14s %s\n", name+":", text)
		}
	}
	if n.Kind == End {
		fmt.Fprintf(&b, "This is over. Nothing needs to be done.\n\n")
	}
	line("What happened", n.Title)
	line("Where", strings.TrimSpace(string(n.Location)+" "+string(n.Day)))
	line("The money", n.Means)
	if n.Amount.Currency != "" && !n.Amount.IsZero() {
		line("At stake", n.Amount.String())
	}
	line("Detail", n.Detail)
	line("Since", n.Since.UTC().Format("2006-01-02 15:04 UTC"))
	if n.Kind == Begin {
		line("What to do", n.Do)
	}
	line("Look here", strings.TrimSuffix(base, "/")+n.Page)
	return b.String()
}
