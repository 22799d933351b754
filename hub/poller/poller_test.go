package poller

import (
	"testing"
	"time"

	"github.com/tillpost/tillpost/shared/retail"
)

func TestDecide(t *testing.T) {
	now := time.Date(2026, 11, 25, 12, 0, 0, 0, time.UTC)
	beside := func(d retail.DeviceID, online bool, ago time.Duration) Candidate {
		return Candidate{d, true, online, now.Add(-ago)}
	}
	store := func(d retail.DeviceID, online bool, ago time.Duration) Candidate {
		return Candidate{d, false, online, now.Add(-ago)}
	}
	for _, c := range []struct {
		name   string
		all    []Candidate
		holder retail.DeviceID
		want   retail.DeviceID
		next   bool
	}{
		{"nobody", nil, "", "", false},
		{"one beside the hub", []Candidate{beside("hub-1", true, time.Hour)}, "", "hub-1", false},
		{"it comes before stores", []Candidate{store("a", true, time.Hour), beside("hub-1", true, time.Second)}, "a", "hub-1", false},
		{"two beside the hub: who reads goes on", []Candidate{beside("hub-1", true, 0), beside("hub-2", true, 0)}, "hub-2", "hub-2", false},
		{"two beside the hub, nobody read yet", []Candidate{beside("hub-2", true, 0), beside("hub-1", true, 0)}, "", "hub-1", false},
		{"who reads is away for a moment", []Candidate{beside("hub-1", false, time.Minute), beside("hub-2", true, 0)}, "hub-1", "hub-1", true},
		{"who reads is away for good", []Candidate{beside("hub-1", false, 3*time.Minute), beside("hub-2", true, 0)}, "hub-1", "hub-2", false},
		{"a store's own that is the only one", []Candidate{store("a", true, 0)}, "", "a", false},
		{"that is away for a moment", []Candidate{store("a", false, time.Minute)}, "a", "a", true},
		{"two stores' own", []Candidate{store("a", true, 0), store("b", true, 0)}, "a", "", false},
		{"two stores' own, one of them away", []Candidate{store("a", true, 0), store("b", false, time.Hour)}, "", "", false},
		{"the one beside the hub is away: a store's own does not take over", []Candidate{beside("hub-1", false, time.Hour), store("a", true, 0)}, "hub-1", "", false},
	} {
		t.Run(c.name, func(t *testing.T) {
			d := Decide(c.all, c.holder, now)
			if d.Device != c.want || d.Next.IsZero() == c.next || d.Why == "" {
				t.Errorf("got %+v", d)
			}
		})
	}
}
