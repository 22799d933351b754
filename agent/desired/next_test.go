package desired

import (
	"strings"
	"testing"
	"time"
)

// TestStart: a start finds whatever a power cut between two file operations left.
func TestStart(t *testing.T) {
	trying := Marker{Hash: "new", Step: Trying}
	worn := trying
	worn.Starts = MostStarts
	for name, x := range map[string]struct {
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
		"one that was refused lies there":           {Marker{Hash: "new", Step: Refused}, "new", "old", Sweep},
		"the trial's file is another":               {trying, "other", "old", ForgetNew},
		"it is another and was started too often":   {worn, "other", "old", ForgetNew},
	} {
		got, why := Start(x.m, x.trial, x.current)
		if got != x.want || (got == Give) != strings.Contains(why, "3 times") {
			t.Errorf("%s: got %d %q, want %d", name, got, why, x.want)
		}
	}
}

// TestTheReasonIsTold: what is given back names the source or the line, and what failed before the trial is never the reason.
func TestTheReasonIsTold(t *testing.T) {
	m := Marker{Hash: "new", Step: Trying, Line: true, Ailing: []string{"the old share"}}
	for name, x := range map[string]struct {
		f    Facts
		want Do
		why  string
	}{
		"a new source fails":                  {Facts{Ran: Patience, Line: true, Failing: map[string]string{"x": "no folder", "the old share": "gone"}}, Give, "a source cannot be read: x: no folder"},
		"two do":                              {Facts{Ran: Patience, Line: true, Failing: map[string]string{"y": "no table", "x": "no folder"}}, Give, "x: no folder; y: no table"},
		"the line does not come back":         {Facts{Ran: LineIn}, Give, "the line to the hub was up before"},
		"a source fails and the line is away": {Facts{Ran: LineIn, Failing: map[string]string{"x": "no folder"}}, Give, "x: no folder"},
		"one that failed before fails":        {Facts{Ran: Patience, Well: Proven, Line: true, Failing: map[string]string{"the old share": "gone"}}, Keep, ""},
		"a new source fails for a moment":     {Facts{Ran: Patience - time.Second, Line: true, Failing: map[string]string{"x": "no folder"}}, Nothing, ""},
	} {
		got, why := Watch(m, x.f)
		if got != x.want || !strings.HasSuffix(why, x.why) && !strings.HasPrefix(why, x.why) || x.why == "" && why != "" || strings.Contains(why, "gone") {
			t.Errorf("%s: got %d %q, want %d %q", name, got, why, x.want, x.why)
		}
	}
}
