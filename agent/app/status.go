package app

import (
	"context"
	"fmt"
	"io"
	"time"

	"github.com/tillpost/tillpost/agent/forward"
	"github.com/tillpost/tillpost/agent/source/retailapi"
	"github.com/tillpost/tillpost/shared/breaker"
	"github.com/tillpost/tillpost/shared/envelope"
	"github.com/tillpost/tillpost/shared/health"
	"github.com/tillpost/tillpost/shared/retail"
	"github.com/tillpost/tillpost/shared/version"
)

// Status is what `agent status` tells.
type Status struct {
	Device    retail.DeviceID                          `json:"device"`
	Version   string                                   `json:"version"`
	Running   bool                                     `json:"running"`
	Started   time.Time                                `json:"started,omitzero"`
	Hub       envelope.HubID                           `json:"hub,omitempty"`
	Connected bool                                     `json:"connected"`
	Heard     time.Time                                `json:"heard,omitzero"` // when the hub last confirmed anything
	Waiting   uint64                                   `json:"waiting"`        // records that the hub has not confirmed
	Unknown   bool                                     `json:"waiting_unknown,omitempty"`
	Streams   map[envelope.Stream]forward.StreamStatus `json:"streams"`

	Connections []breaker.Status   `json:"connections,omitempty"`
	Accounts    []retailapi.Status `json:"accounts,omitempty"`
	Certificate *CertificateStatus `json:"certificate,omitempty"`  // nil = it comes in by password
	Clock       *time.Duration     `json:"clock_offset,omitempty"` // this PC's clock minus the hub's; nil = not known yet
	Health      []health.Status    `json:"health"`
}

// Good reports that a store manager need not do anything.
func (s Status) Good() bool { return s.Running && len(s.Health) == 0 }

// Status tells how the running agent is.
func (a *App) Status(ctx context.Context) Status {
	now := time.Now()
	a.look(now)
	s := Status{Device: a.Config.Device, Version: version.String(), Running: true, Started: a.started, Connected: a.uplink.State().Connected,
		Health: a.Health.Report(now)}
	s.Streams, s.Heard = a.loop.Status()
	s.Connections = a.Connections()
	s.Certificate = certificateStatus(a.Config, now)
	if off, known := a.loop.Clock(); known {
		s.Clock = &off
	}
	for _, x := range a.accounts.sources {
		s.Accounts = append(s.Accounts, x.Status())
	}
	s.Hub, _ = a.Buffer.Hub(ctx)
	for name, st := range s.Streams {
		st.State = a.Buffer.State(name)
		s.Streams[name] = st
		s.Waiting += st.Waiting()
	}
	return s
}

// Text writes the status for a person.
func (s Status) Text(w io.Writer) {
	switch {
	case !s.Running:
		fmt.Fprintf(w, "The agent %s is not running. Nothing is lost, but nothing is captured or sent either: start the service.\n", s.Device)
	case s.Good() && s.Waiting == 0:
		fmt.Fprintf(w, "All good. Everything that agent %s took has been confirmed by head office.\n", s.Device)
	case s.Good() && !s.Connected:
		fmt.Fprintf(w, "All good so far. Agent %s keeps everything until the line to head office is up.\n", s.Device)
	case s.Good():
		fmt.Fprintf(w, "All good. Agent %s is sending.\n", s.Device)
	default:
		fmt.Fprintf(w, "Agent %s needs attention.\n", s.Device)
	}
	line := "not connected"
	if s.Connected {
		line = "connected"
	}
	fmt.Fprintf(w, "  line to head office: %s; records waiting: %d\n", line, s.Waiting)
	if !s.Heard.IsZero() {
		fmt.Fprintf(w, "  last word of head office: %s\n", s.Heard.Format(time.DateTime))
	}
	if k := s.Certificate; k != nil {
		fmt.Fprintf(w, "  certificate: %d days left, renewed by itself from %s on\n", k.DaysLeft, k.Renew.Format(time.DateOnly))
	}
	for _, name := range envelope.Streams {
		if st, ok := s.Streams[name]; ok {
			fmt.Fprintf(w, "  %-8s %-10s taken %d, confirmed %d\n", name, st.Phase, st.Last, st.Acked)
		}
	}
	for _, c := range s.Connections {
		writeConnection(w, c)
	}
	for _, x := range s.Accounts {
		for _, line := range x.Text() {
			fmt.Fprintf(w, "  %s\n", line)
		}
	}
	for _, h := range s.Health {
		fmt.Fprintf(w, "\n%s (since %s)\n  %s\n  %s\n", h.Title, h.Since.Format(time.DateTime), h.Meaning, h.Do)
		if h.Detail != "" {
			fmt.Fprintf(w, "  Detail: %s\n", h.Detail)
		}
	}
}

// writeConnection writes a connection in a line or two.
func writeConnection(w io.Writer, c breaker.Status) {
	words := map[breaker.State]string{breaker.Closed: "works", breaker.Open: "rests", breaker.HalfOpen: "is being tried", breaker.Refused: "refuses"}[c.State]
	fmt.Fprintf(w, "  %-24s %s since %s, %s", c.Name, words, c.Since.Format(time.DateTime), c.Mode)
	if !c.Next.IsZero() {
		fmt.Fprintf(w, ", next try %s", c.Next.Format(time.TimeOnly))
	}
	fmt.Fprintln(w)
	if c.State != breaker.Closed && c.Reason != "" {
		fmt.Fprintf(w, "    %s\n", c.Reason)
	}
	if c.State == breaker.Refused {
		fmt.Fprintf(w, "    when that is mended: agent connection retry %s\n", c.Name)
	}
}
