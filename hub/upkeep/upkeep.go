// Package upkeep says what the hub's own machine needs of a person before it stops the line: room on its disk, certificates and signatures that end.
// It is pure: what is free and what ends when, others look at.
package upkeep

import (
	"fmt"
	"time"
)

// Level is how much a need presses.
type Level int

const (
	Fine Level = iota
	Soon       // within days or weeks
	Now        // before the next working day is over
)

// When disks and certificates press. A hub of many stores fills some 100 MB a day, and as much again while it makes a backup.
const (
	mb        = 1 << 20
	DiskSoon  = 1024 * mb
	DiskNow   = 200 * mb
	EndsSoon  = 30 * 24 * time.Hour
	EndsNow   = 7 * 24 * time.Hour
	calmAbove = 4 // a disk is fine again a quarter above its threshold: one that hovers there is told of once
)

// Disk is the room for the hub's database.
type Disk struct {
	Dir   string    `json:"dir"`
	Free  uint64    `json:"free_bytes"`
	Level Level     `json:"level"`
	Since time.Time `json:"since"` // of a level above Fine
}

// Next is the disk as it is now, given how it was.
func (d Disk) Next(free uint64, now time.Time) Disk {
	d.Free = free
	was := d.Level
	switch {
	case free < DiskNow, was == Now && free < DiskNow+DiskNow/calmAbove:
		d.Level = Now
	case free < DiskSoon, was != Fine && free < DiskSoon+DiskSoon/calmAbove:
		d.Level = Soon
	default:
		d.Level = Fine
	}
	if was == Fine && d.Level != Fine {
		d.Since = now
	}
	return d
}

// Certificate is one that is shown to those who connect.
type Certificate struct {
	Name string    `json:"name"` // "web", "broker"
	At   string    `json:"at"`   // address or file
	Ends time.Time `json:"ends"`
}

// Level is how much its end presses.
func (c Certificate) Level(now time.Time) Level {
	switch left := c.Ends.Sub(now); {
	case left <= EndsNow:
		return Now
	case left <= EndsSoon:
		return Soon
	}
	return Fine
}

// Signature is one role's of the signed releases. When it ends no PC is updated, and nothing else stops.
type Signature struct {
	Role string    `json:"role"` // "root", "targets": people's; "snapshot", "timestamp": the hub's own
	Warn time.Time `json:"warn"` // from when on people are told: those who sign must meet, with keys out of safes
	Ends time.Time `json:"ends"`
}

// Level is how much its end presses.
func (s Signature) Level(now time.Time) Level {
	switch {
	case now.Before(s.Warn):
		return Fine
	case !now.Before(s.Ends), s.Warn.Before(s.Ends.Add(-EndsNow)) && s.Ends.Sub(now) <= EndsNow:
		return Now
	}
	return Soon
}

func (s Signature) need(now time.Time) Need {
	n := Need{Key: "release:" + s.Role, Level: s.Level(now), Since: s.Warn, Title: fmt.Sprintf("The releases' signature %q ends in %s", s.Role, days(s.Ends.Sub(now))),
		Means: "From then on no PC is updated until it is signed anew; every store goes on selling, and days are posted as before.", Detail: "ends " + s.Ends.UTC().Format("2006-01-02 15:04 UTC"),
		Do: "Those who hold the keys sign it anew: hub release renew " + s.Role + ", hub release sign, hub release publish (CEREMONY.md)."}
	if s.Role != "root" && s.Role != "targets" {
		n.Do = "The hub signs it by itself: see in its log why it did not."
	}
	if !now.Before(s.Ends) {
		n.Title = fmt.Sprintf("The releases' signature %q has ended", s.Role)
	}
	return n
}

// State is all that was looked at.
type State struct {
	Disk         Disk          `json:"disk"`
	Certificates []Certificate `json:"certificates,omitempty"`
	Signatures   []Signature   `json:"signatures,omitempty"`
}

// Need is one thing that a person should do. Key is the same for as long as it lasts.
type Need struct {
	Key    string    `json:"key"`
	Level  Level     `json:"level"`
	Since  time.Time `json:"since"`
	Title  string    `json:"title"`
	Means  string    `json:"means"`
	Do     string    `json:"do"`
	Detail string    `json:"detail"`
}

// Needs lists what presses, the disk first.
func (s State) Needs(now time.Time) (out []Need) {
	if d := s.Disk; d.Level > Fine {
		n := Need{Key: "disk", Level: d.Level, Since: d.Since, Title: "The hub's disk fills", Means: "When it is full nothing new is taken or posted: tickets wait at the stores, and none is lost.",
			Do: "Make room in the next days, or give the hub a larger disk.", Detail: fmt.Sprintf("%d MB are free for %s", d.Free/mb, d.Dir)}
		if d.Level == Now {
			n.Title, n.Do = "The hub's disk is almost full", "Make room now."
		}
		out = append(out, n)
	}
	for _, c := range s.Certificates {
		l := c.Level(now)
		if l == Fine {
			continue
		}
		n := Need{Key: "certificate:" + c.Name, Level: l, Since: c.Ends.Add(-EndsSoon), Title: fmt.Sprintf("The certificate of the %s ends in %s", words[c.Name], days(c.Ends.Sub(now))),
			Means: means[c.Name], Do: "Renew it, and start again what shows it.", Detail: fmt.Sprintf("shown at %s, ends %s", c.At, c.Ends.UTC().Format("2006-01-02 15:04 UTC"))}
		if !now.Before(c.Ends) {
			n.Title = fmt.Sprintf("The certificate of the %s has ended", words[c.Name])
		}
		out = append(out, n)
	}
	for _, x := range s.Signatures {
		if x.Level(now) > Fine {
			out = append(out, x.need(now))
		}
	}
	return out
}

var words = map[string]string{"web": "pages", "broker": "broker"}

var means = map[string]string{
	"web":    "From then on browsers refuse the pages; tickets are taken and days are posted as before.",
	"broker": "From then on no store gets through to the broker: tickets wait at the stores, none is lost, and nothing new is posted.",
}

func days(left time.Duration) string {
	switch n := int(left / (24 * time.Hour)); n {
	case 0:
		return "less than a day"
	case 1:
		return "1 day"
	default:
		return fmt.Sprintf("%d days", n)
	}
}

// Pressing reports whether something cannot wait: a disk that fills, or the last week of a certificate or of people's signatures.
func Pressing(ns []Need) bool {
	for _, n := range ns {
		if n.Level == Now || n.Key == "disk" {
			return true
		}
	}
	return false
}
