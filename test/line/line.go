// Package line builds the line from an agent's buffer to the hub's database in one process, with real sockets, files and commits: the
// tests of the line and the measurements stand on it.
package line

import (
	"context"
	"fmt"
	"log/slog"
	"path/filepath"
	"sync"
	"time"

	"github.com/tillpost/tillpost/agent/buffer"
	"github.com/tillpost/tillpost/agent/forward"
	"github.com/tillpost/tillpost/agent/source"
	"github.com/tillpost/tillpost/agent/uplink"
	"github.com/tillpost/tillpost/hub/broker"
	"github.com/tillpost/tillpost/hub/ingest"
	"github.com/tillpost/tillpost/hub/link"
	"github.com/tillpost/tillpost/hub/store"
	"github.com/tillpost/tillpost/shared/envelope"
	"github.com/tillpost/tillpost/shared/retail"
)

// HubOptions say what of a hub runs; the zero value is an embedded broker without ledger.
type HubOptions struct {
	Dir     string
	Listen  string // of the embedded broker; "" takes a free port
	URL     string // an external broker instead
	User    string
	Secret  string
	Devices []retail.DeviceID
	Mean    func(*envelope.Envelope) ingest.Meaning
	Inbox   func(*store.Store) ingest.Inbox // nil: the store
	Log     *slog.Logger
}

// Hub is the centre's end of the line.
type Hub struct {
	Store  *store.Store
	Broker *broker.Broker // nil with an external one
	Link   *link.Link
	Intake *ingest.Intake

	quit context.CancelFunc
	wg   sync.WaitGroup
}

// StartHub opens the database in o.Dir and begins to take.
func StartHub(ctx context.Context, o HubOptions) (*Hub, error) {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Mean == nil {
		o.Mean = func(*envelope.Envelope) ingest.Meaning { return ingest.Meaning{} }
	}
	if o.Inbox == nil {
		o.Inbox = func(s *store.Store) ingest.Inbox { return s }
	}
	s, err := store.Open(ctx, o.Dir)
	if err != nil {
		return nil, err
	}
	h := &Hub{Store: s}
	err = s.InTx(ctx, func(tx *store.Tx) error {
		for _, d := range o.Devices {
			if err := tx.AddDevice(ctx, d, "", "line"); err != nil {
				return err
			}
			if err := tx.Assign(ctx, d, store.AllLocations, time.Unix(0, 0), "line"); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		s.Close()
		return nil, err
	}
	lo := link.Options{URL: o.URL, User: o.User, Password: o.Secret, Hub: "hub-line", Births: s, Log: o.Log, RetryLongest: 500 * time.Millisecond}
	if o.URL == "" {
		if o.Listen == "" {
			o.Listen = "127.0.0.1:0"
		}
		if h.Broker, err = broker.Start(ctx, broker.Options{Listen: o.Listen, Dir: o.Dir, Log: o.Log}); err != nil {
			s.Close()
			return nil, err
		}
		lo.URL = h.Broker.URL()
		lo.User, lo.Password, lo.TLS = h.Broker.Own()
	}
	h.Intake = ingest.New("hub-line", o.Inbox(s), s, o.Mean, o.Log)
	if h.Link, err = link.New(lo, h.Intake); err != nil {
		return nil, err
	}
	run, quit := context.WithCancel(context.WithoutCancel(ctx))
	h.quit = quit
	h.wg.Add(2)
	go func() { defer h.wg.Done(); _ = h.Intake.Run(run) }()
	go func() { defer h.wg.Done(); _ = h.Link.Run(run) }()
	return h, nil
}

// URL is where agents connect.
func (h *Hub) URL() string { return h.Broker.URL() }

// Stop ends the hub as an operator would.
func (h *Hub) Stop() {
	h.quit()
	h.wg.Wait()
	if h.Broker != nil {
		h.Broker.Close()
	}
	_ = h.Store.Close()
}

// Agent is a store's end of the line.
type Agent struct {
	Buffer *buffer.Buffer
	Loop   *forward.Loop
	Device retail.DeviceID

	quit context.CancelFunc
	wg   sync.WaitGroup
}

// OpenAgent opens a buffer in dir. Start begins to send.
func OpenAgent(ctx context.Context, dir string, d retail.DeviceID) (*Agent, error) {
	a := &Agent{Device: d}
	b, err := buffer.Open(ctx, buffer.Options{Dir: filepath.Join(dir, string(d)), Device: d, Clean: func(d source.Draft) source.Draft { return d },
		Appended: func(envelope.Stream) {
			if a.Loop != nil {
				a.Loop.Wake()
			}
		}})
	if err != nil {
		return nil, err
	}
	a.Buffer = b
	a.Loop = forward.NewLoop(forward.Options{Device: d, Version: "line"}, b, b, slog.New(slog.DiscardHandler))
	return a, nil
}

// Start sends to the broker at url until Stop.
func (a *Agent) Start(ctx context.Context, url, secret string) error {
	up, err := uplink.New(uplink.Options{URL: url, Device: a.Device, Password: secret, Version: "line", RetryLongest: time.Second, Log: slog.New(slog.DiscardHandler)}, a.Loop)
	if err != nil {
		return err
	}
	run, quit := context.WithCancel(context.WithoutCancel(ctx))
	a.quit = quit
	a.wg.Add(2)
	go func() { defer a.wg.Done(); _ = a.Loop.Run(run) }()
	go func() { defer a.wg.Done(); _ = up.Run(run) }()
	return nil
}

// Stop ends sending and closes the buffer.
func (a *Agent) Stop() {
	if a.quit != nil {
		a.quit()
		a.wg.Wait()
	}
	_ = a.Buffer.Close()
}

// Put appends tickets from…to−1 in groups, as a source does, and returns once they are durable.
func (a *Agent) Put(ctx context.Context, from, to, group int) error {
	for n := from; n < to; n += group {
		var ds []source.Draft
		for i := n; i < min(n+group, to); i++ {
			ds = append(ds, Draft(i))
		}
		if err := a.Buffer.Append(ctx, "line", "", ds); err != nil {
			return err
		}
	}
	return nil
}

// Key is the n-th ticket's.
func Key(n int) string { return fmt.Sprintf("T-%08d", n) }

// Draft is the n-th ticket as a source gives it.
func Draft(n int) source.Draft {
	return source.Draft{Stream: envelope.Sales, Location: "S1", Kind: "ticket.v1", Key: Key(n), ContentType: "application/json", At: base.Add(time.Duration(n) * time.Second), Body: Ticket(n)}
}
