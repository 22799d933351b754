package retailapi

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/tillpost/tillpost/shared/breaker"
	"github.com/tillpost/tillpost/shared/fault"
)

// Status is how the source stands.
type Status struct {
	Name       string         `json:"name"`
	Tenant     string         `json:"tenant"`
	Reads      bool           `json:"reads"`             // this agent is the one that reads it
	Why        string         `json:"why,omitempty"`     // why not
	Connection breaker.Status `json:"connection"`        // with its reason and its next try
	Chosen     []string       `json:"chosen,omitempty"`  // what the API can do, as it was found when connecting
	Hidden     []string       `json:"hidden,omitempty"`  // locations that the token may not see any more
	Newer      bool           `json:"newer,omitempty"`   // the newer POS is switched on
	Lacking    []string       `json:"lacking,omitempty"` // parts that cannot be read, and why
	Behind     time.Time      `json:"behind,omitzero"`   // tickets were read up to here
	Clock      time.Duration  `json:"clock"`             // the server's clock minus this PC's
	Requests   int64          `json:"requests"`
}

// ClockWrong reports whether this PC's clock is off by more than anybody should live with. Nothing is read by it: the server's counts.
func (s Status) ClockWrong() bool { return s.Clock.Abs() > clockTolerant }

// Text is the status in lines for a person.
func (s Status) Text() []string {
	out := []string{fmt.Sprintf("%s: account %s (%s)", s.Name, s.Tenant, s.Connection.Mode)}
	if !s.Reads {
		return append(out, "does not read: "+s.Why)
	}
	if !s.Behind.IsZero() {
		out = append(out, "tickets read up to "+s.Behind.Local().Format(time.DateTime))
	}
	if len(s.Hidden) > 0 {
		out = append(out, "not visible any more: "+strings.Join(s.Hidden, ", "))
	}
	for _, part := range s.Lacking {
		out = append(out, "cannot be read at the moment: "+part)
	}
	return append(out, s.Chosen...)
}

// Status may be called at any time.
func (s *Source) Status() Status {
	s.c.state.Lock()
	clock, n := s.c.skew, s.c.requests
	s.c.state.Unlock()
	s.mu.Lock()
	defer s.mu.Unlock()
	st := Status{Name: s.name, Tenant: s.o.Tenant, Reads: s.granted, Why: s.why, Connection: s.c.breaker.Status(), Hidden: s.hidden,
		Behind: s.behind, Clock: clock.Truncate(time.Second), Requests: n}
	if s.granted {
		st.Why = ""
	}
	for _, part := range slices.Sorted(maps.Keys(s.lacking)) {
		st.Lacking = append(st.Lacking, part+": "+s.lacking[part])
	}
	if s.can != nil {
		st.Chosen, st.Newer = s.can.text(), s.can.V2
	}
	return st
}

// oauthHost is where an account's host is asked for by an OAuth token.
const oauthHost = "https://retail.heartland.us/api"

// hostOf finds the account of an OAuth token.
func hostOf(ctx context.Context, c *client) (string, error) {
	c.base = oauthHost
	var at struct {
		Host string `json:"host"`
	}
	err := c.get(ctx, "/system/host", nil, &at)
	c.base = ""
	if err != nil {
		return "", err
	}
	if !strings.HasSuffix(at.Host, ".retail.heartland.us") {
		return "", fault.Msg(fault.Invalid, "find the account", fmt.Sprintf("the vendor names the host %q, which is not one of Heartland Retail's", at.Host))
	}
	return "https://" + at.Host + "/api", nil
}
