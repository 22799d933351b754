package program

import (
	"encoding/json"
	"testing"
)

// What is of low severity is told beside, as `agent status` does: an installation does not end with "something needs attention" over
// "Everything is fine".
func TestWell(t *testing.T) {
	for body, want := range map[string]bool{
		`{"running":true,"health":[]}`:                                         true,
		`{"running":true,"health":[{"severity":"low"}]}`:                       true,
		`{"running":true,"health":[{"severity":"low"},{"severity":"medium"}]}`: false,
		`{"running":true,"health":[{"title":"of an agent that tells none"}]}`:  false,
		`{"health":[]}`: false,
	} {
		var s Status
		if err := json.Unmarshal([]byte(body), &s); err != nil || s.Well() != want {
			t.Errorf("%s: %v, %v", body, s.Well(), err)
		}
	}
}
