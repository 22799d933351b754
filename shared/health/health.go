// Package health is a registry of named conditions, declared beside what they watch and worded for a store manager.
package health

import (
	"cmp"
	"slices"
	"sync"
	"time"
)

// Severity orders conditions: a High one means that money waits.
type Severity int

const (
	Low Severity = iota
	Medium
	High
)

func (s Severity) String() string { return [...]string{"low", "medium", "high"}[s] }

// Condition is declared once, as a package variable. Title says what happened, Meaning what it means for the money, Do what to do.
type Condition struct {
	Code               string
	Title, Meaning, Do string
	Severity           Severity
	DependsOn          []*Condition  // while one of these is set, this one is not shown: its cause is already on the list
	Grace              time.Duration // shown only after it has lasted this long
}

// Status is a condition that is set and shown.
type Status struct {
	Code     string    `json:"code"`
	Title    string    `json:"title"`
	Meaning  string    `json:"meaning"`
	Do       string    `json:"do"`
	Severity string    `json:"severity"`
	Detail   string    `json:"detail,omitempty"`
	Since    time.Time `json:"since"`
}

// Pressing reports whether somebody must do something; what is of low severity is told beside.
func Pressing(all []Status) bool {
	return slices.ContainsFunc(all, func(s Status) bool { return s.Severity != Low.String() })
}

// Registry holds what is set. The zero value is ready; it is safe for concurrent use.
type Registry struct {
	mu  sync.Mutex
	set map[*Condition]Status
}

// Set puts c on the list, or renews its detail; Since stays that of the first Set.
func (r *Registry) Set(c *Condition, detail string, now time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.set == nil {
		r.set = map[*Condition]Status{}
	}
	s, was := r.set[c]
	if !was {
		s = Status{Code: c.Code, Title: c.Title, Meaning: c.Meaning, Do: c.Do, Severity: c.Severity.String(), Since: now}
	}
	s.Detail = detail
	r.set[c] = s
}

// Clear takes c off the list.
func (r *Registry) Clear(c *Condition) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.set, c)
}

// Report lists what a person should see at now: the worst first, then the oldest.
func (r *Registry) Report(now time.Time) []Status {
	r.mu.Lock()
	defer r.mu.Unlock()
	shown := make([]*Condition, 0, len(r.set))
	for c, s := range r.set {
		if now.Sub(s.Since) >= c.Grace && !r.coveredLocked(c) {
			shown = append(shown, c)
		}
	}
	slices.SortFunc(shown, func(a, b *Condition) int {
		return cmp.Or(cmp.Compare(b.Severity, a.Severity), r.set[a].Since.Compare(r.set[b].Since), cmp.Compare(a.Code, b.Code))
	})
	out := make([]Status, len(shown))
	for i, c := range shown {
		out[i] = r.set[c]
	}
	return out
}

func (r *Registry) coveredLocked(c *Condition) bool {
	return slices.ContainsFunc(c.DependsOn, func(d *Condition) bool { _, set := r.set[d]; return set })
}
