package terminal

import (
	"strings"
	"time"

	"github.com/tillpost/tillpost/shared/fault"
	"github.com/tillpost/tillpost/shared/retail"
)

// Windows are the times of day in which a terminal may be asked, by the clock of its store.
type Windows []window

type window struct{ from, to retail.Clock } // to before from: over midnight

// Quiet is when a terminal is asked unless the settings say otherwise: few stores trade then.
var Quiet = []string{"22:30-06:00"}

// Always is the setting that lifts the restriction.
const Always = "always"

// ParseWindows reads "22:30-06:00", or "always" alone. None means Quiet. Code invalid.
func ParseWindows(list []string) (Windows, error) {
	if len(list) == 0 {
		list = Quiet
	}
	var out Windows
	for _, s := range list {
		if s == Always && len(list) == 1 {
			return Windows{{retail.Clock{}, retail.Clock{}}}, nil
		}
		a, b, ok := strings.Cut(s, "-")
		from, err1 := retail.ParseClock(strings.TrimSpace(a))
		to, err2 := retail.ParseClock(strings.TrimSpace(b))
		if !ok || err1 != nil || err2 != nil || from == to {
			return nil, fault.Msg(fault.Invalid, "read windows", "times of day are written like 22:30-06:00, not "+s)
		}
		out = append(out, window{from, to})
	}
	return out, nil
}

// Open reports whether a terminal in zone may be asked at t.
func (ws Windows) Open(t time.Time, zone *time.Location) bool {
	local := t.In(zone)
	now := local.Hour()*60 + local.Minute()
	for _, w := range ws {
		from, to := w.from.Hour*60+w.from.Minute, w.to.Hour*60+w.to.Minute
		switch {
		case from == to, from < to && now >= from && now < to, from > to && (now >= from || now < to):
			return true
		}
	}
	return false
}
