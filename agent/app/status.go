package app

import (
	"context"
	"fmt"
	"io"
	"time"

	"github.com/tillpost/tillpost/agent/forward"
	"github.com/tillpost/tillpost/agent/source/retailapi"
	"github.com/tillpost/tillpost/agent/statuspage"
	"github.com/tillpost/tillpost/agent/words"
	"github.com/tillpost/tillpost/shared/breaker"
	"github.com/tillpost/tillpost/shared/doctor"
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
	Page      string                                   `json:"page,omitempty"`     // where a browser of this PC sees the same; "" = nowhere
	GivenUp   bool                                     `json:"given_up,omitempty"` // another PC has this one's place
	Started   time.Time                                `json:"started,omitzero"`
	Hub       envelope.HubID                           `json:"hub,omitempty"`
	Connected bool                                     `json:"connected"`
	Heard     time.Time                                `json:"heard,omitzero"`            // when the hub last confirmed anything
	Waiting   uint64                                   `json:"waiting"`                   // records that the hub has not confirmed
	Unknown   bool                                     `json:"waiting_unknown,omitempty"` // nothing runs, and the buffer cannot be read
	Oldest    time.Time                                `json:"oldest,omitzero"`           // of them, by its own time
	Streams   map[envelope.Stream]forward.StreamStatus `json:"streams"`

	LastTicket time.Time `json:"last_ticket,omitzero"`
	DiskFree   uint64    `json:"disk_free,omitempty"` // bytes

	Connections []breaker.Status   `json:"connections,omitempty"`
	Accounts    []retailapi.Status `json:"accounts,omitempty"`
	Certificate *CertificateStatus `json:"certificate,omitempty"`  // nil = it comes in by password
	Desired     *DesiredStatus     `json:"desired,omitempty"`      // what became of the hub's settings; nil = it set none
	Clock       *time.Duration     `json:"clock_offset,omitempty"` // this PC's clock minus the hub's; nil = not known yet
	Update      *Update            `json:"update,omitempty"`       // nil = only a package brings another version
	Health      []health.Status    `json:"health"`
}

// Good reports that a store manager need not do anything; what is of low severity is told beside.
func (s Status) Good() bool {
	return s.Running && !health.Pressing(s.Health)
}

// Status tells how the running agent is.
func (a *App) Status(ctx context.Context) Status {
	now := time.Now()
	a.look(now)
	s := Status{Device: a.Config.Device, Version: version.String(), Running: true, Started: a.started, Connected: a.uplink.State().Connected,
		Health: a.Health.Report(now)}
	s.Streams, s.Heard = a.loop.Status()
	s.Connections = a.Connections()
	s.Update = a.updateStatus()
	if a.page.Load() {
		s.Page = "http://" + a.Config.Status.Listen
	}
	s.Certificate = certificateStatus(a.Config, now)
	s.Desired = desiredStatus(a.Config)
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
	s.Oldest, s.LastTicket, _ = a.Buffer.Times(ctx) // a damaged disk is told elsewhere
	s.DiskFree, _ = doctor.FreeDisk(a.Config.DataDir)
	return s
}

// Text writes the status for the store's manager.
func (s Status) Text(w io.Writer, l words.Lang) {
	statuspage.Tell(s.Facts(), l, time.Now()).Text(w)
}

// Details writes the streams and the vendors' accounts for whoever helps him.
func (s Status) Details(w io.Writer) {
	for i, name := range envelope.Streams {
		if st, ok := s.Streams[name]; ok {
			if i == 0 {
				fmt.Fprintln(w)
			}
			fmt.Fprintf(w, "  %-8s %-10s taken %d, confirmed %d\n", name, st.Phase, st.Last, st.Acked)
		}
	}
	for _, x := range s.Accounts {
		for _, line := range x.Text() {
			fmt.Fprintf(w, "  %s\n", line)
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
