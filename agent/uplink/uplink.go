// Package uplink is the agent's line to the broker (DESIGN D4): one MQTT 3.1.1 connection at a time, each with a fresh client, so that no
// state of a broken one survives. It carries; it decides nothing and promises nothing: what arrived only the hub's head tells.
package uplink

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"math/rand/v2"
	"net"
	"net/url"
	"os"
	"runtime"
	"sync/atomic"
	"time"

	mqtt "github.com/eclipse/paho.mqtt.golang"
	"github.com/eclipse/paho.mqtt.golang/packets"

	"github.com/tillpost/tillpost/agent/forward"
	"github.com/tillpost/tillpost/shared/envelope"
	"github.com/tillpost/tillpost/shared/fault"
	"github.com/tillpost/tillpost/shared/meter"
	"github.com/tillpost/tillpost/shared/retail"
	"github.com/tillpost/tillpost/shared/topic"
)

// Options say where the broker is and who we are.
type Options struct {
	URL          string // mqtt://host:port or mqtts://host:port
	Device       retail.DeviceID
	Password     string
	CAFile       string // "" = the system's
	Version      string
	RetryLongest time.Duration // longest wait between two attempts; 0 = 15 s
	Log          *slog.Logger
	// Sources are the kinds of what this device reads, for the hub's rollouts.
	Sources string
	// Polls are the vendor accounts that this device could read; Polled is told the hub's word on them and must not block. nil = none.
	Polls  []envelope.Poll
	Polled func(envelope.Polls)
	// Desired is told the hub's word on what this device shall be, unread, and must not block. nil = it is not asked for.
	Desired func(sealed []byte)
	// Secure, when set, gives the TLS of each connection, with the device's certificate; Password and CAFile count for nothing then, and only
	// mqtts is spoken.
	Secure func() (*tls.Config, error)
	// Dial, when set, makes the connection under TLS, such as through a proxy.
	Dial func(ctx context.Context, addr string) (net.Conn, error)
	// Again ends the connection so that it is made anew, such as with a renewed certificate. May be nil.
	Again <-chan struct{}
	// AskAgain is how often what is kept for this device is asked for again on a connection that holds; 0 = 10 minutes.
	AskAgain time.Duration
	// Stuck tells that records wait and the hub was not heard for too long although the line seems up: the connection is then made anew.
	Stuck func(connected time.Time) bool
}

// Events is who is told; no method may block.
type Events interface {
	Connected(l forward.Link)
	Disconnected()
	Head(h envelope.Head)
}

const (
	keepAlive      = 30 * time.Second
	connectTimeout = 15 * time.Second
	writeTimeout   = 20 * time.Second
	retryFirst     = 200 * time.Millisecond
	watchEvery     = 30 * time.Second
	askAgain       = 10 * time.Minute
	askSoon        = 5 * time.Second
)

// State tells a person how the line is.
type State struct {
	Connected bool
	Err       error // why the last attempt failed
}

// Refused reports whether the broker turned the device away: its certificate or password gives it no right.
func (s State) Refused() bool {
	return errors.Is(s.Err, packets.ErrorRefusedNotAuthorised) || errors.Is(s.Err, packets.ErrorRefusedBadUsernameOrPassword)
}

// Uplink keeps a connection. Start it with Run.
type Uplink struct {
	o     Options
	ev    Events
	tls   *tls.Config
	state atomic.Pointer[State]
	Count meter.Stage // connections that were tried, stood, failed before they stood, broke
}

// New checks the options. Code invalid.
func New(o Options, ev Events) (*Uplink, error) {
	u, err := url.Parse(o.URL)
	if err != nil || u.Host == "" || (u.Scheme != "mqtt" && u.Scheme != "mqtts") {
		return nil, fault.Msg(fault.Invalid, "uplink", fmt.Sprintf("the hub's address %q is not of the form mqtt://host:port or mqtts://host:port", o.URL))
	}
	up := &Uplink{o: o, ev: ev}
	up.state.Store(&State{})
	if o.Secure != nil {
		if u.Scheme != "mqtts" {
			return nil, fault.Msg(fault.Invalid, "uplink", "an enrolled PC speaks mqtts:// only")
		}
		up.o.Password = ""
	} else if u.Scheme == "mqtts" {
		up.tls = &tls.Config{MinVersion: tls.VersionTLS12, ServerName: u.Hostname()}
		if o.CAFile != "" {
			pem, err := os.ReadFile(o.CAFile)
			if err != nil {
				return nil, fault.New(fault.Invalid, "uplink: read ca_file", err)
			}
			up.tls.RootCAs = x509.NewCertPool()
			if !up.tls.RootCAs.AppendCertsFromPEM(pem) {
				return nil, fault.Msg(fault.Invalid, "uplink", "ca_file "+o.CAFile+" holds no certificate")
			}
		}
	}
	if up.o.AskAgain == 0 {
		up.o.AskAgain = askAgain
	}
	if up.o.RetryLongest == 0 {
		up.o.RetryLongest = 15 * time.Second
	}
	return up, nil
}

// State returns how the line is.
func (u *Uplink) State() State { return *u.state.Load() }

// Run keeps a connection until ctx ends.
func (u *Uplink) Run(ctx context.Context) error {
	for tries := 0; ctx.Err() == nil; tries++ {
		u.Count.In.Add(1)
		up, err := u.session(ctx)
		switch {
		case up > 0 && err != nil:
			u.Count.Retried.Add(1)
		case err != nil:
			u.Count.Refused.Add(1)
		}
		u.ev.Disconnected()
		u.state.Store(&State{Err: err})
		if up > time.Minute {
			tries = 0
		}
		if err != nil && ctx.Err() == nil {
			u.o.Log.InfoContext(ctx, "no line to the hub; what is sold waits here", "err", err)
		}
		wait := rand.N(min(retryFirst<<min(tries, 10), u.o.RetryLongest)) + 10*time.Millisecond
		select {
		case <-ctx.Done():
		case <-time.After(wait):
		}
	}
	return nil
}

// session is one connection from beginning to end; up tells how long it held.
func (u *Uplink) session(ctx context.Context) (up time.Duration, err error) {
	lost := make(chan error, 1)
	o, err := u.options(lost)
	if err != nil {
		return 0, err
	}
	c := mqtt.NewClient(o.SetBinaryWill(topic.Birth(u.o.Device), u.birth(false, time.Time{}), 1, true))
	defer c.Disconnect(100)
	if err := await(ctx, c.Connect(), connectTimeout); err != nil {
		return 0, err
	}
	begun := time.Now()
	link := &link{c}
	heard := &ears{live: map[string]time.Time{}}
	hear := func(topics map[string]byte) error {
		return await(ctx, c.SubscribeMultiple(topics, func(_ mqtt.Client, m mqtt.Message) { u.deliver(ctx, m, link, heard) }), connectTimeout)
	}
	kept := u.kept()
	all := maps.Clone(kept)
	all[topic.Heads(u.o.Device)] = downQoS
	if err := hear(all); err != nil {
		return 0, err
	}
	if err := await(ctx, c.Publish(topic.Birth(u.o.Device), 1, true, u.birth(true, begun)), connectTimeout); err != nil {
		return 0, err
	}
	u.Count.Out.Add(1)
	u.state.Store(&State{Connected: true})
	u.o.Log.InfoContext(ctx, "the line to the hub is up")
	u.ev.Connected(link)
	watch, again := time.NewTicker(watchEvery), time.NewTimer(min(soon(), u.o.AskAgain))
	defer watch.Stop()
	defer again.Stop()
	for {
		select {
		case <-ctx.Done():
			_ = await(context.WithoutCancel(ctx), c.Publish(topic.Birth(u.o.Device), 1, true, u.birth(false, begun)), time.Second)
			return time.Since(begun), nil
		case err := <-lost:
			return time.Since(begun), err
		case <-u.o.Again:
			return time.Since(begun), nil
		case <-again.C:
			if err := hear(kept); err != nil { // a broker answers a subscription with what it keeps, also one that is there already (MQTT 3.1.1, 3.8.4)
				return time.Since(begun), err
			}
			again.Reset(u.o.AskAgain)
		case <-watch.C:
			if u.o.Stuck != nil && u.o.Stuck(begun) {
				return 0, errors.New("the hub was not heard for too long; connecting anew")
			}
		}
	}
}

func (u *Uplink) birth(online bool, at time.Time) []byte {
	b, err := json.Marshal(envelope.Birth{Online: online, Version: u.o.Version, At: at.UTC(), Polls: u.o.Polls, Platform: runtime.GOOS + "/" + runtime.GOARCH, Sources: u.o.Sources})
	if err != nil {
		panic("BUG: birth: " + err.Error())
	}
	return b
}
