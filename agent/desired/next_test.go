package desired

import (
	"strings"
	"testing"
	"time"
)

func TestHear(t *testing.T) {
	tried := Marker{Seen: 5, Version: 5, Hash: "b", Step: Trying}
	refused := Marker{Seen: 5, Version: 5, Hash: "b", Step: Refused}
	for name, c := range map[string]struct {
		m       Marker
		v       int64
		hash    string
		applied string
		want    Verdict
	}{
		"the first word":                        {Marker{}, 1, "a", "", New},
		"an old word that somebody kept":        {refused, 4, "a", "a", Older},
		"the same word again":                   {refused, 5, "b", "a", Known},
		"what was refused, under a new version": {refused, 6, "b", "a", Same},
		"what holds, under a new version":       {refused, 6, "a", "a", Same},
		"what is on trial":                      {tried, 6, "b", "a", Same},
		"other settings during a trial":         {tried, 6, "c", "a", New},
		"back to what holds, during a trial":    {tried, 6, "a", "a", New},
	} {
		if got := Hear(c.m, c.v, c.hash, c.applied); got != c.want {
			t.Errorf("%s: got %d, want %d", name, got, c.want)
		}
	}
}

// A start finds whatever a power cut between two file operations leaves.
func TestStart(t *testing.T) {
	trying := Marker{Hash: "new", Step: Trying}
	worn := trying
	worn.Starts = MostStarts
	for name, c := range map[string]struct {
		m              Marker
		trial, current string
		want           Do
	}{
		"nothing was ever set":                      {Marker{}, "", "", Nothing},
		"the power went before the trial's file":    {trying, "", "old", ForgetNew},
		"the trial is there":                        {trying, "new", "old", Begin},
		"it went after the trial became what holds": {trying, "", "new", Keep},
		"it was started too often":                  {worn, "new", "old", Give},
		"a trial that was given up lies there yet":  {Marker{Hash: "new", Step: RolledBack}, "new", "old", Sweep},
		"the trial's file is another":               {trying, "other", "old", ForgetNew},
	} {
		if got, _ := Start(c.m, c.trial, c.current); got != c.want {
			t.Errorf("%s: got %d, want %d", name, got, c.want)
		}
	}
}

func TestWatch(t *testing.T) {
	m := Marker{Hash: "new", Step: Trying, Line: true, Ailing: []string{"the old share"}}
	for name, c := range map[string]struct {
		f    Facts
		want Do
		why  string
	}{
		"too early":                           {Facts{Ran: time.Second, Line: true}, Nothing, ""},
		"well for long enough":                {Facts{Ran: 20 * time.Second, Well: Proven, Line: true}, Keep, ""},
		"a new source fails for a moment":     {Facts{Ran: 20 * time.Second, Line: true, Failing: map[string]string{"x": "no folder"}}, Nothing, ""},
		"a new source fails":                  {Facts{Ran: Patience, Line: true, Failing: map[string]string{"x": "no folder"}}, Give, "x: no folder"},
		"one that failed before fails":        {Facts{Ran: Patience, Well: Proven, Line: true, Failing: map[string]string{"the old share": "gone"}}, Keep, ""},
		"the line is not back yet":            {Facts{Ran: Patience, Well: Proven}, Nothing, ""},
		"the line does not come back":         {Facts{Ran: LineIn}, Give, "the line"},
		"a source fails and the line is away": {Facts{Ran: LineIn, Failing: map[string]string{"x": "no folder"}}, Give, "x: no folder"},
	} {
		got, why := Watch(m, c.f)
		if got != c.want || !strings.Contains(why, c.why) {
			t.Errorf("%s: got %d %q, want %d %q", name, got, why, c.want, c.why)
		}
	}
	away := m
	away.Line = false // it was away before: that proves nothing about the settings
	if got, _ := Watch(away, Facts{Ran: 20 * time.Second, Well: Proven}); got != Keep {
		t.Errorf("a store without a line keeps nothing: %d", got)
	}
}
