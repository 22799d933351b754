// Package doctor is what the doctors of agent and hub have in common: findings in plain words, and a look at disk, clock, port and
// certificate. A finding says what was looked at, how it is, what that means for the money and what to do.
package doctor

import (
	"fmt"
	"io"
	"strings"
)

// State of a finding.
type State string

const (
	Good State = "good"
	Warn State = "warning" // works, and somebody should look
	Bad  State = "bad"     // does not work: somebody must act
)

// Finding is one thing that was looked at.
type Finding struct {
	What  string `json:"what"`
	State State  `json:"state"`
	Found string `json:"found"`
	Means string `json:"means,omitempty"`
	Do    string `json:"do,omitempty"`
}

// Report is all of them, in the order in which they were looked at.
type Report struct {
	Findings []Finding `json:"findings"`
}

// Good notes what is in order.
func (r *Report) Good(what, format string, args ...any) {
	r.Findings = append(r.Findings, Finding{What: what, State: Good, Found: fmt.Sprintf(format, args...)})
}

// Warn notes what works and should be looked at.
func (r *Report) Warn(what, found, means, do string) {
	r.Findings = append(r.Findings, Finding{what, Warn, found, means, do})
}

// Bad notes what does not work.
func (r *Report) Bad(what, found, means, do string) {
	r.Findings = append(r.Findings, Finding{what, Bad, found, means, do})
}

// Add notes a finding that another function made.
func (r *Report) Add(f Finding) { r.Findings = append(r.Findings, f) }

// Healthy reports that nobody must act.
func (r Report) Healthy() bool {
	for _, f := range r.Findings {
		if f.State == Bad {
			return false
		}
	}
	return true
}

// within keeps words of others, such as a file's name, from beginning a line of the report.
func within(s string) string { return strings.ReplaceAll(s, "\n", "\n       ") }

// Text writes the report for a person: what is wrong first, with what to do.
func (r Report) Text(w io.Writer) {
	bad, warn := 0, 0
	for _, want := range []State{Bad, Warn} {
		for _, f := range r.Findings {
			if f.State != want {
				continue
			}
			mark := "WRONG"
			if bad++; want == Warn {
				bad--
				warn++
				mark = "LOOK"
			}
			fmt.Fprintf(w, "%-5s  %s: %s\n", mark, f.What, within(f.Found))
			if f.Means != "" {
				fmt.Fprintf(w, "       %s\n", f.Means)
			}
			if f.Do != "" {
				fmt.Fprintf(w, "       To do: %s\n", f.Do)
			}
		}
	}
	for _, f := range r.Findings {
		if f.State == Good {
			fmt.Fprintf(w, "good   %s: %s\n", f.What, within(f.Found))
		}
	}
	switch {
	case bad > 0:
		fmt.Fprintf(w, "\n%d things are wrong and %d should be looked at.\n", bad, warn)
	case warn > 0:
		fmt.Fprintf(w, "\nIt works. %d things should be looked at.\n", warn)
	default:
		fmt.Fprintf(w, "\nAll good.\n")
	}
}
