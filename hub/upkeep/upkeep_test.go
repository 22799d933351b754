package upkeep_test

import (
	"strings"
	"testing"
	"time"

	"github.com/tillpost/tillpost/hub/upkeep"
)

const mb = 1 << 20

var now = time.Date(2026, 11, 26, 9, 0, 0, 0, time.UTC)

func TestADiskThatHoversIsOneNeed(t *testing.T) {
	d := upkeep.Disk{Dir: "/var/lib/tillpost-hub"}
	for i, x := range []struct {
		free uint64
		want upkeep.Level
	}{{5000, upkeep.Fine}, {1025, upkeep.Fine}, {1023, upkeep.Soon}, {1100, upkeep.Soon}, {900, upkeep.Soon}, {199, upkeep.Now}, {210, upkeep.Now}, {300, upkeep.Soon}, {0, upkeep.Now}, {1279, upkeep.Soon}, {1280, upkeep.Fine}} {
		if d = d.Next(x.free*mb, now.Add(time.Duration(i)*time.Hour)); d.Level != x.want {
			t.Errorf("%d MB: %d, want %d", x.free, d.Level, x.want)
		}
		if d.Level > upkeep.Fine && !d.Since.Equal(now.Add(2*time.Hour)) {
			t.Errorf("%d MB: since %s", x.free, d.Since)
		}
	}
}

func TestNeeds(t *testing.T) {
	s := upkeep.State{Disk: upkeep.Disk{Dir: "/data"}.Next(500*mb, now)}
	day := 24 * time.Hour
	for _, x := range []struct {
		left  time.Duration
		level upkeep.Level
		says  string
	}{{31 * day, upkeep.Fine, ""}, {30 * day, upkeep.Soon, "ends in 30 days"}, {7*day + time.Second, upkeep.Soon, "ends in 7 days"}, {7 * day, upkeep.Now, "7 days"}, {time.Hour, upkeep.Now, "less than a day"}, {-time.Hour, upkeep.Now, "has ended"}} {
		s.Certificates = []upkeep.Certificate{{Name: "broker", At: "mq.example.com:8883", Ends: now.Add(x.left)}}
		ns := s.Needs(now)
		if ns[0].Key != "disk" || !strings.Contains(ns[0].Detail, "500 MB are free for /data") {
			t.Errorf("the disk: %+v", ns[0])
		}
		if x.level == upkeep.Fine {
			if len(ns) != 1 {
				t.Errorf("%s left: %+v", x.left, ns)
			}
			continue
		}
		if len(ns) != 2 || ns[1].Level != x.level || ns[1].Key != "certificate:broker" || !strings.Contains(ns[1].Title, x.says) || !strings.Contains(ns[1].Means, "none is lost") {
			t.Errorf("%s left: %+v", x.left, ns)
		}
		if upkeep.Pressing(ns[1:]) != (x.level == upkeep.Now) || !upkeep.Pressing(ns) {
			t.Errorf("%s left: pressing is wrong", x.left)
		}
	}
}

// TestSignaturesAreToldAhead: people's 60 days before, pressing in the last week; the hub's own when it did not sign.
func TestSignaturesAreToldAhead(t *testing.T) {
	day := 24 * time.Hour
	for _, x := range []struct {
		role        string
		ahead, left time.Duration
		level       upkeep.Level
		title, do   string
	}{
		{"targets", 60 * day, 61 * day, upkeep.Fine, "", ""},
		{"targets", 60 * day, 60 * day, upkeep.Soon, `"targets" ends in 60 days`, "hub release renew targets"},
		{"root", 60 * day, 8 * day, upkeep.Soon, `"root" ends in 8 days`, "hub release renew root"},
		{"root", 60 * day, 7 * day, upkeep.Now, "ends in 7 days", "hub release renew root"},
		{"root", 60 * day, -day, upkeep.Now, "has ended", "hub release renew root"},
		{"timestamp", 42 * time.Hour, 43 * time.Hour, upkeep.Fine, "", ""},
		{"timestamp", 42 * time.Hour, day, upkeep.Soon, "ends in 1 day", "signs it by itself"},
		{"timestamp", 42 * time.Hour, 0, upkeep.Now, "has ended", "signs it by itself"},
	} {
		ends := now.Add(x.left)
		s := upkeep.State{Signatures: []upkeep.Signature{{Role: x.role, Warn: ends.Add(-x.ahead), Ends: ends}}}
		ns := s.Needs(now)
		if x.level == upkeep.Fine {
			if len(ns) != 0 {
				t.Errorf("%s, %s left: %+v", x.role, x.left, ns)
			}
			continue
		}
		if len(ns) != 1 || ns[0].Level != x.level || ns[0].Key != "release:"+x.role || !strings.Contains(ns[0].Title, x.title) || !strings.Contains(ns[0].Do, x.do) ||
			!strings.Contains(ns[0].Means, "every store goes on selling") || upkeep.Pressing(ns) != (x.level == upkeep.Now) {
			t.Errorf("%s, %s left: %+v", x.role, x.left, ns)
		}
	}
}
