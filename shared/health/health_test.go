package health

import (
	"slices"
	"testing"
	"time"
)

var (
	now     = time.Date(2026, 11, 20, 20, 0, 0, 0, time.UTC)
	noLine  = &Condition{Code: "no_line", Title: "no line", Severity: Medium, Grace: time.Minute}
	noAck   = &Condition{Code: "no_ack", Severity: Medium, DependsOn: []*Condition{noLine}}
	full    = &Condition{Code: "disk_full", Severity: High}
	another = &Condition{Code: "another", Severity: Medium}
)

func codes(r *Registry, at time.Time) (out []string) {
	for _, s := range r.Report(at) {
		out = append(out, s.Code)
	}
	return out
}

func TestWorstFirstThenOldest(t *testing.T) {
	var r Registry
	r.Set(another, "", now)
	r.Set(full, "", now.Add(time.Second))
	r.Set(noLine, "", now.Add(-time.Hour))
	if got := codes(&r, now.Add(time.Minute)); !slices.Equal(got, []string{"disk_full", "no_line", "another"}) {
		t.Errorf("got %v", got)
	}
	r.Clear(full)
	if got := codes(&r, now.Add(time.Minute)); !slices.Equal(got, []string{"no_line", "another"}) {
		t.Errorf("after it was cleared: %v", got)
	}
}

// What lasts a moment is not shown, and what follows from a condition on the list is not shown beside it, not even during its grace.
func TestGraceAndCause(t *testing.T) {
	var r Registry
	r.Set(noLine, "", now)
	r.Set(noAck, "", now)
	if got := codes(&r, now.Add(time.Minute-1)); got != nil {
		t.Errorf("within the grace: %v", got)
	}
	if got := codes(&r, now.Add(time.Minute)); !slices.Equal(got, []string{"no_line"}) {
		t.Errorf("after it: %v", got)
	}
	r.Clear(noLine)
	if got := codes(&r, now.Add(time.Minute)); !slices.Equal(got, []string{"no_ack"}) {
		t.Errorf("without its cause: %v", got)
	}
}

func TestRenewedDetailKeepsItsAge(t *testing.T) {
	var r Registry
	r.Set(full, "2 MB left", now)
	r.Set(full, "1 MB left", now.Add(time.Hour))
	got := r.Report(now.Add(time.Hour))
	if len(got) != 1 || got[0].Detail != "1 MB left" || !got[0].Since.Equal(now) || got[0].Severity != "high" {
		t.Errorf("got %+v", got)
	}
}
