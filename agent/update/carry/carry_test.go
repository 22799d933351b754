package carry

import (
	"testing"
	"time"

	"github.com/tillpost/tillpost/agent/update"
)

// TestAClockThatIsSetBack hides no final word: head office would wait for it for ever.
func TestAClockThatIsSetBack(t *testing.T) {
	now := time.Unix(1_800_000_000, 0)
	w := update.Watch{Last: &update.Outcome{Seq: 3, Order: "first", Result: update.Committed, At: now}}
	p := update.Plan{Seq: 3, Last: &update.Outcome{Seq: 3, Order: "second", Result: update.Failed, At: now.AddDate(-1, 0, 0)}}
	s := Stands("1.5.0", p, w)
	if o := s.Of("second"); o == nil || o.Result != update.Failed {
		t.Errorf("of the second: %+v", o)
	}
	if o := s.Of("first"); o == nil || o.Result != update.Committed {
		t.Errorf("of the first: %+v", o)
	}
	if o := s.Of("third"); o != nil {
		t.Errorf("of one that is under way: %+v", o)
	}
}
